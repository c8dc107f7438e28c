//! What would make a query cheaper.

use crate::bigquery::estimate::catalogue::tables::Catalogue;
use crate::bigquery::estimate::partitions::Selection;
use crate::bigquery::estimate::report::Estimate;
use crate::bigquery::estimate::sql::reads::Reads;

/// What is billed in any case is not worth advice.
const WORTH_IT: u64 = crate::bigquery::estimate::price::MINIMUM_BILLED_BYTES;

/// Advice on a query, the most useful first.
pub(super) fn of(estimate: &Estimate, reads: &Reads, takes_all: bool, catalogue: &Catalogue) -> Vec<String> {
    let mut advice = Vec::new();
    let large = estimate.tables.iter().filter(|table| table.bytes.is_none_or(|bytes| bytes > WORTH_IT));
    for read in large {
        let Some(table) = catalogue.table(&read.table) else { continue };
        if let (Some(column), Selection::All) = (&table.partition_column, reads.selection_of(&read.table)) {
            let how = "it is read as a whole: compare its partitioning column";
            advice.push(format!("{}: {how} `{column}` with constants in WHERE", table.name));
        }
        let columns = table.stored_leaves();
        if takes_all && columns > 1 && read.columns.len() == columns {
            advice.push(format!("{}: `*` reads all {columns} columns; name those that are needed", table.name));
        }
    }
    advice
}
