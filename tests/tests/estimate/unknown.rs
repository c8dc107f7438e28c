//! Queries whose cost is unknown, with the reason.

use crate::support::{SHAKESPEARE, shipped, small, unknown};

#[test]
fn a_table_that_is_not_in_the_catalogue_is_unknown() {
    let estimate = small("SELECT o.id, x.y FROM p.d.orders o JOIN `p.d.elsewhere` x ON o.id = x.id");
    unknown(&estimate, "p.d.elsewhere: the table is not in the catalogue");
    assert_eq!(estimate.tables[1].table, "p.d.orders");
    assert_eq!(estimate.tables[1].bytes, Some(800));
    assert_eq!(estimate.tables[0].columns, ["id", "y"]);
    unknown(&shipped("SELECT word FROM samples.shakespeare"), SHAKESPEARE);
}

#[test]
fn a_wildcard_table_is_unknown() {
    let estimate = shipped("SELECT mean_temp FROM `bigquery-public-data.samples.gs*`");
    unknown(&estimate, "wildcard");
}

#[test]
fn a_column_that_does_not_exist_is_unknown() {
    unknown(&shipped("SELECT wrod FROM `bigquery-public-data.samples.shakespeare`"), "`wrod`");
    unknown(&small("SELECT o.nope FROM p.d.orders o, UNNEST(o.tags) AS t"), "`o.nope`");
    unknown(&small("SELECT q.nope FROM (SELECT id FROM p.d.orders) q"), "`q.nope`");
    unknown(&small("SELECT nope FROM (SELECT id FROM p.d.orders)"), "`nope`");
}

#[test]
fn unsupported_syntax_is_unknown() {
    unknown(&small("SELECT * FROM p.d.make_rows(3)"), "make_rows");
    unknown(&small("SELECT id FROM p.d.orders FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01'"), "at another time");
    unknown(
        &small(
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9)
                SELECT n FROM r",
        ),
        "recursive `r`",
    );
}
