//! The columns that the clauses of one query read.

use obs_runtime::bigquery::estimate::{Catalogue, estimate};

use crate::support::{CORPUS, CORPUS_DATE, SMALL, WORD, WORD_COUNT, at_most, columns, exactly, shipped, small};

#[test]
fn every_notation_of_a_table_is_accepted() {
    for table in [
        "bigquery-public-data.samples.shakespeare",
        "`bigquery-public-data.samples.shakespeare`",
        "`bigquery-public-data`.samples.shakespeare",
        "`bigquery-public-data`.`samples`.`shakespeare`",
        "`bigquery-public-data.samples`.shakespeare",
        "bigquery-public-data.samples.shakespeare AS s",
    ] {
        exactly(&shipped(&format!("SELECT word_count FROM {table}")), WORD_COUNT);
    }
}

#[test]
fn select_star_reads_the_whole_table() {
    let estimate = shipped("SELECT * FROM `bigquery-public-data.samples.shakespeare`");
    exactly(&estimate, 6_432_064);
    assert_eq!(columns(&estimate), ["word", "word_count", "corpus", "corpus_date"]);
}

#[test]
fn select_star_except_does_not_read_the_excepted_columns() {
    let estimate = shipped("SELECT * EXCEPT (corpus, CORPUS_DATE) FROM `bigquery-public-data.samples.shakespeare`");
    exactly(&estimate, WORD + WORD_COUNT);
}

#[test]
fn select_star_replace_reads_the_columns_of_the_replacement() {
    let estimate = shipped(
        "SELECT * EXCEPT (word, corpus) REPLACE (corpus_date + 1 AS word_count)
         FROM `bigquery-public-data.samples.shakespeare`",
    );
    exactly(&estimate, CORPUS_DATE);
}

#[test]
fn columns_of_several_clauses_are_read_once() {
    let estimate = shipped(
        "SELECT word, SUM(word_count) AS n FROM `bigquery-public-data.samples.shakespeare`
         WHERE corpus LIKE 'k%' AND word_count > 1
         GROUP BY word HAVING SUM(word_count) > 2 ORDER BY MAX(corpus_date), n DESC LIMIT 10",
    );
    exactly(&estimate, 6_432_064);
}

#[test]
fn clauses_may_refer_to_columns_of_the_select_list() {
    let estimate = shipped(
        "SELECT LOWER(corpus) AS play, COUNT(*) AS n
         FROM `bigquery-public-data.samples.shakespeare` GROUP BY play HAVING n > 3 ORDER BY 2, play",
    );
    exactly(&estimate, CORPUS);
    let by_place = shipped("SELECT corpus, SUM(word_count) FROM `bigquery-public-data.samples.shakespeare` GROUP BY 1");
    exactly(&by_place, CORPUS + WORD_COUNT);
}

#[test]
fn qualify_and_windows_read_their_columns() {
    let estimate = shipped(
        "SELECT corpus FROM `bigquery-public-data.samples.shakespeare` WHERE TRUE
         QUALIFY ROW_NUMBER() OVER (PARTITION BY corpus ORDER BY word_count DESC) = 1",
    );
    exactly(&estimate, CORPUS + WORD_COUNT);
    let named = shipped(
        "SELECT SUM(word_count) OVER w FROM `bigquery-public-data.samples.shakespeare`
         WINDOW w AS (PARTITION BY corpus_date)",
    );
    exactly(&named, WORD_COUNT + CORPUS_DATE);
}

#[test]
fn a_join_reads_both_sides() {
    let on = small("SELECT o.id FROM p.d.orders AS o LEFT JOIN p.d.customers AS c ON o.customer = c.customer");
    exactly(&on, 1_600 + 80);
    let using = small("SELECT id, customer FROM p.d.orders JOIN p.d.customers USING (customer)");
    exactly(&using, 1_600 + 80);
    let comma = small("SELECT id FROM p.d.orders, p.d.customers");
    exactly(&comma, 800);
}

#[test]
fn an_unqualified_column_is_found_by_the_catalogue() {
    let estimate = small("SELECT id, mail FROM p.d.orders o JOIN p.d.customers c ON o.customer = c.customer");
    assert_eq!(columns(&estimate), ["customer", "mail", "id", "customer"]);
}

