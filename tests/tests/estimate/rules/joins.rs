//! Joins.

use super::Group;
use super::Truth::{Bound, Exact, Far};

const ROWS: u64 = 1000;
/// A day of `daily`, with its two columns of 8 bytes.
const DAY: u64 = 1_600;

pub const GROUPS: &[Group] = &[
    Group {
        rule: "A join reads the columns of both sides, and a table that is named twice once. \
               https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#join_types",
        queries: &[
            ("SELECT b FROM p.d.flat JOIN p.d.snap ON i = a", Exact(9 * ROWS + 80)),
            ("SELECT b FROM p.d.flat LEFT JOIN p.d.snap ON i = a", Exact(9 * ROWS + 80)),
            ("SELECT b FROM p.d.flat RIGHT JOIN p.d.snap ON i = a", Exact(9 * ROWS + 80)),
            ("SELECT b FROM p.d.flat FULL JOIN p.d.snap ON i = a", Exact(9 * ROWS + 80)),
            ("SELECT b FROM p.d.flat CROSS JOIN p.d.snap", Exact(ROWS)),
            ("SELECT b FROM p.d.flat, p.d.snap WHERE i = a", Exact(9 * ROWS + 80)),
            ("SELECT x.i FROM p.d.flat x JOIN p.d.flat y ON x.i = y.i", Exact(8 * ROWS)),
            ("SELECT x.i FROM p.d.flat x JOIN p.d.flat y ON x.i = y.opt", Exact(8 * ROWS + 6_400)),
            ("SELECT x.b FROM p.d.flat x JOIN p.d.flat y USING (i)", Exact(9 * ROWS)),
            ("SELECT i FROM (p.d.flat JOIN p.d.snap ON i = a)", Exact(8 * ROWS + 80)),
        ],
    },
    Group {
        rule: "A filter on one side of a join prunes the partitions of that side. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables",
        queries: &[
            ("SELECT a FROM p.d.snap JOIN p.d.daily ON a = user AND day = '2024-01-03'", Bound(80 + DAY)),
            ("SELECT a FROM p.d.snap JOIN p.d.daily ON a = user WHERE day = '2024-01-03'", Bound(80 + DAY)),
            ("SELECT a FROM p.d.snap, p.d.daily WHERE a = user AND day = '2024-01-03'", Bound(80 + DAY)),
            ("SELECT a FROM p.d.snap LEFT JOIN p.d.daily ON a = user AND day = '2024-01-03'", Bound(80 + DAY)),
            ("SELECT user FROM p.d.daily LEFT JOIN p.d.snap ON a = user WHERE day = '2024-01-03'", Bound(80 + DAY)),
            ("SELECT a FROM p.d.daily RIGHT JOIN p.d.snap ON a = user AND day = '2024-01-03'", Bound(80 + DAY)),
            (
                "SELECT x.user FROM p.d.daily x JOIN p.d.daily y ON x.user = y.user
                   WHERE x.day = '2024-01-03' AND y.day = '2024-01-04'",
                Bound(2 * DAY),
            ),
            (
                "SELECT x.user FROM p.d.daily x JOIN p.d.daily y ON x.user = y.user AND x.day = '2024-01-03'
                   AND y.day = '2024-01-03'",
                Bound(DAY),
            ),
        ],
    },
    Group {
        rule: "A filter does not prune the side whose rows an outer join keeps, nor by the column of another table. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables#use_a_constant_filter_expression",
        queries: &[
            ("SELECT user FROM p.d.daily LEFT JOIN p.d.snap ON a = user AND day = '2024-01-03'", Bound(80 + 10 * DAY)),
            ("SELECT user FROM p.d.daily FULL JOIN p.d.snap ON a = user AND day = '2024-01-03'", Bound(80 + 10 * DAY)),
            ("SELECT a FROM p.d.snap RIGHT JOIN p.d.daily ON a = user AND day = '2024-01-03'", Bound(80 + 10 * DAY)),
            ("SELECT x.user FROM p.d.daily x JOIN p.d.monthly y ON x.day = y.day", Bound(10 * DAY + 100 * 8)),
            (
                "SELECT x.user FROM p.d.daily x JOIN p.d.daily y ON x.user = y.user WHERE x.day = '2024-01-03'",
                Bound(10 * DAY),
            ),
            // BigQuery may prune by it, which the documentation does not promise.
            ("SELECT a FROM p.d.snap LEFT JOIN p.d.daily ON a = user WHERE day = '2024-01-03'", Far(80 + DAY)),
        ],
    },
];
