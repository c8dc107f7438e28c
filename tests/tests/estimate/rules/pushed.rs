//! Filters outside of the query that reads the table.

use super::Group;
use super::Truth::{Bound, Far};

const DAY: u64 = 1_600;

pub const GROUPS: &[Group] = &[
    Group {
        rule: "A filter on a column that passes through a subquery, a view or WITH unchanged prunes the table inside. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables",
        queries: &[
            ("SELECT user FROM (SELECT * FROM p.d.daily) WHERE day = '2024-01-03'", Bound(DAY)),
            ("SELECT u FROM (SELECT day AS x, user AS u FROM p.d.daily) AS q WHERE q.x = '2024-01-03'", Bound(DAY)),
            (
                "WITH a AS (SELECT day, user FROM p.d.daily) SELECT user FROM a WHERE day >= '2024-01-09'",
                Bound(2 * DAY),
            ),
            (
                "WITH a AS (SELECT day, user FROM p.d.daily), b AS (SELECT * FROM a WHERE day < '2024-01-05')
                 SELECT user FROM b WHERE day > '2024-01-02'",
                Bound(2 * DAY),
            ),
            ("SELECT user FROM p.d.v_daily WHERE day = '2024-01-03'", Bound(DAY)),
            ("SELECT user FROM p.d.v_recent", Bound(5 * DAY)),
            ("SELECT user FROM p.d.v_recent WHERE on_day = '2024-01-07'", Bound(DAY)),
            ("SELECT user FROM p.d.v_recent WHERE on_day = '2024-01-03'", Bound(0)),
            ("SELECT users FROM p.d.v_sums WHERE day = '2024-01-03'", Bound(DAY)),
            ("SELECT v FROM p.d.v_loaded WHERE loaded = TIMESTAMP('2024-01-02')", Bound(320)),
            ("SELECT v FROM p.d.v_loaded WHERE DATE(loaded) > '2024-01-01'", Bound(800)),
            (
                "SELECT user FROM (SELECT day, user FROM p.d.daily UNION ALL SELECT day, v FROM p.d.monthly)
                   WHERE day = '2024-01-03'",
                Bound(DAY + 160),
            ),
            (
                "SELECT s FROM (SELECT day, SUM(user) AS s FROM p.d.daily GROUP BY day) WHERE day = '2024-01-03'",
                Bound(DAY),
            ),
            ("FROM p.d.daily |> SELECT day, user |> WHERE day = '2024-01-03'", Bound(DAY)),
            ("FROM p.d.daily |> AGGREGATE SUM(user) GROUP BY day |> WHERE day = '2024-01-03'", Bound(DAY)),
            (
                "SELECT d.user FROM (SELECT day, user FROM p.d.daily) d JOIN p.d.snap ON d.user = a
                   AND d.day = '2024-01-03'",
                Bound(DAY + 80),
            ),
        ],
    },
    Group {
        rule: "Two uses of one table read the partitions of both. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables",
        queries: &[
            (
                "SELECT user FROM p.d.daily WHERE day = '2024-01-01' UNION ALL
                 SELECT user FROM p.d.daily WHERE day = '2024-01-03'",
                Bound(2 * DAY),
            ),
            (
                "WITH a AS (SELECT * FROM p.d.daily) SELECT user FROM a WHERE day = '2024-01-01' UNION ALL
                 SELECT user FROM a WHERE day = '2024-01-03'",
                Bound(2 * DAY),
            ),
            (
                "WITH a AS (SELECT * FROM p.d.daily) SELECT x.user FROM a x JOIN a y ON x.user = y.user
                   WHERE x.day = '2024-01-01'",
                Bound(10 * DAY),
            ),
            (
                "SELECT user FROM p.d.daily WHERE day = '2024-01-01' UNION ALL SELECT user FROM p.d.daily",
                Bound(10 * DAY),
            ),
            (
                "SELECT user FROM p.d.daily WHERE day = '2024-01-01' AND user IN (SELECT user FROM p.d.daily)",
                Bound(10 * DAY),
            ),
        ],
    },
    Group {
        rule: "A filter does not move before what is computed over several rows. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables#use_a_constant_filter_expression",
        queries: &[
            ("SELECT user FROM (SELECT day, user FROM p.d.daily LIMIT 10) WHERE day = '2024-01-03'", Bound(10 * DAY)),
            ("SELECT place FROM p.d.v_ranked WHERE day = '2024-01-03'", Bound(10 * DAY)),
            (
                "SELECT d FROM (SELECT MAX(day) AS d, user FROM p.d.daily GROUP BY user) WHERE d = '2024-01-03'",
                Bound(10 * DAY),
            ),
            (
                "SELECT user FROM (SELECT DATE_ADD(day, INTERVAL 1 DAY) AS day, user FROM p.d.daily)
                   WHERE day = '2024-01-03'",
                Bound(10 * DAY),
            ),
            (
                "SELECT user FROM (SELECT a, day, user FROM p.d.snap LEFT JOIN p.d.daily ON a = user)
                   WHERE day = '2024-01-03'",
                Far(80 + DAY),
            ),
            ("FROM p.d.daily |> LIMIT 10 |> WHERE day = '2024-01-03' |> SELECT user", Bound(10 * DAY)),
        ],
    },
];
