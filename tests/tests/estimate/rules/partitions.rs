//! Partitions by column, by ingestion time, and by ranges of integers.

use super::Group;
use super::Truth::{Bound, Exact, Far};

/// A day of `daily`, with its two columns of 8 bytes.
const DAY: u64 = 1_600;
/// The rows of `hourly`.
const HOURS: u64 = 480;

pub const GROUPS: &[Group] = &[
    Group {
        rule: "A filter on the partitioning column by constants prunes. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables",
        queries: &[
            ("SELECT user FROM p.d.daily", Bound(8_000)),
            ("SELECT user FROM p.d.daily WHERE day = '2024-01-03'", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day = DATE '2024-01-03'", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE '2024-01-03' = day", Bound(DAY)),
            ("SELECT user FROM p.d.daily d WHERE d.day = '2024-01-03' AND d.user > 3", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day >= '2024-01-09'", Bound(2 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day > '2024-01-09'", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day < '2024-01-02'", Bound(DAY)),
            ("SELECT user FROM p.d.daily WHERE day <= '2024-01-02'", Bound(2 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day >= '2024-01-03' AND day < '2024-01-05'", Bound(2 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day BETWEEN '2024-01-03' AND '2024-01-05'", Bound(3 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day IN ('2024-01-03', '2024-01-07')", Bound(2 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day = '2024-01-03' OR day = '2024-01-07'", Bound(2 * DAY)),
            (
                "SELECT user FROM p.d.daily WHERE (day = '2024-01-03' AND user = 1) OR day > '2024-01-09'",
                Bound(2 * DAY),
            ),
            ("SELECT user FROM p.d.daily WHERE day = '2023-01-03'", Bound(0)),
            ("SELECT COUNT(*) FROM p.d.daily WHERE day = '2024-01-03'", Bound(800)),
            ("SELECT note FROM p.d.daily WHERE day = '2024-01-03'", Bound(1_200)),
            ("SELECT * FROM p.d.daily WHERE day = '2024-01-03'", Bound(2_000)),
            ("SELECT user FROM p.d.daily WHERE day IS NOT NULL AND day >= '2024-01-10'", Bound(DAY)),
            ("SELECT v FROM p.d.monthly WHERE day = '2024-02-14'", Bound(320)),
            ("SELECT v FROM p.d.monthly WHERE day >= '2024-03-01'", Bound(480 + 640)),
            ("SELECT v FROM p.d.monthly WHERE day < '2024-02-01'", Bound(160)),
            ("SELECT v FROM p.d.monthly WHERE day <= '2024-02-01'", Bound(480)),
            ("SELECT v FROM p.d.yearly WHERE at >= '2023-06-01'", Bound(320 + 480)),
            ("SELECT v FROM p.d.yearly WHERE at < DATETIME '2023-01-01 00:00:00'", Bound(160)),
            ("SELECT v FROM p.d.hourly WHERE ts >= '2024-01-01 01:00:00' AND ts < '2024-01-01 02:00:00'", Bound(320)),
            ("SELECT v FROM p.d.hourly WHERE ts = TIMESTAMP '2024-01-01 02:30:00'", Bound(480)),
            ("SELECT v FROM p.d.hourly WHERE ts < '2024-01-01 01:00:00+00'", Bound(160)),
            // 01:30 in Berlin is 00:30 in UTC.
            ("SELECT v FROM p.d.hourly WHERE ts = '2024-01-01 01:30:00+01'", Bound(160)),
            ("SELECT v FROM p.d.hourly WHERE ts >= '2024-01-03'", Bound(4_320)),
        ],
    },
    Group {
        rule: "A dynamic expression prunes nothing, nor does a filter that other columns can satisfy. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables#use_a_constant_filter_expression",
        queries: &[
            ("SELECT user FROM p.d.daily WHERE day = (SELECT MAX(day) FROM p.d.daily)", Bound(10 * DAY)),
            (
                "SELECT user FROM p.d.daily WHERE day BETWEEN '2024-01-03' AND (SELECT MAX(day) FROM p.d.daily)",
                Bound(10 * DAY),
            ),
            (
                "SELECT user FROM p.d.daily WHERE day BETWEEN '2024-01-03' AND DATE_ADD(day, INTERVAL 1 DAY)",
                Bound(10 * DAY),
            ),
            (
                "SELECT user FROM p.d.daily WHERE day BETWEEN (SELECT MIN(d) FROM p.d.flat) AND '2024-01-03'",
                Bound(10 * DAY + 8_000),
            ),
            ("SELECT user FROM p.d.daily WHERE day = '2024-01-03' OR user = 3", Bound(10 * DAY)),
            ("SELECT user FROM p.d.daily WHERE NOT day = '2024-01-03'", Bound(10 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day != '2024-01-03'", Bound(10 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day NOT IN ('2024-01-03')", Bound(10 * DAY)),
            ("SELECT user FROM p.d.daily WHERE DATE_ADD(day, INTERVAL 1 DAY) = '2024-01-03'", Bound(10 * DAY)),
            ("SELECT user FROM p.d.daily WHERE CAST(day AS STRING) = '2024-01-03'", Bound(10 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day = DATE_FROM_UNIX_DATE(user)", Bound(10 * DAY)),
            ("SELECT user FROM p.d.daily WHERE COALESCE(day, '2024-01-01') = '2024-01-03'", Bound(10 * DAY)),
            ("SELECT user FROM p.d.daily WHERE day > '2024-01-03' IS FALSE", Bound(10 * DAY)),
        ],
    },
    Group {
        rule: "Tables partitioned by ingestion time are pruned by their pseudocolumns. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables#query_an_ingestion-time_partitioned_table",
        queries: &[
            ("SELECT v FROM p.d.ingested", Bound(480)),
            ("SELECT * FROM p.d.ingested", Bound(480)),
            ("SELECT v FROM p.d.ingested WHERE _PARTITIONTIME = TIMESTAMP('2024-01-02')", Bound(320)),
            ("SELECT v FROM p.d.ingested WHERE _PARTITIONDATE = '2024-01-02'", Bound(320)),
            (
                "SELECT v FROM p.d.ingested WHERE _PARTITIONTIME BETWEEN TIMESTAMP('2024-01-01') AND TIMESTAMP('2024-01-02')",
                Bound(480),
            ),
            ("SELECT v FROM p.d.ingested WHERE _PARTITIONTIME >= '2024-01-03 00:00:00'", Bound(480)),
            (
                "SELECT v FROM p.d.ingested WHERE _PARTITIONTIME > TIMESTAMP_SUB(TIMESTAMP('2024-01-04'), INTERVAL 2 DAY)",
                Bound(480),
            ),
            ("SELECT v FROM p.d.ingested WHERE DATE(_PARTITIONTIME) = '2024-01-01'", Bound(160)),
            (
                "SELECT v FROM p.d.ingested WHERE TIMESTAMP_TRUNC(_PARTITIONTIME, DAY) = TIMESTAMP('2024-01-01')",
                Bound(160),
            ),
            ("SELECT v FROM p.d.ingested i WHERE i._PARTITIONDATE IN ('2024-01-01', '2024-01-03')", Bound(640)),
            (
                "SELECT v FROM p.d.ingested WHERE TIMESTAMP_ADD(_PARTITIONTIME, INTERVAL 5 DAY) > TIMESTAMP('2024-01-06')",
                Bound(960),
            ),
        ],
    },
    Group {
        rule: "Tables partitioned by ranges of integers are pruned, but not by a function of the column. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables#query_an_integer-range_partitioned_table",
        queries: &[
            // Rows outside of all ranges, and those just streamed in, are in one more partition of 5 rows.
            ("SELECT v FROM p.d.by_id WHERE id = 150", Bound(20 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id BETWEEN 150 AND 250", Bound(50 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id < 100", Bound(10 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id <= 100", Bound(30 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id >= 300", Bound(40 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id > 299", Bound(40 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id IN (10, 310)", Bound(50 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id = 10 OR id = 210", Bound(40 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id = -7", Bound(80)),
            ("SELECT v FROM p.d.by_id WHERE id = 100 + 50", Bound(20 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id = @id", Bound(20 * 16 + 80)),
            ("SELECT v FROM p.d.by_id WHERE id + 1 BETWEEN 30 AND 50", Bound(112 * 16)),
            ("SELECT v FROM p.d.by_id WHERE id = CAST('150' AS INT64)", Bound(20 * 16 + 80)),
            // Without the width of the ranges nothing is excluded; the ids are no years.
            ("SELECT id FROM p.d.years_as_ids WHERE id = 2005", Bound(30 * 8)),
            ("SELECT id FROM p.d.years_as_ids WHERE id < 2000", Bound(30 * 8)),
        ],
    },
    Group {
        rule: "The count of a whole table selects no column, and the data in selected columns is charged. \
               https://cloud.google.com/bigquery/pricing#on_demand_pricing",
        queries: &[
            ("SELECT COUNT(*) FROM p.d.daily", Bound(0)),
            ("SELECT COUNT(*) FROM p.d.hourly", Bound(0)),
            ("SELECT MAX(ts) FROM p.d.hourly", Bound(HOURS * 8)),
            ("SELECT COUNT(*) FROM p.d.snap", Exact(0)),
        ],
    },
    Group {
        rule: "A constant array prunes in practice, which the documentation does not promise. \
               https://cloud.google.com/bigquery/docs/querying-partitioned-tables#use_a_constant_filter_expression",
        queries: &[
            ("SELECT user FROM p.d.daily WHERE day IN UNNEST(['2024-01-03'])", Far(DAY)),
            ("SELECT user FROM p.d.daily WHERE day IN UNNEST(@days)", Far(DAY)),
        ],
    },
];
