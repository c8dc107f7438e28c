//! The precision of estimates, and what is billed.

use obs_runtime::bigquery::estimate::{Catalogue, EstimateError, estimate};

use crate::support::{MIB, SHAKESPEARE, WORD, WORD_COUNT, at_most, exactly, shipped, small, unknown};

#[test]
fn word_count_is_eight_bytes_for_each_row() {
    let estimate = shipped("SELECT word_count FROM bigquery-public-data.samples.shakespeare");
    exactly(&estimate, 164_656 * 8);
    exactly(&estimate, 1_317_248);
    assert_eq!(estimate.tables.len(), 1);
    assert_eq!(estimate.tables[0].table, SHAKESPEARE);
    assert_eq!(estimate.tables[0].columns, ["word_count"]);
}

#[test]
fn ten_mebibytes_are_billed_for_a_small_query() {
    let estimate = shipped("SELECT word_count FROM bigquery-public-data.samples.shakespeare");
    assert_eq!(estimate.billed_bytes, Some(10 * MIB));
    let usd = estimate.usd.unwrap();
    assert!((usd - 6.25 * 10.0 / f64::from(1 << 20)).abs() < 1e-12, "{usd}");
}

#[test]
fn the_estimate_for_an_example_of_googles_documentation_is_its_result() {
    // cloud.google.com/bigquery/docs/query-plan-explanation#api_sample_representation
    let estimate = shipped(
        "SELECT COUNT(1) AS rowcount, COUNTIF(corpus = 'hamlet') AS rowcount_hamlet
         FROM `bigquery-public-data.samples.shakespeare`",
    );
    exactly(&estimate, 2_464_625);
    assert_eq!(estimate.billed_bytes, Some(10_485_760));
}

#[test]
fn count_star_reads_nothing_and_is_free() {
    let estimate = shipped("SELECT COUNT(*) FROM `bigquery-public-data.samples.natality`");
    exactly(&estimate, 0);
    assert_eq!(estimate.billed_bytes, Some(0));
    assert_eq!(estimate.tables.len(), 1);
}

#[test]
fn a_query_without_tables_is_free() {
    let estimate = shipped("SELECT 1 + 1 AS two, CURRENT_DATE() AS today, @parameter AS given");
    exactly(&estimate, 0);
    assert!(estimate.tables.is_empty());
}

#[test]
fn limit_does_not_make_a_query_cheaper() {
    exactly(&shipped("SELECT word_count FROM `bigquery-public-data.samples.shakespeare` LIMIT 1"), WORD_COUNT);
    at_most(&shipped("SELECT word_count FROM `bigquery-public-data.samples.shakespeare` LIMIT 0"), WORD_COUNT);
    at_most(&shipped("SELECT word_count FROM `bigquery-public-data.samples.shakespeare` WHERE FALSE"), WORD_COUNT);
}

#[test]
fn uncounted_nulls_make_an_estimate_an_upper_bound() {
    at_most(&small("SELECT paid FROM p.d.orders"), 100);
    exactly(&small("SELECT amount FROM p.d.orders"), 90 * 16);
    at_most(&shipped("SELECT weight_pounds FROM `bigquery-public-data.samples.natality`"), 137_826_763 * 8);
    exactly(&shipped("SELECT is_male FROM `bigquery-public-data.samples.natality`"), 137_826_763);
}

#[test]
fn a_text_column_has_at_most_the_bytes_that_the_others_leave() {
    at_most(&small("SELECT name FROM p.d.customers"), 920);
    at_most(&small("SELECT customer, mail FROM p.d.customers"), 1_000);
    exactly(&small("SELECT name, mail FROM p.d.customers"), 920);
    exactly(&shipped("SELECT word FROM `bigquery-public-data.samples.shakespeare`"), WORD);
}

#[test]
fn a_text_column_of_a_table_without_bytes_is_unknown() {
    let estimate = shipped("SELECT state, year FROM `bigquery-public-data.samples.natality`");
    unknown(&estimate, "column `state` depends on its values");
    unknown(&small("SELECT note FROM p.d.orders"), "column `note`");
}

#[test]
fn a_filter_on_a_partitioned_table_makes_an_upper_bound() {
    at_most(&small("SELECT user FROM p.d.events WHERE day = '2024-01-01'"), 16_000);
}

#[test]
fn a_table_sample_reads_at_most_the_table() {
    at_most(&small("SELECT id FROM p.d.orders TABLESAMPLE SYSTEM (10 PERCENT)"), 800);
}

#[test]
fn other_input_than_one_query_is_an_error() {
    let catalogue = Catalogue::shipped().unwrap();
    let error = |sql| estimate(sql, &catalogue, 6.25).unwrap_err();
    assert!(matches!(error("SELEC 1"), EstimateError::Parse(_)));
    assert!(matches!(error("SELECT 1; SELECT 2"), EstimateError::Statements { count: 2 }));
    assert!(matches!(error(""), EstimateError::Statements { count: 0 }));
    let delete = error("DELETE FROM p.d.t WHERE id = 3").to_string();
    assert!(delete.contains("DELETE FROM p.d.t") && delete.contains("SELECT"), "{delete}");
    for price in [-1.0, f64::NAN, f64::INFINITY] {
        let price = estimate("SELECT 1", &catalogue, price);
        assert!(matches!(price, Err(EstimateError::Price { .. })));
    }
}

#[test]
fn text_and_json_have_the_same_numbers() {
    let estimate = shipped("SELECT word_count FROM `bigquery-public-data.samples.shakespeare`");
    let text = estimate.to_string();
    assert!(text.contains("1,317,248 bytes (1.25 MiB), exact"), "{text}");
    assert!(text.contains("10,485,760 bytes (10.00 MiB)"), "{text}");
    assert!(text.contains("$0.000060 at $6.25 per TiB"), "{text}");
    let json = serde_json::to_value(&estimate).unwrap();
    assert_eq!(json["processed_bytes"], 1_317_248);
    assert_eq!(json["tables"][0]["figure"]["kind"], "exact");
    let unknown = shipped("SELECT title FROM `bigquery-public-data.samples.wikipedia`");
    assert!(unknown.to_string().contains("not known"), "{unknown}");
    let json = serde_json::to_value(&unknown).unwrap();
    assert_eq!(json["figure"]["kind"], "unknown");
    assert!(json["usd"].is_null());
}
