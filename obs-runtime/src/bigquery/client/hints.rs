//! What would have made a query cheaper, when that can be told.

use std::fmt;
use std::sync::PoisonError;
use std::time::Duration;

use gcp_bigquery_client::model::job_statistics2::JobStatistics2;
use gcp_bigquery_client::model::table_reference::TableReference;

use crate::bigquery::client::tracked_client::Client;
use crate::bigquery::literals::without_literals;
use crate::bigquery::price::Pricing;
use crate::bigquery::statistics::QueryStatistics;

/// What a query must cost to be worth a look at its tables, in US dollars.
const WORTH_A_LOOK_USD: f64 = 0.01;

/// How long a look at a table may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What would have made a query cheaper or faster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// It reads all partitions of a table, as it does not name the column by which that is partitioned.
    NoPartitionFilter {
        /// The table: `project.dataset.table`.
        table: String,
        /// The column; `_PARTITIONTIME` where it is the time of loading.
        column: String,
    },
    /// More was passed between its stages than memory holds.
    Spilled {
        /// Bytes that went to disk.
        bytes: u64,
    },
}

impl fmt::Display for Hint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPartitionFilter { table, column } => {
                write!(formatter, "no filter on `{column}`, by which {table} is partitioned: all partitions were read")
            }
            Self::Spilled { bytes } => write!(formatter, "{bytes} bytes between stages did not fit into memory"),
        }
    }
}

/// What can be told of a query that has run.
pub async fn of(client: &Client, sql: &str, query: &JobStatistics2, statistics: &QueryStatistics) -> Vec<Hint> {
    let spilled = query
        .query_plan
        .iter()
        .flatten()
        .filter_map(|stage| stage.shuffle_output_bytes_spilled.as_ref()?.parse::<u64>().ok());
    let bytes: u64 = spilled.sum();
    let mut hints: Vec<Hint> = (bytes > 0).then_some(Hint::Spilled { bytes }).into_iter().collect();
    if Pricing::current().actual(statistics).usd < WORTH_A_LOOK_USD {
        return hints;
    }
    let named = without_literals(sql).to_lowercase();
    for table in query.referenced_tables.iter().flatten() {
        let Some(column) = partitioned_by(client, table).await else { continue };
        if !names(&named, &column) {
            let table = format!("{}.{}.{}", table.project_id, table.dataset_id, table.table_id);
            hints.push(Hint::NoPartitionFilter { table, column });
        }
    }
    hints
}

/// Whether a query in lower case names a column anywhere.
fn names(query: &str, column: &str) -> bool {
    let words = query.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let column = column.to_lowercase();
    let of_loading = column == "_partitiontime";
    words.into_iter().any(|word| word == column || of_loading && word == "_partitiondate")
        || of_loading && query.contains('$')
}

/// The column by which a table is partitioned. Each table is asked for once.
async fn partitioned_by(client: &Client, table: &TableReference) -> Option<String> {
    let name = format!("{}.{}.{}", table.project_id, table.dataset_id, table.table_id);
    let known = client.partitions.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
    if let Some(known) = known {
        return known;
    }
    let table = tokio::time::timeout(PATIENCE, client.table(&name)).await.ok()?.ok()?;
    let by_time = table.time_partitioning.map(|by| by.field.unwrap_or_else(|| "_PARTITIONTIME".to_owned()));
    let column = by_time.or_else(|| table.range_partitioning?.field);
    client.partitions.lock().unwrap_or_else(PoisonError::into_inner).insert(name, column.clone());
    column
}
