//! SQL that is read, and SQL of which it is unknown what it reads: no valid query is a parse error.

use obs_runtime::bigquery::estimate::{Catalogue, Figure, estimate};

use crate::support::SMALL;

/// Queries that read the 800 bytes of `id` and nothing else.
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax>,
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical-structure>,
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all>
const READ: &[&str] = &[
    // Prefixes and namespaces of functions.
    "SELECT SAFE.SUBSTR(CAST(id AS STRING), 0, 2) FROM p.d.orders",
    "SELECT SAFE.PARSE_DATE('%Y', CAST(id AS STRING)), NET.HOST('x'), id FROM p.d.orders",
    "SELECT HLL_COUNT.EXTRACT(HLL_COUNT.INIT(id)), KEYS.NEW_KEYSET('AEAD_AES_GCM_256') FROM p.d.orders",
    "SELECT SAFE.LEFT(CAST(id AS STRING), 2), SAFE.RIGHT('x', 1) FROM p.d.orders",
    "SELECT SAFE.TIMESTAMP('x'), SAFE.DATE('x'), SAFE.DATETIME('x'), id FROM p.d.orders",
    "SELECT SAFE.TIMESTAMP_SECONDS(id), SAFE.LOG(id), SAFE.REPLACE('a', 'b', 'c') FROM p.d.orders",
    // Literals and constructors.
    "SELECT ARRAY<INT64>[id, 2], ARRAY<STRING>['x'], [1, 2] FROM p.d.orders",
    "SELECT ARRAY<STRUCT<a INT64, b STRING>>[(id, 'x')], ARRAY<INT64>[] FROM p.d.orders",
    "SELECT RANGE<DATE> '[2024-01-01, 2024-02-01)', RANGE(DATE '2024-01-01', NULL), id FROM p.d.orders",
    "SELECT RANGE<TIMESTAMP> '[UNBOUNDED, 2024-02-01 00:00:00+00)', id FROM p.d.orders",
    "SELECT STRUCT<INT64, STRING>(id, 'x'), STRUCT<a INT64, b ARRAY<STRING>>(id, ['y']) FROM p.d.orders",
    "SELECT NUMERIC '1.5', BIGNUMERIC '2', JSON '{\"a\": 1}', DATE '2024-01-01', id FROM p.d.orders",
    "SELECT DATETIME '2024-01-01 10:00:00', TIMESTAMP '2024-01-01', TIME '10:00:00', id FROM p.d.orders",
    "SELECT INTERVAL 3 DAY, INTERVAL '1-2' YEAR TO MONTH, INTERVAL -id HOUR FROM p.d.orders",
    "SELECT b'x', rb'\\d', br\"x\", R'''a'b''', '''x\ny''', \"\"\"z\"\"\", id FROM p.d.orders",
    "SELECT 0xFF, 1e3, .5, 5., 1.5E-3, TRUE, NULL, id FROM p.d.orders",
    "SELECT 'it''s', 'a\\'b', \"q\\\"r\", id FROM p.d.orders",
    "SELECT @@session_id, @@query_label, @x, id FROM p.d.orders WHERE id = @y",
    "SELECT id FROM p.d.orders WHERE id = ? AND id < ?",
    // Operators and expressions.
    "SELECT id || '', id << 2, id & 3, ~id, id ^ 1, id <> 2, id != 3, -id, +id FROM p.d.orders",
    "SELECT id IS DISTINCT FROM 3, id IS NOT DISTINCT FROM NULL FROM p.d.orders",
    "SELECT id IS TRUE, id IS NOT FALSE, id IS UNKNOWN FROM p.d.orders",
    "SELECT CAST(id AS STRING) LIKE ANY ('a%', 'b%'), CAST(id AS STRING) LIKE ALL ('a%') FROM p.d.orders",
    "SELECT CAST(id AS STRING) LIKE SOME UNNEST(['a']), CAST(id AS STRING) NOT LIKE 'x' FROM p.d.orders",
    "SELECT CAST(id AS STRING) COLLATE 'und:ci' FROM p.d.orders",
    "SELECT CAST(id AS STRING FORMAT '999'), CAST(id AS NUMERIC(10, 2)), CAST(id AS STRING(5)) FROM p.d.orders",
    "SELECT SAFE_CAST(id AS FLOAT64), SAFE_CAST('x' AS DATE FORMAT 'YYYY') FROM p.d.orders",
    "SELECT IF(id > 1, 'a', 'b'), IFNULL(id, 0), COALESCE(id, 1), NULLIF(id, 2) FROM p.d.orders",
    "SELECT CASE WHEN id > 1 THEN 1 ELSE 0 END, CASE id WHEN 1 THEN 2 END FROM p.d.orders",
    "SELECT EXTRACT(ISOWEEK FROM TIMESTAMP_SECONDS(id)), EXTRACT(WEEK(MONDAY) FROM CURRENT_DATE()) FROM p.d.orders",
    "SELECT EXTRACT(DATE FROM TIMESTAMP_SECONDS(id) AT TIME ZONE 'Asia/Tokyo') FROM p.d.orders",
    "SELECT EXTRACT(DAYOFYEAR FROM CURRENT_DATE()), EXTRACT(MICROSECOND FROM TIMESTAMP_SECONDS(id)) FROM p.d.orders",
    "SELECT CURRENT_TIMESTAMP, CURRENT_DATETIME('UTC'), CURRENT_TIME(), id FROM p.d.orders",
    "SELECT ARRAY(SELECT x FROM UNNEST([id]) AS x WHERE x > 0 ORDER BY x) FROM p.d.orders",
    "SELECT (SELECT AS STRUCT id, 2 AS b).b FROM p.d.orders",
    "SELECT STRUCT(id AS a).a, [STRUCT(id AS a)][OFFSET(0)].a, [id][SAFE_ORDINAL(1)], [id][0] FROM p.d.orders",
    "SELECT (id, 2) IN ((1, 2), (3, 4)), (1, id) = (1, 2) FROM p.d.orders",
    "SELECT id IN UNNEST([1, 2]), id NOT IN (1), id BETWEEN 1 AND 2, NOT id = 3 FROM p.d.orders",
    "SELECT JSON_VALUE(TO_JSON(STRUCT(id AS a)), '$.a'), TO_JSON(STRUCT(id AS a)).a, JSON '{}'['x'] FROM p.d.orders",
    "SELECT ARRAY_TRANSFORM([id], e -> e + 1), ARRAY_FILTER([id], (e, i) -> e > i) FROM p.d.orders",
    "SELECT ST_GEOGPOINT(id, 2), GENERATE_ARRAY(1, id), GENERATE_DATE_ARRAY('2024-01-01', '2024-01-02') FROM p.d.orders",
    "SELECT GENERATE_DATE_ARRAY('2024-01-01', '2024-03-01', INTERVAL 1 MONTH), id FROM p.d.orders",
    "SELECT DATE_BUCKET(CURRENT_DATE(), INTERVAL 2 DAY), TIMESTAMP_BUCKET(TIMESTAMP_SECONDS(id), INTERVAL 1 HOUR) FROM p.d.orders",
    "SELECT NORMALIZE(CAST(id AS STRING), NFKC), TRIM(CAST(id AS STRING), 'x') FROM p.d.orders",
    // Aggregates and windows.
    "SELECT COUNT(DISTINCT id), ARRAY_AGG(id IGNORE NULLS ORDER BY id DESC LIMIT 3)[OFFSET(0)] FROM p.d.orders",
    "SELECT ARRAY_AGG(DISTINCT id), ARRAY_CONCAT_AGG([id]), STRING_AGG(CAST(id AS STRING)) FROM p.d.orders",
    "SELECT ANY_VALUE(id HAVING MIN id), COUNTIF(id > 3), APPROX_TOP_COUNT(id, 3) FROM p.d.orders",
    "SELECT MAX_BY(id, id), APPROX_COUNT_DISTINCT(id), LOGICAL_OR(id > 3), GROUPING(id) FROM p.d.orders GROUP BY ROLLUP(id)",
    "SELECT FIRST_VALUE(id IGNORE NULLS) OVER (PARTITION BY id ORDER BY id) FROM p.d.orders",
    "SELECT LAST_VALUE(id RESPECT NULLS) OVER w FROM p.d.orders WINDOW w AS (ORDER BY id)",
    "SELECT SUM(id) OVER (w ROWS 2 PRECEDING), COUNT(*) OVER () FROM p.d.orders WINDOW w AS (ORDER BY id)",
    "SELECT SUM(id) OVER (ORDER BY id RANGE BETWEEN 3 PRECEDING AND 3 FOLLOWING) FROM p.d.orders",
    "SELECT PERCENTILE_CONT(id, 0.5) OVER (), PERCENTILE_DISC(id, 0.9 IGNORE NULLS) OVER () FROM p.d.orders",
    "SELECT NTILE(4) OVER (ORDER BY id), LEAD(id, 1, 0) OVER (ORDER BY id) FROM p.d.orders",
    "SELECT id, SUM(id) FROM p.d.orders GROUP BY GROUPING SETS (id, ())",
    "SELECT id FROM p.d.orders GROUP BY CUBE(id)",
    "SELECT id FROM p.d.orders GROUP BY ALL HAVING COUNT(*) > 1 QUALIFY ROW_NUMBER() OVER (ORDER BY id) < 3",
    // Clauses of a query.
    "SELECT ALL id FROM p.d.orders",
    "SELECT DISTINCT AS STRUCT id FROM p.d.orders",
    "SELECT AS STRUCT id, 1 AS one FROM p.d.orders",
    "SELECT AS VALUE STRUCT(id AS a) FROM p.d.orders",
    "SELECT x.* EXCEPT (b) FROM (SELECT id, 1 AS b FROM p.d.orders) AS x",
    "SELECT STRUCT(id AS a, 2 AS b).* EXCEPT (b) FROM p.d.orders",
    "SELECT id, FROM p.d.orders LIMIT 3 OFFSET 1",
    "SELECT id AS `select` FROM `p.d.orders` AS `from` ORDER BY `select` ASC NULLS FIRST",
    "SELECT id FROM p.d.orders ORDER BY id COLLATE 'und:ci'",
    "SELECT id FROM p.d.orders ORDER BY ALL",
    "SELECT id value, id AS offset, id AS date, id AS timestamp FROM p.d.orders",
    "SELECT id FROM p.d.orders TABLESAMPLE SYSTEM (100 PERCENT)",
    "SELECT id FROM p.d.orders, UNNEST([1, 2]) AS n WITH OFFSET AS o WHERE n > o",
    "SELECT id FROM p.d.orders LEFT JOIN UNNEST([1]) AS n ON n = id",
    "SELECT id FROM p.d.orders CROSS JOIN UNNEST(ARRAY<INT64>[1]) n WITH OFFSET",
    "SELECT id FROM (p.d.orders CROSS JOIN (SELECT 1 AS one))",
    "SELECT id FROM p.d.orders UNION ALL SELECT id FROM p.d.orders UNION ALL SELECT 1",
    "SELECT id FROM p.d.orders UNION ALL BY NAME SELECT id FROM p.d.orders",
    "SELECT id FROM p.d.orders FULL OUTER UNION ALL BY NAME SELECT id FROM p.d.orders",
    "SELECT id FROM p.d.orders LEFT UNION ALL BY NAME ON (id) SELECT id FROM p.d.orders",
    "SELECT id FROM p.d.orders UNION ALL CORRESPONDING SELECT id FROM p.d.orders",
    "SELECT id FROM p.d.orders INTERSECT DISTINCT SELECT id FROM p.d.orders",
    "WITH a AS (SELECT id FROM p.d.orders), b AS (SELECT * FROM a) SELECT * FROM b",
    "WITH a AS (SELECT id FROM p.d.orders) (SELECT * FROM a) ORDER BY 1",
    "# a comment\n-- another\n/* and one */ SELECT id /* here */ FROM p.d.orders -- end",
    "SELECT id FROM p.d.orders;\n\n",
    "SELECT * FROM (SELECT id, 'a' AS k FROM p.d.orders) PIVOT(SUM(id) AS s FOR k IN ('a' AS a, 'b'))",
    "SELECT * FROM (SELECT id AS a, id AS b FROM p.d.orders) UNPIVOT(v FOR k IN (a AS 'x', b))",
    "SELECT * FROM (SELECT id AS a, id AS b FROM p.d.orders) UNPIVOT INCLUDE NULLS (v FOR k IN (a, b))",
    // Temporary functions.
    "CREATE TEMP FUNCTION twice(x INT64) AS (x * 2); SELECT twice(id) FROM p.d.orders",
    "CREATE TEMPORARY FUNCTION twice(x INT64) RETURNS INT64 AS (x * 2); SELECT twice(id) FROM p.d.orders",
    "CREATE TEMP FUNCTION f(x FLOAT64) RETURNS FLOAT64 LANGUAGE js AS r\"\"\"return x * 2;\"\"\"; SELECT f(id) FROM p.d.orders",
    "CREATE TEMP FUNCTION f(x ANY TYPE, y ARRAY<STRUCT<a INT64>>) AS (x); SELECT f(id, []) FROM p.d.orders;",
    "CREATE TEMP FUNCTION f(x INT64) RETURNS STRING DETERMINISTIC LANGUAGE js OPTIONS (library=['gs://b/x.js']) AS 'return 1'; SELECT f(id) FROM p.d.orders",
    "CREATE TEMP FUNCTION f(x INT64) AS ((SELECT MAX(id) FROM p.d.orders WHERE id < x)); SELECT f(3)",
    // Pipes.
    "FROM p.d.orders |> WHERE id > 3 |> SELECT id",
    "FROM p.d.orders |> SELECT id |> ORDER BY id |> LIMIT 3 OFFSET 1",
    "FROM p.d.orders |> AGGREGATE COUNT(*) AS n, SUM(id) GROUP BY id",
    "FROM p.d.orders |> AGGREGATE COUNT(*) AS n GROUP AND ORDER BY id DESC",
    "FROM p.d.orders AS o |> EXTEND o.id + 1 AS next |> SELECT next",
    "FROM p.d.orders |> SELECT id |> SET id = id + 1 |> RENAME id AS x |> WHERE x > 3",
    "FROM p.d.orders |> SELECT id, customer |> DROP customer",
    "FROM p.d.orders |> SELECT id |> AS o |> JOIN (SELECT 1 AS one) AS x ON o.id = x.one",
    "FROM p.d.orders |> SELECT id |> UNION ALL (SELECT 3), (SELECT id FROM p.d.orders)",
    "FROM p.d.orders |> SELECT id |> DISTINCT",
    "FROM p.d.orders |> SELECT id |> WINDOW SUM(id) OVER () AS total",
    "FROM p.d.orders |> SELECT DISTINCT id",
    "SELECT id FROM p.d.orders |> WHERE id > 3 |> AGGREGATE MAX(id)",
    "(FROM p.d.orders |> SELECT id) |> LIMIT 1",
    "SELECT * FROM (FROM p.d.orders |> SELECT id)",
    "WITH a AS (FROM p.d.orders |> SELECT id) FROM a |> WHERE id > 1",
    "FROM p.d.orders |> SELECT id, 'a' AS k |> PIVOT(SUM(id) FOR k IN ('a', 'b'))",
    "FROM p.d.orders |> SELECT id |> TABLESAMPLE SYSTEM (10 PERCENT)",
];

