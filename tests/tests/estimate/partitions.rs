//! Partitions, views and wildcard tables.

use obs_runtime::bigquery::estimate::{Catalogue, Estimate, Estimator, Figure};

use crate::support::moment;

/// Three days of 10 rows and a streaming buffer, ranges of 100, a view, and a wildcard of two tables.
const CATALOGUE: &str = r#"{ "tables": [
  { "name": "p.d.events", "as_of": "2024-01-04T00:00:00Z", "rows": 35, "bytes": 700, "partition_column": "day",
    "partitions": [
      { "id": "20240101", "rows": 10, "bytes": 200 }, { "id": "20240102", "rows": 10, "bytes": 200 },
      { "id": "20240103", "rows": 10, "bytes": 200 }, { "id": "__UNPARTITIONED__", "rows": 5, "bytes": 100 },
      { "id": "__NULL__", "rows": 0, "bytes": 0 } ],
    "sources": { "rows": "made up", "bytes": "made up", "columns": "made up" },
    "columns": [ { "name": "day", "type": "DATE", "mode": "REQUIRED" }, { "name": "user", "type": "INT64", "mode": "REQUIRED" },
                 { "name": "note", "type": "STRING" } ] },
  { "name": "p.d.ranges", "rows": 20, "partition_column": "id", "partition_width": 100,
    "partitions": [ { "id": "0", "rows": 10, "bytes": 80 }, { "id": "100", "rows": 10, "bytes": 80 } ],
    "sources": { "rows": "made up", "columns": "made up" },
    "columns": [ { "name": "id", "type": "INT64", "mode": "REQUIRED" } ] },
  { "name": "p.d.recent", "view": "SELECT user, day FROM `p.d.events` WHERE day >= '2024-01-03'",
    "sources": { "columns": "made up" }, "columns": [] },
  { "name": "p.d.loop", "view": "SELECT * FROM `p.d.loop`", "sources": { "columns": "made up" }, "columns": [] },
  { "name": "p.d.log_2023", "rows": 4, "sources": { "rows": "made up", "columns": "made up" },
    "columns": [ { "name": "code", "type": "INT64", "mode": "REQUIRED" } ] },
  { "name": "p.d.log_2024", "rows": 6, "sources": { "rows": "made up", "columns": "made up" },
    "columns": [ { "name": "code", "type": "INT64", "mode": "REQUIRED" }, { "name": "size", "type": "INT64", "mode": "REQUIRED" } ] },
  { "name": "p.d.log_*", "members": ["p.d.log_2023", "p.d.log_2024"], "sources": { "columns": "made up" },
    "columns": [ { "name": "_TABLE_SUFFIX", "type": "STRING" }, { "name": "code", "type": "INT64" }, { "name": "size", "type": "INT64" } ] }
] }"#;

fn estimated(sql: &str) -> Estimate {
    let catalogue = Catalogue::from_json(CATALOGUE, "made-up.json").unwrap();
    Estimator::new(&catalogue).now(moment("2024-01-04T00:00:00Z")).estimate(sql).unwrap()
}

#[track_caller]
fn at_most(sql: &str, bytes: u64) {
    let estimate = estimated(sql);
    assert_eq!((estimate.processed_bytes, &estimate.figure), (Some(bytes), &Figure::UpperBound), "{sql}\n{estimate}");
}

#[test]
fn a_filter_with_constants_excludes_partitions() {
    // The 5 rows of the streaming buffer may be of any day.
    for (filter, rows) in [
        ("day = '2024-01-02'", 15),
        ("day = DATE '2024-01-02' AND user > 3", 15),
        ("'2024-01-02' <= day", 25),
        ("day > '2024-01-03'", 5),
        ("day < '2024-01-02'", 15),
        ("day BETWEEN '2024-01-01' AND '2024-01-02'", 25),
        ("day IN ('2024-01-01', '2024-01-03')", 25),
        ("(day >= '2024-01-02') AND (day < '2024-01-03')", 15),
        ("day = '2031-01-01'", 5),
        ("e.day = '2024-01-02'", 15),
    ] {
        at_most(&format!("SELECT user FROM p.d.events AS e WHERE {filter}"), rows * 16);
    }
    // The 300 bytes of 15 rows without the two columns of fixed width, and the column of the filter.
    at_most("SELECT note FROM p.d.events WHERE day = '2024-01-02'", (300 - 15 * 16) + 15 * 8);
    at_most("SELECT id FROM p.d.ranges WHERE id = 150", 80);
    at_most("SELECT id FROM p.d.ranges WHERE id < -5", 0);
}

#[test]
fn other_filters_exclude_no_partition() {
    for filter in [
        "day = '2024-01-02' OR user = 3",
        "day BETWEEN '2024-01-02' AND (SELECT MAX(day) FROM p.d.events)",
        "day BETWEEN '2024-01-02' AND DATE_ADD(day, INTERVAL 1 DAY)",
        "NOT day = '2024-01-02'",
        "day != '2024-01-02'",
        "day = @day",
        "DATE_ADD(day, INTERVAL 1 DAY) = '2024-01-02'",
        "day NOT IN ('2024-01-02')",
        "day >= (SELECT MIN(day) FROM p.d.events)",
    ] {
        at_most(&format!("SELECT user FROM p.d.events WHERE {filter}"), 35 * 16);
    }
    at_most("SELECT a.user FROM p.d.events a JOIN p.d.events b ON a.user = b.user WHERE a.day = '2024-01-02'", 35 * 16);
    at_most(
        "SELECT a.id, b.user FROM p.d.ranges a LEFT JOIN p.d.events b ON a.id = b.user WHERE b.day = '2024-01-02'",
        160 + 35 * 16,
    );
    at_most("SELECT user FROM p.d.events WHERE day = '2024-01-02' UNION ALL SELECT user FROM p.d.events", 35 * 16);
}

