//! Catalogues that are older than the query: it runs at the beginning of 11 January.

use super::Group;
use super::Truth::Bound;

/// The largest of the last partitions of `old`, with its two columns of 8 bytes.
const LARGEST: u64 = 20 * 16;

pub const GROUPS: &[Group] = &[Group {
    rule: "What is newer than the catalogue is assumed to be as large as the largest of the last partitions. \
           https://cloud.google.com/bigquery/docs/partitioned-tables",
    queries: &[
        // The sizes are those of 8 January, 6:00: that day may have grown, and 9, 10 and 11 January have come.
        ("SELECT v FROM p.d.old WHERE day = '2024-01-06'", Bound(10 * 16)),
        ("SELECT v FROM p.d.old WHERE day = '2024-01-08'", Bound(LARGEST)),
        ("SELECT v FROM p.d.old WHERE day = '2024-01-09'", Bound(LARGEST)),
        ("SELECT v FROM p.d.old WHERE day = '2024-01-20'", Bound(LARGEST)),
        ("SELECT v FROM p.d.old WHERE day IN ('2024-01-20', '2024-02-20')", Bound(2 * LARGEST)),
        ("SELECT v FROM p.d.old WHERE day >= '2024-01-08'", Bound(4 * LARGEST)),
        ("SELECT v FROM p.d.old WHERE day >= '2024-01-07'", Bound(LARGEST + 4 * LARGEST)),
        ("SELECT v FROM p.d.old WHERE day > '2024-01-09'", Bound(2 * LARGEST)),
        ("SELECT v FROM p.d.old WHERE day BETWEEN '2024-02-01' AND '2024-02-03'", Bound(3 * LARGEST)),
        ("SELECT v FROM p.d.old WHERE day < '2024-01-07'", Bound(10 * 16)),
        ("SELECT v FROM p.d.old WHERE day >= DATE_SUB(CURRENT_DATE(), INTERVAL 1 DAY)", Bound(2 * LARGEST)),
        ("SELECT v FROM p.d.old", Bound(30 * 8 + 4 * LARGEST / 2)),
        ("SELECT COUNT(*) FROM p.d.old", Bound(0)),
        // Without the moment of the sizes, they are those of the last partition.
        ("SELECT v FROM p.d.undated WHERE day = '2024-01-09'", Bound(10 * 16)),
        ("SELECT v FROM p.d.undated WHERE day = '2024-01-11'", Bound(20 * 16)),
        ("SELECT v FROM p.d.undated WHERE day >= '2024-01-10'", Bound(2 * 20 * 16)),
        // Tables named by days: 9, 10 and 11 January have come.
        ("SELECT v FROM `p.d.shard_*`", Bound(4 * 80)),
        ("SELECT v FROM `p.d.shard_*` WHERE _TABLE_SUFFIX = '20240110'", Bound(80)),
        ("SELECT v FROM `p.d.shard_*` WHERE _TABLE_SUFFIX >= '20240110'", Bound(2 * 80)),
        ("SELECT v FROM `p.d.shard_*` WHERE _TABLE_SUFFIX < '20240108'", Bound(0)),
        // A range of ids that did not exist.
        ("SELECT id FROM p.d.old_ids WHERE id = 5000", Bound(80)),
    ],
}];