/// Queries of which it is unknown what they read, and a part of the reason.
const UNKNOWN: &[(&str, &str)] = &[
    ("SELECT p.d.discount(id) FROM p.d.orders", "p.d.discount"),
    ("SELECT d.discount(id) FROM p.d.orders", "d.discount"),
    ("SELECT `p.d.discount`(id) FROM p.d.orders", "p.d.discount"),
    ("SELECT SAFE.d.discount(id) FROM p.d.orders", "d.discount"),
    ("SELECT AI.GENERATE('x', connection_id => 'us.c').result, id FROM p.d.orders", "ai.generate"),
    ("SELECT * FROM p.d.make_rows(3)", "make_rows"),
    ("SELECT * FROM p.d.make_rows(TABLE p.d.orders, 3)", "make_rows"),
    ("SELECT * FROM ML.PREDICT(MODEL p.d.m, TABLE p.d.orders)", "ML.PREDICT"),
    ("SELECT * FROM ML.PREDICT(MODEL `p.d.m`, (SELECT id FROM p.d.orders), STRUCT(0.5 AS threshold))", "ML.PREDICT"),
    ("SELECT * FROM EXTERNAL_QUERY('us.c', 'SELECT 1')", "EXTERNAL_QUERY"),
    ("SELECT * FROM APPENDS(TABLE p.d.orders, NULL, NULL)", "APPENDS"),
    ("SELECT * FROM VECTOR_SEARCH(TABLE p.d.orders, 'id', TABLE p.d.orders, top_k => 3)", "VECTOR_SEARCH"),
    ("SELECT * FROM GAP_FILL(TABLE p.d.orders, ts_column => 'month', bucket_width => INTERVAL 1 DAY)", "GAP_FILL"),
    ("SELECT * FROM RANGE_SESSIONIZE(TABLE p.d.orders, 'month', ['id'])", "RANGE_SESSIONIZE"),
    (
        "SELECT id FROM p.d.orders FOR SYSTEM_TIME AS OF TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)",
        "at another time",
    ),
    ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT n FROM r", "recursive `r`"),
    (
        "SELECT * FROM p.d.orders MATCH_RECOGNIZE (ORDER BY id MEASURES MAX(a.id) AS m PATTERN (a+) DEFINE a AS TRUE)",
        "not understood",
    ),
    ("SELECT WITH(a AS id, b AS a + 1, a + b) FROM p.d.orders", "not understood"),
    ("SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(privacy_unit_column = id) COUNT(*) FROM p.d.orders", "not understood"),
    ("GRAPH p.d.g MATCH (a)-[e]->(b) RETURN a.id", "not understood"),
    ("SELECT * FROM GRAPH_TABLE(p.d.g MATCH (a)-[e]->(b) RETURN a.id)", "not understood"),
];

