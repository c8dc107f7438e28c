//! Subqueries, unions and `WITH` queries.

use crate::support::{CORPUS, CORPUS_DATE, MIB, WORD_COUNT, at_most, exactly, shipped, small};

#[test]
fn a_subquery_reads_only_the_columns_that_are_used() {
    let estimate = shipped(
        "SELECT n FROM (SELECT *, word_count AS n FROM `bigquery-public-data.samples.shakespeare`
                        WHERE corpus_date > 1600)",
    );
    exactly(&estimate, WORD_COUNT + CORPUS_DATE);
}

#[test]
fn distinct_uses_every_column() {
    let estimate = shipped(
        "SELECT COUNT(*) FROM (SELECT DISTINCT corpus, corpus_date
                               FROM `bigquery-public-data.samples.shakespeare`)",
    );
    exactly(&estimate, CORPUS + CORPUS_DATE);
}

#[test]
fn with_queries_may_be_nested_and_shadowed() {
    let estimate = shipped(
        "WITH a AS (SELECT word, corpus FROM `bigquery-public-data.samples.shakespeare`),
              b AS (WITH a AS (SELECT corpus_date AS word
                               FROM `bigquery-public-data.samples.shakespeare`)
                    SELECT word FROM a)
         SELECT word FROM b",
    );
    exactly(&estimate, CORPUS_DATE);
    let outer = shipped(
        "WITH a AS (SELECT word, corpus FROM `bigquery-public-data.samples.shakespeare`),
              a2 AS (SELECT * FROM a)
         SELECT A2.corpus FROM a2",
    );
    exactly(&outer, CORPUS);
}

#[test]
fn an_unused_with_query_is_not_read() {
    let estimate = shipped(
        "WITH unused AS (SELECT * FROM `p.d.nowhere`)
         SELECT word_count FROM `bigquery-public-data.samples.shakespeare`",
    );
    exactly(&estimate, WORD_COUNT);
    assert_eq!(estimate.tables.len(), 1);
}

#[test]
fn a_table_used_twice_is_read_once() {
    let estimate = shipped(
        "SELECT a.word_count FROM `bigquery-public-data.samples.shakespeare` a
         JOIN `bigquery-public-data.samples.shakespeare` b ON a.corpus_date = b.corpus_date",
    );
    exactly(&estimate, WORD_COUNT + CORPUS_DATE);
    assert_eq!(estimate.billed_bytes, Some(10 * MIB));
}

#[test]
fn union_all_reads_column_by_column() {
    let estimate = small(
        "SELECT x FROM (SELECT id AS x, amount AS y FROM p.d.orders
                        UNION ALL SELECT customer, 0 FROM p.d.customers)",
    );
    exactly(&estimate, 800 + 80);
    assert_eq!(estimate.billed_bytes, Some(20 * MIB));
}

#[test]
fn union_distinct_intersect_and_except_read_whole_rows() {
    for operator in ["UNION DISTINCT", "INTERSECT DISTINCT", "EXCEPT DISTINCT"] {
        let estimate = small(&format!(
            "SELECT x FROM (SELECT id AS x, customer AS y FROM p.d.orders
                            {operator} SELECT customer, 0 FROM p.d.customers)"
        ));
        exactly(&estimate, 1_600 + 80);
    }
}

#[test]
fn subqueries_in_expressions_may_use_outer_columns() {
    let estimate = small(
        "SELECT (SELECT MAX(o.amount) FROM p.d.orders o WHERE o.customer = c.customer) AS top
         FROM p.d.customers c",
    );
    exactly(&estimate, 90 * 16 + 800 + 80);
    let member = small("SELECT id FROM p.d.orders WHERE customer IN (SELECT customer FROM p.d.customers)");
    exactly(&member, 1_600 + 80);
}

#[test]
fn exists_uses_no_column_of_the_select_list() {
    let estimate = small(
        "SELECT 1 FROM p.d.customers c
         WHERE EXISTS (SELECT * FROM p.d.orders o WHERE o.customer = c.customer)",
    );
    exactly(&estimate, 800 + 80);
}

#[test]
fn with_recursive_without_recursion_is_an_ordinary_query() {
    exactly(&small("WITH RECURSIVE r AS (SELECT id FROM p.d.orders) SELECT id FROM r"), 800);
}

#[test]
fn the_order_of_a_subquery_without_limit_may_be_skipped() {
    at_most(&small("SELECT id FROM (SELECT id FROM p.d.orders ORDER BY customer)"), 1_600);
    exactly(&small("SELECT id FROM (SELECT id FROM p.d.orders ORDER BY customer LIMIT 3)"), 1_600);
    exactly(&small("SELECT id FROM p.d.orders ORDER BY customer"), 1_600);
}

#[test]
fn columns_that_double_with_every_step_are_estimated_in_time() {
    let steps = (1..40).map(|i| format!(", a{i} AS (SELECT * FROM a{0} x CROSS JOIN a{0} y)", i - 1));
    let steps: String = steps.collect();
    let sql = format!("WITH a0 AS (SELECT id, customer FROM p.d.orders){steps} SELECT id FROM a39");
    at_most(&small(&sql), 1_600);
}
