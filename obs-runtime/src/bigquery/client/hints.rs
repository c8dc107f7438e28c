//! Hints on how to make a query cheaper, derived from its statistics.

use std::fmt;
use std::sync::PoisonError;
use std::time::Duration;

use gcp_bigquery_client::model::job_statistics2::JobStatistics2;
use gcp_bigquery_client::model::table_reference::TableReference;

use crate::bigquery::client::tracked_client::Client;
use crate::bigquery::literals::without_literals;
use crate::bigquery::price::Pricing;
use crate::bigquery::statistics::QueryStatistics;

/// The least cost, in US dollars, for which the tables of a query are inspected.
const WORTH_A_LOOK_USD: f64 = 0.01;

/// Timeout for getting a table's metadata.
const TABLE_TIMEOUT: Duration = Duration::from_secs(5);

/// What would have made a query cheaper or faster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// The query reads all partitions of a table, because it does not filter by the partitioning column.
    NoPartitionFilter {
        /// The table, as `project.dataset.table`.
        table: String,
        /// The partitioning column; `_PARTITIONTIME` for a table partitioned by ingestion time.
        column: String,
    },
    /// Data shuffled between stages did not fit into memory.
    Spilled {
        /// Bytes spilled to disk.
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

/// The hints for a query that has run.
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

/// Whether a query, in lower case, contains the name of a column.
fn names(query: &str, column: &str) -> bool {
    let words = query.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let column = column.to_lowercase();
    let of_loading = column == "_partitiontime";
    words.into_iter().any(|word| word == column || of_loading && word == "_partitiondate")
        || of_loading && query.contains('$')
}

/// The partitioning column of a table. Each table is requested once.
async fn partitioned_by(client: &Client, table: &TableReference) -> Option<String> {
    let name = format!("{}.{}.{}", table.project_id, table.dataset_id, table.table_id);
    let known = client.partitions.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
    if let Some(known) = known {
        return known;
    }
    let table = tokio::time::timeout(TABLE_TIMEOUT, client.table(&name)).await.ok()?.ok()?;
    let by_time = table.time_partitioning.map(|by| by.field.unwrap_or_else(|| "_PARTITIONTIME".to_owned()));
    let column = by_time.or_else(|| table.range_partitioning?.field);
    client.partitions.lock().unwrap_or_else(PoisonError::into_inner).insert(name, column.clone());
    column
}
