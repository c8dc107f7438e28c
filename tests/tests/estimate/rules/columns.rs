//! Which columns the clauses of a query read.

use super::Group;
use super::Truth::{Bound, Exact, Unknown};

const ROWS: u64 = 1000;

pub const GROUPS: &[Group] = &[
    Group {
        rule: "The columns of each clause are read. \
               https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax",
        queries: &[
            ("SELECT b, SUM(i) FROM p.d.flat GROUP BY b", Exact(9 * ROWS)),
            ("SELECT b, SUM(i) AS t FROM p.d.flat GROUP BY 1 HAVING MAX(d) > '2024-01-01'", Exact(17 * ROWS)),
            ("SELECT i FROM p.d.flat ORDER BY ts DESC LIMIT 3", Exact(16 * ROWS)),
            ("SELECT DISTINCT b FROM p.d.flat", Exact(ROWS)),
            ("SELECT i, ROW_NUMBER() OVER (PARTITION BY b ORDER BY ts) FROM p.d.flat", Exact(17 * ROWS)),
            ("SELECT i FROM p.d.flat WHERE TRUE QUALIFY RANK() OVER (ORDER BY f) = 1", Exact(16 * ROWS)),
            ("SELECT SUM(i) OVER w FROM p.d.flat WINDOW w AS (PARTITION BY b ORDER BY f)", Exact(17 * ROWS)),
            ("SELECT b FROM p.d.flat GROUP BY ROLLUP(b)", Exact(ROWS)),
            ("SELECT b, d FROM p.d.flat GROUP BY CUBE(b, d)", Exact(9 * ROWS)),
            ("SELECT b, SUM(i) FROM p.d.flat GROUP BY ALL", Exact(9 * ROWS)),
            ("SELECT * EXCEPT (j) REPLACE (i + 1 AS g) FROM p.d.flat", Exact(234_400 - 30_000 - 40_000)),
            ("SELECT x.i FROM p.d.flat AS x", Exact(8 * ROWS)),
            ("SELECT flat.i FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT i FROM p.d.flat WHERE i IN (SELECT 3)", Exact(8 * ROWS)),
            ("SELECT CASE WHEN b THEN i ELSE opt END FROM p.d.flat", Exact(9 * ROWS + 6_400)),
            ("SELECT IF(b, i, 0) FROM p.d.flat", Exact(9 * ROWS)),
            ("SELECT ARRAY_AGG(i ORDER BY ts LIMIT 3) FROM p.d.flat", Exact(16 * ROWS)),
            ("SELECT STRUCT(i AS a, f AS b).a FROM p.d.flat", Bound(16 * ROWS)),
            ("SELECT EXTRACT(YEAR FROM d), DATE_TRUNC(d, MONTH) FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT i AS date, b AS time FROM p.d.flat", Exact(9 * ROWS)),
        ],
    },
    Group {
        rule: "A column of a subquery or of WITH that is not used is not read. \
               https://cloud.google.com/bigquery/docs/best-practices-performance-compute",
        queries: &[
            ("SELECT i FROM (SELECT * EXCEPT (j) FROM p.d.flat)", Exact(8 * ROWS)),
            ("SELECT x FROM (SELECT i AS x, s AS y FROM p.d.flat)", Exact(8 * ROWS)),
            ("WITH a AS (SELECT i, s FROM p.d.flat) SELECT i FROM a", Exact(8 * ROWS)),
            ("WITH a AS (SELECT i, s FROM p.d.flat), b AS (SELECT * FROM a) SELECT s FROM b", Exact(12_000)),
            ("WITH a AS (SELECT s FROM p.d.flat) SELECT 1", Exact(0)),
            ("WITH a AS (SELECT s FROM p.d.flat), b AS (SELECT i FROM p.d.flat) SELECT i FROM b", Exact(8 * ROWS)),
            ("SELECT COUNT(*) FROM (SELECT i FROM p.d.flat WHERE b)", Exact(ROWS)),
            ("SELECT COUNT(*) FROM (SELECT DISTINCT i FROM p.d.flat)", Exact(8 * ROWS)),
            ("SELECT COUNT(*) FROM (SELECT i, COUNT(*) FROM p.d.flat GROUP BY i)", Exact(8 * ROWS)),
            (
                "SELECT x FROM (SELECT i AS x, s AS y FROM p.d.flat UNION ALL SELECT opt, 'a' FROM p.d.flat)",
                Exact(14_400),
            ),
            ("SELECT i FROM p.d.flat UNION DISTINCT SELECT opt FROM p.d.flat", Exact(14_400)),
            ("SELECT i FROM p.d.flat EXCEPT DISTINCT SELECT opt FROM p.d.flat", Exact(14_400)),
            ("SELECT i FROM p.d.flat INTERSECT DISTINCT SELECT a FROM p.d.snap", Exact(8 * ROWS + 80)),
            ("SELECT i FROM (SELECT i FROM p.d.flat ORDER BY s LIMIT 3)", Exact(8 * ROWS + 12_000)),
            ("SELECT (SELECT MAX(a) FROM p.d.snap) FROM p.d.flat", Exact(80)),
            ("SELECT i FROM p.d.flat WHERE EXISTS (SELECT * FROM p.d.snap WHERE a = i)", Exact(8 * ROWS + 80)),
            ("SELECT ARRAY(SELECT a FROM p.d.snap WHERE a = i) FROM p.d.flat", Exact(8 * ROWS + 80)),
            ("SELECT i FROM p.d.flat WHERE i NOT IN (SELECT a FROM p.d.snap)", Exact(8 * ROWS + 80)),
        ],
    },
    Group {
        rule: "Pipes read what the same clauses read. \
               https://cloud.google.com/bigquery/docs/reference/standard-sql/pipe-syntax",
        queries: &[
            ("FROM p.d.flat |> SELECT i", Exact(8 * ROWS)),
            ("FROM p.d.flat |> WHERE b |> SELECT i", Exact(9 * ROWS)),
            ("FROM p.d.flat |> WHERE b |> AGGREGATE SUM(i) AS t GROUP BY d", Exact(17 * ROWS)),
            ("FROM p.d.flat |> AGGREGATE COUNT(*)", Exact(0)),
            ("FROM p.d.flat AS x |> EXTEND x.i + 1 AS next |> SELECT next", Exact(8 * ROWS)),
            ("FROM p.d.flat |> SELECT i, s |> DROP s", Exact(8 * ROWS)),
            ("FROM p.d.flat |> SELECT i, s |> DISTINCT |> SELECT i", Exact(8 * ROWS + 12_000)),
            ("FROM p.d.flat |> SELECT i, f |> SET f = i |> WHERE f > 3", Exact(8 * ROWS)),
            ("FROM p.d.flat |> SELECT i, s |> RENAME s AS t |> SELECT t", Exact(12_000)),
            ("FROM p.d.flat |> ORDER BY ts |> LIMIT 3 |> SELECT i", Exact(16 * ROWS)),
            ("FROM p.d.flat |> JOIN p.d.snap ON i = a |> SELECT b", Exact(9 * ROWS + 80)),
            ("FROM p.d.flat |> SELECT i |> UNION ALL (SELECT a FROM p.d.snap)", Exact(8 * ROWS + 80)),
            ("FROM p.d.daily |> WHERE day = '2024-01-03' |> SELECT user", Bound(1_600)),
        ],
    },
    Group {
        rule: "A table or column that is not in the catalogue has unknown bytes. \
               https://cloud.google.com/bigquery/docs/estimate-costs",
        queries: &[
            ("SELECT x FROM p.d.nowhere", Unknown),
            ("SELECT i FROM p.d.flat JOIN p.d.nowhere ON i = x", Unknown),
            ("SELECT nope FROM p.d.flat", Unknown),
            ("SELECT flat.nope FROM p.d.flat", Unknown),
        ],
    },
];
