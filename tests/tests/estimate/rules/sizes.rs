//! The sizes of values.

use super::Group;
use super::Truth::{Bound, Exact};

const ROWS: u64 = 1000;

pub const GROUPS: &[Group] = &[
    Group {
        rule: "A value has the bytes of its type, a NULL has none. \
               https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes",
        queries: &[
            ("SELECT i FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT f FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT n FROM p.d.flat", Exact(16 * ROWS)),
            ("SELECT bn FROM p.d.flat", Exact(32 * ROWS)),
            ("SELECT b FROM p.d.flat", Exact(ROWS)),
            ("SELECT d FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT dt FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT t FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT ts FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT iv FROM p.d.flat", Exact(16 * ROWS)),
            ("SELECT rg FROM p.d.flat", Exact(16 * ROWS)),
            ("SELECT s FROM p.d.flat", Exact(12_000)),
            ("SELECT `by` FROM p.d.flat", Exact(9_000)),
            ("SELECT g FROM p.d.flat", Exact(40_000)),
            ("SELECT opt FROM p.d.flat", Exact(8 * (ROWS - 200))),
            // The bytes of the table without those of all other columns.
            ("SELECT maybe FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT i, opt FROM p.d.flat", Exact(8 * ROWS + 8 * (ROWS - 200))),
            ("SELECT CAST(b AS INT64) FROM p.d.flat", Exact(ROWS)),
        ],
    },
    Group {
        rule: "A query reads the whole of each column that it names, once. \
               https://cloud.google.com/bigquery/docs/best-practices-costs",
        queries: &[
            ("SELECT i, i + 1, -i FROM p.d.flat WHERE i > 3 ORDER BY i", Exact(8 * ROWS)),
            ("SELECT i, b, s FROM p.d.flat", Exact(9 * ROWS + 12_000)),
            ("SELECT i FROM p.d.flat LIMIT 10", Exact(8 * ROWS)),
            ("SELECT i FROM p.d.flat WHERE b", Exact(9 * ROWS)),
            ("SELECT i FROM p.d.flat WHERE i = 3 AND s LIKE 'x%'", Exact(8 * ROWS + 12_000)),
            ("SELECT * EXCEPT (s, `by`, g, j, opt, maybe) FROM p.d.flat", Exact(129 * ROWS)),
            ("SELECT COUNT(*) FROM p.d.flat", Exact(0)),
            ("SELECT COUNT(1) FROM p.d.flat", Exact(0)),
            ("SELECT 1 FROM p.d.flat", Exact(0)),
            ("SELECT COUNT(i) FROM p.d.flat", Exact(8 * ROWS)),
            ("SELECT COUNTIF(b) FROM p.d.flat", Exact(ROWS)),
            ("SELECT 1", Exact(0)),
            ("SELECT CURRENT_DATE()", Exact(0)),
        ],
    },
    Group {
        rule: "Of a JSON value, only the fields that a query names may be read. \
               https://cloud.google.com/bigquery/docs/json-data",
        queries: &[
            ("SELECT j FROM p.d.flat", Bound(30_000)),
            ("SELECT j.a FROM p.d.flat", Bound(30_000)),
            ("SELECT JSON_VALUE(j, '$.a.b') FROM p.d.flat", Bound(30_000)),
            ("SELECT j.a[0].b, i FROM p.d.flat", Bound(30_000 + 8 * ROWS)),
            ("SELECT * FROM p.d.flat", Bound(234_400)),
        ],
    },
    Group {
        rule: "The table sample reads some of the blocks. https://cloud.google.com/bigquery/docs/table-sampling",
        queries: &[("SELECT i FROM p.d.flat TABLESAMPLE SYSTEM (10 PERCENT)", Bound(8 * ROWS))],
    },
    Group {
        rule: "Which blocks of a clustered table are read is known when the query has run. \
               https://cloud.google.com/bigquery/docs/clustered-tables",
        queries: &[
            ("SELECT v FROM p.d.clustered", Bound(8 * ROWS)),
            ("SELECT v FROM p.d.clustered WHERE k = 3", Bound(16 * ROWS)),
            ("SELECT k FROM p.d.clustered WHERE k BETWEEN 3 AND 5", Bound(8 * ROWS)),
        ],
    },
];