#[test]
fn valid_queries_are_read() {
    let catalogue = Catalogue::from_json(SMALL, "small.json").unwrap();
    let mut wrong = Vec::new();
    for sql in READ {
        match estimate(sql, &catalogue, 6.25) {
            Ok(estimate) if estimate.processed_bytes == Some(800) => {}
            Ok(estimate) => wrong.push(format!("{sql}\n{estimate}")),
            Err(error) => wrong.push(format!("{sql}\n{:#}", anyhow::Error::from(error))),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), READ.len(), wrong.join("\n\n"));
}

#[test]
fn what_cannot_be_followed_is_unknown_with_the_reason() {
    let catalogue = Catalogue::from_json(SMALL, "small.json").unwrap();
    let mut wrong = Vec::new();
    for (sql, reason) in UNKNOWN {
        match estimate(sql, &catalogue, 6.25) {
            Ok(estimate) => {
                let is_named =
                    matches!(&estimate.figure, Figure::Unknown { why } if why.iter().any(|why| why.contains(reason)));
                if !is_named || estimate.usd.is_some() {
                    wrong.push(format!("{sql}\n{estimate}"));
                }
            }
            Err(error) => wrong.push(format!("{sql}\n{:#}", anyhow::Error::from(error))),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), UNKNOWN.len(), wrong.join("\n\n"));
}

#[test]
fn text_that_is_no_query_is_an_error() {
    let catalogue = Catalogue::from_json(SMALL, "small.json").unwrap();
    for sql in ["SELEC 1", "SELECT 'open", "SELECT (1", "hello", "SELECT id FROM p.d.orders WHERE (id = 3", "1 + 1"] {
        assert!(estimate(sql, &catalogue, 6.25).is_err(), "{sql}");
    }
}
