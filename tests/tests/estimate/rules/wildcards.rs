//! Wildcards.

use super::Group;
use super::Truth::{Bound, Far};

/// The bytes of `code` in each table.
const CODE: [u64; 3] = [800, 1_600, 2_400];

pub const GROUPS: &[Group] = &[
    Group {
        rule: "A wildcard reads the columns of all its tables; _TABLE_SUFFIX is no column of them. \
               https://cloud.google.com/bigquery/docs/querying-wildcard-tables",
        queries: &[
            ("SELECT code FROM `p.d.log_*`", Bound(CODE[0] + CODE[1] + CODE[2])),
            ("SELECT size FROM `p.d.log_*`", Bound(CODE[1] + CODE[2])),
            ("SELECT * FROM `p.d.log_*`", Bound(CODE[0] + 2 * (CODE[1] + CODE[2]))),
            ("SELECT COUNT(*) FROM `p.d.log_*`", Bound(0)),
            ("SELECT _TABLE_SUFFIX, COUNT(*) FROM `p.d.log_*` GROUP BY 1", Bound(0)),
            ("SELECT _TABLE_SUFFIX, code FROM `p.d.log_*`", Bound(CODE[0] + CODE[1] + CODE[2])),
            ("SELECT e.device.category FROM `p.d.events_*` AS e WHERE _TABLE_SUFFIX = '20240101'", Bound(60)),
        ],
    },
    Group {
        rule: "A constant condition on _TABLE_SUFFIX excludes tables. \
               https://cloud.google.com/bigquery/docs/querying-wildcard-tables#filter_selected_tables_using_table_suffix",
        queries: &[
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = '2023'", Bound(CODE[1])),
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX BETWEEN '2023' AND '2024'", Bound(CODE[1] + CODE[2])),
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX >= '2023' AND _TABLE_SUFFIX < '2024'", Bound(CODE[1])),
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX IN ('2022', '2024')", Bound(CODE[0] + CODE[2])),
            (
                "SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = '2022' OR _TABLE_SUFFIX = '2024'",
                Bound(CODE[0] + CODE[2]),
            ),
            ("SELECT code FROM `p.d.log_*` WHERE STARTS_WITH(_TABLE_SUFFIX, '2024')", Bound(CODE[2])),
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX LIKE '2024%'", Bound(CODE[2])),
            ("SELECT code FROM `p.d.log_*` AS l WHERE l._TABLE_SUFFIX = @year", Bound(CODE[1])),
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = FORMAT_DATE('%Y', CURRENT_DATE())", Bound(CODE[2])),
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = CONCAT('20', '23')", Bound(CODE[1])),
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = '20' || '23'", Bound(CODE[1])),
            ("SELECT code FROM (SELECT code, _TABLE_SUFFIX AS y FROM `p.d.log_*`) WHERE y = '2023'", Bound(CODE[1])),
            ("FROM `p.d.log_*` |> WHERE _TABLE_SUFFIX = '2023' |> SELECT code", Bound(CODE[1])),
        ],
    },
    Group {
        rule: "A dynamic condition on _TABLE_SUFFIX excludes no table. \
               https://cloud.google.com/bigquery/docs/querying-wildcard-tables#filter_selected_tables_using_table_suffix",
        queries: &[
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = (SELECT '2023')", Bound(CODE[0] + CODE[1] + CODE[2])),
            (
                "SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = CAST(code AS STRING)",
                Bound(CODE[0] + CODE[1] + CODE[2]),
            ),
            (
                "SELECT code FROM `p.d.log_*` WHERE REGEXP_CONTAINS(_TABLE_SUFFIX, '2023')",
                Bound(CODE[0] + CODE[1] + CODE[2]),
            ),
            (
                "SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = '2023' OR code = 3",
                Bound(CODE[0] + CODE[1] + CODE[2]),
            ),
            ("SELECT code FROM `p.d.log_*` WHERE _TABLE_SUFFIX = @unset", Far(CODE[1])),
        ],
    },
];
