//! Constants that fold, and functions that are stored.

use super::Group;
use super::Truth::{Bound, Exact, Far, Unknown};

const DAY: u64 = 1_600;

pub const GROUPS: &[Group] = &[
    Group {
        rule: "Functions of constants, the moment of the query and parameters are constant. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables#use_a_constant_filter_expression",
        queries: &[
            ("SELECT user FROM p.d.daily WHERE day = DATE('2024-01-03')", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day = DATE(2024, 1, 3)", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day = CAST('2024-01-03' AS DATE)", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day = SAFE_CAST('2024-01-03' AS DATE)", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day = DATE_SUB(CURRENT_DATE(), INTERVAL 8 DAY)", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day >= DATE_SUB(CURRENT_DATE, INTERVAL 2 DAY)", Bound(2 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day >= CURRENT_DATE() - 2", Bound(2 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day = DATE '2024-01-02' + 1", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day > CURRENT_DATE() - INTERVAL 2 DAY", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day = DATE_ADD('2024-01-02', INTERVAL 1 DAY)", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day >= DATE_TRUNC(DATE '2024-01-10', WEEK(MONDAY))", Bound(3 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day >= DATE_TRUNC('2024-01-10', WEEK)", Bound(4 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day = PARSE_DATE('%Y%m%d', '20240103')", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day = SAFE.PARSE_DATE('%Y%m%d', '20240103')", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day <= LAST_DAY(DATE '2023-12-05')", Bound(0)),
            ("SELECT user FROM p.d.daily WHERE day = @day", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day BETWEEN @day AND @last", Bound(2 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day BETWEEN '2024-01-09' AND CURRENT_DATE()", Bound(2 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day > DATE(TIMESTAMP '2024-01-09 10:00:00')", Bound(DAY)),
            ("SELECT v FROM p.d.hourly WHERE ts >= TIMESTAMP('2024-01-03')", Bound(4_320)),
            ("SELECT v FROM p.d.hourly WHERE ts >= TIMESTAMP_SECONDS(1704240000)", Bound(4_320)),
            (
                "SELECT v FROM p.d.hourly WHERE ts < TIMESTAMP_ADD(TIMESTAMP '2024-01-01', INTERVAL 90 MINUTE)",
                Bound(480),
            ),
            (
                "SELECT v FROM p.d.hourly WHERE ts >= TIMESTAMP_TRUNC(TIMESTAMP '2024-01-03 17:00:00', DAY)",
                Bound(4_320),
            ),
            ("SELECT v FROM p.d.hourly WHERE ts >= TIMESTAMP(DATE '2024-01-03')", Bound(4_320)),
            (
                "SELECT v FROM p.d.hourly WHERE ts >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 24 * 8 HOUR)",
                Bound(4_320),
            ),
        ],
    },
    Group {
        rule: "Some functions of the column prune. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables#isolate_the_partitioning_column_or_use_supported_functions",
        queries: &[
            ("SELECT v FROM p.d.hourly WHERE DATE(ts) = '2024-01-02'", Bound(800 + 960)),
            ("SELECT v FROM p.d.hourly WHERE DATE(ts) BETWEEN '2024-01-02' AND '2024-01-03'", Bound(800 + 960 + 4_320)),
            ("SELECT v FROM p.d.hourly WHERE CAST(ts AS DATE) = '2024-01-02'", Bound(800 + 960)),
            ("SELECT v FROM p.d.hourly WHERE EXTRACT(DATE FROM ts) = '2024-01-02'", Bound(800 + 960)),
            ("SELECT v FROM p.d.hourly WHERE TIMESTAMP_TRUNC(ts, DAY) = TIMESTAMP '2024-01-01'", Bound(1_600)),
            ("SELECT v FROM p.d.hourly WHERE TIMESTAMP_TRUNC(ts, MONTH) = '2023-12-01'", Bound(0)),
            ("SELECT user FROM p.d.daily WHERE DATE_TRUNC(day, MONTH) = '2024-01-01'", Bound(10 * DAY)),
            ("SELECT user FROM p.d.daily WHERE DATE_TRUNC(day, WEEK(MONDAY)) = '2024-01-08'", Bound(3 * DAY)),
            ("SELECT user FROM p.d.daily WHERE DATE_TRUNC(day, YEAR) < '2024-01-01'", Bound(0)),
        ],
    },
    Group {
        rule: "Other functions of the column, and arithmetic with it, read the whole table. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables#isolate_the_partitioning_column_or_use_supported_functions",
        queries: &[
            ("SELECT v FROM p.d.yearly WHERE DATETIME_TRUNC(at, YEAR) = '2023-01-01'", Bound(960)),
            ("SELECT v FROM p.d.hourly WHERE EXTRACT(MONTH FROM ts) = 2", Bound(7_680)),
            ("SELECT v FROM p.d.hourly WHERE FORMAT_DATE('%Y-%m-%d %H', ts) = '2024-01-02 12'", Bound(7_680)),
            ("SELECT v FROM p.d.hourly WHERE ts + INTERVAL 1 DAY > TIMESTAMP '2024-01-04'", Bound(7_680)),
        ],
    },
    Group {
        rule: "The value of a constant that is not known before the query runs excludes nothing. \
               https://cloud.google.com/bigquery/docs/parameterized-queries",
        queries: &[
            ("SELECT user FROM p.d.daily WHERE day = @unset", Far(DAY)),
            ("SELECT user FROM p.d.daily WHERE day = ?", Far(DAY)),
            ("SELECT user FROM p.d.daily WHERE day BETWEEN '2024-01-09' AND @unset", Bound(2 * DAY)),
            ("SELECT v FROM p.d.hourly WHERE DATE(ts, 'Asia/Tokyo') = '2024-01-02'", Far(2_400)),
            ("SELECT user FROM p.d.daily WHERE RAND() < 0.1", Bound(8_000)),
        ],
    },
    Group {
        rule: "A temporary function and the query after it run as one query. \
               https://cloud.google.com/bigquery/docs/user-defined-functions",
        queries: &[
            ("CREATE TEMP FUNCTION twice(x INT64) AS (2 * x); SELECT twice(i) FROM p.d.flat", Exact(8_000)),
            (
                "CREATE TEMP FUNCTION most() AS ((SELECT MAX(a) FROM p.d.snap)); SELECT most(), i FROM p.d.flat",
                Exact(8_000 + 80),
            ),
            (
                "CREATE TEMP FUNCTION js(x FLOAT64) RETURNS FLOAT64 LANGUAGE js AS 'return x'; SELECT js(f) FROM p.d.flat",
                Exact(8_000),
            ),
        ],
    },
    Group {
        rule: "A stored function, a table function or a model may read anything. \
               https://cloud.google.com/bigquery/docs/routines",
        queries: &[
            ("SELECT p.d.discount(i) FROM p.d.flat", Unknown),
            ("SELECT d.discount(i) FROM p.d.flat", Unknown),
            ("SELECT `p.d.discount`(i) FROM p.d.flat", Unknown),
            ("SELECT * FROM p.d.rows_of(TABLE p.d.flat)", Unknown),
            ("SELECT * FROM ML.PREDICT(MODEL p.d.m, TABLE p.d.flat)", Unknown),
            ("SELECT AI.GENERATE(s).result FROM p.d.flat", Unknown),
            ("SELECT * FROM EXTERNAL_QUERY('us.c', 'SELECT 1')", Unknown),
            ("SELECT NET.HOST(s) FROM p.d.flat", Exact(12_000)),
            ("SELECT SAFE.SUBSTR(s, 0, -2) FROM p.d.flat", Exact(12_000)),
            ("SELECT HLL_COUNT.INIT(i) FROM p.d.flat", Exact(8_000)),
        ],
    },
];