#[test]
fn partitions_read_by_two_uses_are_summed() {
    at_most(
        "SELECT user FROM p.d.events WHERE day = '2024-01-01' UNION ALL SELECT user FROM p.d.events WHERE day = '2024-01-03'",
        25 * 16,
    );
}

#[test]
fn a_view_reads_what_its_query_reads() {
    at_most("SELECT user FROM p.d.recent", 15 * 16);
    at_most("SELECT COUNT(*) FROM p.d.recent AS r", 15 * 8);
    let looped = estimated("SELECT * FROM p.d.loop");
    assert!(looped.to_string().contains("names itself"), "{looped}");
}

#[test]
fn a_wildcard_reads_all_its_tables() {
    let estimate = estimated("SELECT code, size FROM `p.d.log_*`");
    assert_eq!(estimate.processed_bytes, Some(4 * 8 + 6 * 16), "{estimate}");
    assert_eq!(estimate.billed_bytes, Some(20 << 20));
}

#[test]
fn a_filter_on_the_suffix_excludes_tables_of_a_wildcard() {
    let code_and_suffix = 8;
    for (filter, rows) in [
        ("_TABLE_SUFFIX = '2024'", 6),
        ("'2023' = _TABLE_SUFFIX AND code > 3", 4),
        ("_TABLE_SUFFIX >= '2024'", 6),
        ("_TABLE_SUFFIX < '2024'", 4),
        ("_TABLE_SUFFIX BETWEEN '2023' AND '2023'", 4),
        ("_TABLE_SUFFIX IN ('2022', '2023')", 4),
        ("(_TABLE_SUFFIX = '2023' OR _TABLE_SUFFIX = '2021')", 4),
        ("l._TABLE_SUFFIX LIKE '2024%'", 6),
        ("STARTS_WITH(_TABLE_SUFFIX, '202')", 10),
        ("_TABLE_SUFFIX = FORMAT_DATE('%Y', CURRENT_DATE())", 6),
        ("_TABLE_SUFFIX = '1999'", 0),
        // Other filters exclude none.
        ("_TABLE_SUFFIX = '2024' OR code = 3", 10),
        ("_TABLE_SUFFIX = @year", 10),
        ("NOT _TABLE_SUFFIX = '2024'", 10),
        ("_TABLE_SUFFIX != '2024'", 10),
        ("_TABLE_SUFFIX LIKE '%4'", 10),
        ("_TABLE_SUFFIX NOT IN ('2024')", 10),
        ("CAST(_TABLE_SUFFIX AS INT64) = 2024", 10),
        ("_TABLE_SUFFIX = (SELECT '2024')", 10),
    ] {
        let sql = format!("SELECT code FROM `p.d.log_*` AS l WHERE {filter}");
        let bytes = estimated(&sql).processed_bytes;
        assert_eq!(bytes, Some(rows * code_and_suffix), "{sql}");
    }
    // The filter applies to one of two uses, or outside of the use.
    at_most(
        "SELECT a.code FROM `p.d.log_*` a LEFT JOIN `p.d.log_*` b ON a.code = b.code WHERE b._TABLE_SUFFIX = '2024'",
        10 * code_and_suffix,
    );
    at_most("SELECT code FROM (SELECT *, _TABLE_SUFFIX AS s FROM `p.d.log_*`) WHERE s = '2024'", 6 * code_and_suffix);
}

#[test]
fn advice_is_given_for_expensive_queries() {
    let large = CATALOGUE.replace("\"rows\": 35, \"bytes\": 700", "\"rows\": 3500000, \"bytes\": 70000000").replace(
        "{ \"id\": \"20240101\", \"rows\": 10, \"bytes\": 200 }",
        "{ \"id\": \"20240101\", \"rows\": 3499975, \"bytes\": 69999500 }",
    );
    let catalogue = Catalogue::from_json(&large, "large.json").unwrap();
    let advice = |sql| Estimator::new(&catalogue).now(moment("2024-01-04T00:00:00Z")).estimate(sql).unwrap().advice;
    let all = advice("SELECT * FROM p.d.events");
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].contains("`day` with constants") && all[1].contains("all 3 columns"), "{all:?}");
    assert!(advice("SELECT user FROM p.d.events WHERE day = '2024-01-01'").is_empty());
    assert!(estimated("SELECT * FROM p.d.events").advice.is_empty());
}

#[test]
fn a_constant_in_any_script_is_compared_and_excludes_nothing_that_it_does_not_name() {
    for text in ["日本日本", "ééééé-é", "2024-01-é2", "🦀🦀🦀", "2024-01-02T00:00:00日", "１２３４-０１-０２", ""]
    {
        for filter in
            [format!("day = '{text}'"), format!("day BETWEEN '{text}' AND '2024-01-02'"), format!("'{text}' < day")]
        {
            let estimate = estimated(&format!("SELECT user FROM p.d.events WHERE {filter}"));
            assert!(estimate.processed_bytes.is_some_and(|bytes| bytes <= 35 * 16), "{filter}\n{estimate}");
        }
        for filter in [format!("LIKE '{text}%'"), format!("= '{text}'"), format!("> '{text}'")] {
            estimated(&format!("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX {filter}"));
        }
    }
}
