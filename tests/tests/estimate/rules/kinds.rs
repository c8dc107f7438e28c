//! Kinds of tables: views, streaming buffers, materialized views, snapshots, external tables.

use super::Group;
use super::Truth::{Bound, Exact, Far, Unknown};

const DAY: u64 = 1_600;

pub const GROUPS: &[Group] = &[
    Group {
        rule: "A view reads what its query reads. https://cloud.google.com/bigquery/docs/views-intro",
        queries: &[
            ("SELECT user FROM p.d.v_daily", Bound(8_000)),
            ("SELECT COUNT(*) FROM p.d.v_daily", Bound(0)),
            ("SELECT COUNT(*) FROM p.d.v_recent", Bound(5 * 800)),
            ("SELECT users FROM p.d.v_sums", Bound(10 * DAY)),
            ("SELECT notes FROM p.d.v_sums", Bound(10 * 1_200)),
            ("SELECT user FROM d.v_daily", Bound(8_000)),
        ],
    },
    Group {
        rule: "The bytes of a table are without its streaming buffer, which a query reads. \
               https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#Table",
        queries: &[
            ("SELECT a FROM p.d.buffered", Bound(150 * 8)),
            ("SELECT * FROM p.d.buffered", Bound(150 * 16)),
            ("SELECT COUNT(*) FROM p.d.buffered", Exact(0)),
            ("SELECT a FROM p.d.just_streamed", Bound(48_000_000_000)),
            ("SELECT v FROM p.d.streamed_days WHERE day = '2024-01-10'", Bound(160 + 80)),
            ("SELECT v FROM p.d.streamed_days WHERE day = '2023-01-10'", Bound(80)),
            ("SELECT v FROM p.d.streamed_days", Bound(25 * 8)),
        ],
    },
    Group {
        rule: "A materialized view reads what it has stored, and from its base tables what is newer. \
               https://cloud.google.com/bigquery/docs/materialized-views-intro",
        queries: &[
            // With nothing stored, the view and all of its base table.
            ("SELECT users FROM p.d.mv", Bound(80 + 10 * DAY)),
            ("SELECT COUNT(*) FROM p.d.mv", Bound(10 * DAY)),
            ("SELECT users FROM p.d.mv WHERE day = '2024-01-03'", Bound(160 + 10 * DAY)),
            ("SELECT users FROM p.d.mv_elsewhere", Unknown),
        ],
    },
    Group {
        rule: "What is read from an external table is known when it is read. \
               https://cloud.google.com/bigquery/docs/external-data-sources",
        queries: &[
            ("SELECT a FROM p.d.ext", Unknown),
            ("SELECT COUNT(*) FROM p.d.ext", Unknown),
            ("SELECT i FROM p.d.flat JOIN p.d.ext ON i = a", Unknown),
        ],
    },
    Group {
        rule: "A table snapshot is read as a table; the past of a table is not in the catalogue. \
               https://cloud.google.com/bigquery/docs/table-snapshots-intro",
        queries: &[
            ("SELECT a FROM p.d.snap", Exact(80)),
            ("SELECT a FROM d.snap", Exact(80)),
            ("SELECT a FROM p.d.snap FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01'", Unknown),
            ("SELECT a FROM p.d.snap WHERE a > 3 LIMIT 0", Far(0)),
        ],
    },
];