#[test]
fn date_parts_are_not_columns() {
    exactly(
        &small(
            "SELECT DATE_TRUNC(month, MONTH), DATE_DIFF(month, DATE '2020-01-01', WEEK(MONDAY)),
                       LAST_DAY(month, YEAR), EXTRACT(YEAR FROM month),
                       DATE_ADD(month, INTERVAL 1 DAY) FROM p.d.orders",
        ),
        800,
    );
    exactly(&small("SELECT TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), CURRENT_TIMESTAMP(), MONTH), id FROM p.d.orders"), 800);
}

#[test]
fn a_whole_row_reads_every_column() {
    let estimate = small("SELECT TO_JSON_STRING(c) FROM p.d.customers c");
    exactly(&estimate, 1_000);
    exactly(&small("SELECT c.* FROM p.d.customers c"), 1_000);
    exactly(&small("SELECT ARRAY_AGG(STRUCT(c.customer AS k)) FROM p.d.customers c"), 80);
}

#[test]
fn syntax_of_bigquery_is_accepted() {
    for sql in [
        "#standardSQL\nSELECT id FROM p.d.orders",
        "SELECT id, CURRENT_DATE FROM p.d.orders",
        "SELECT id, r'\\d', \"text\", b'x', DATE '2024-01-01' FROM p.d.orders",
        "SELECT SAFE_CAST(id AS STRING), SAFE.DIV(id, 2), IF(id > 3, 1, NULL) FROM p.d.orders",
        "SELECT [id, 3], (id, 2), STRUCT(id AS a, 3 AS b), STRUCT<a INT64>(id) FROM p.d.orders",
        "SELECT ARRAY(SELECT AS STRUCT id, 3) FROM p.d.orders",
        "SELECT COUNT(DISTINCT id), STRING_AGG(CAST(id AS STRING), ',' ORDER BY id LIMIT 3) FROM p.d.orders",
        "SELECT APPROX_QUANTILES(id, 100)[OFFSET(50)] FROM p.d.orders",
        "SELECT id FROM p.d.orders WHERE id IN UNNEST(@ids) AND id BETWEEN @low AND 3",
        "SELECT id FROM p.d.orders WHERE id IS NOT NULL ORDER BY id DESC NULLS LAST LIMIT 3 OFFSET 2",
        "SELECT LAG(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM p.d.orders",
        "SELECT id, COUNT(*) FROM p.d.orders GROUP BY ROLLUP (id)",
        "SELECT id, COUNT(*) FROM p.d.orders GROUP BY ALL",
        "SELECT DISTINCT id FROM p.d.orders;",
        "SELECT id, FROM p.d.orders",
        "SELECT CASE id WHEN 1 THEN 'one' ELSE @@time_zone END FROM p.d.orders",
        "SELECT EXTRACT(DAYOFWEEK FROM TIMESTAMP_SECONDS(id) AT TIME ZONE 'UTC') FROM p.d.orders",
        "SELECT orders.id FROM p.d.orders",
        "SELECT ORDERS.ID FROM p.d.orders",
        "SELECT `id` FROM p.d.orders AS `o` WHERE `o`.`id` > 1",
        "(SELECT id FROM p.d.orders) UNION ALL (SELECT id FROM p.d.orders) ORDER BY id",
        "SELECT v FROM (SELECT AS VALUE id FROM p.d.orders) AS v",
        "SELECT ANY_VALUE(id HAVING MAX id) FROM p.d.orders",
    ] {
        let catalogue = Catalogue::from_json(SMALL, "small.json").unwrap();
        let estimate = match estimate(sql, &catalogue, 6.25) {
            Ok(estimate) => estimate,
            Err(error) => panic!("{sql}\n{error}"),
        };
        assert_eq!(estimate.processed_bytes, Some(800), "{sql}\n{estimate}");
    }
}

#[test]
fn a_name_that_may_be_a_column_or_a_row_is_an_upper_bound() {
    at_most(&small("SELECT customer FROM p.d.customers AS customer"), 1_000);
}

#[test]
fn pivot_reads_all_columns_of_its_input() {
    let estimate = small(
        "SELECT * FROM (SELECT customer, month, id FROM p.d.orders)
         PIVOT (SUM(id) FOR customer IN (1, 2))",
    );
    at_most(&estimate, 2_400);
}
