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

/// What the hints of a query are derived from.
#[derive(Clone)]
pub struct HintSource {
    client: Client,
    /// The query in lower case, without literals.
    query: String,
    /// The tables, if the query cost enough to inspect them.
    tables: Vec<TableReference>,
    spilled_bytes: u64,
}

impl HintSource {
    pub fn new(client: &Client, sql: &str, query: &JobStatistics2, statistics: &QueryStatistics) -> Self {
        let spilled = query
            .query_plan
            .iter()
            .flatten()
            .filter_map(|stage| stage.shuffle_output_bytes_spilled.as_ref()?.parse::<u64>().ok());
        let is_cheap = Pricing::current().actual(statistics).usd < WORTH_A_LOOK_USD;
        let tables = if is_cheap { None } else { query.referenced_tables.clone() }.unwrap_or_default();
        let query = if tables.is_empty() { String::new() } else { without_literals(sql).to_lowercase() };
        Self { client: client.clone(), query, tables, spilled_bytes: spilled.fold(0, u64::saturating_add) }
    }

    /// The hints that need no request.
    pub fn known(&self) -> Vec<Hint> {
        let known = |table: &TableReference| known_partitioning(&self.client, &name(table));
        self.spilled()
            .into_iter()
            .chain(self.tables.iter().filter_map(|table| self.hint(table, known(table)?)))
            .collect()
    }

    /// All hints.
    pub async fn all(&self) -> Vec<Hint> {
        let mut hints: Vec<Hint> = self.spilled().into_iter().collect();
        for table in &self.tables {
            let column = partitioned_by(&self.client, name(table)).await;
            hints.extend(column.and_then(|column| self.hint(table, column)));
        }
        hints
    }

    fn spilled(&self) -> Option<Hint> {
        (self.spilled_bytes > 0).then_some(Hint::Spilled { bytes: self.spilled_bytes })
    }

    /// A hint if the query does not name the partitioning column of a table.
    fn hint(&self, table: &TableReference, column: String) -> Option<Hint> {
        (!names(&self.query, &column)).then(|| Hint::NoPartitionFilter { table: name(table), column })
    }
}

fn name(table: &TableReference) -> String {
    format!("{}.{}.{}", table.project_id, table.dataset_id, table.table_id)
}

/// Whether a query, in lower case, contains the name of a column.
fn names(query: &str, column: &str) -> bool {
    let words = query.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    let column = column.to_lowercase();
    let of_loading = column == "_partitiontime";
    words.into_iter().any(|word| word == column || of_loading && word == "_partitiondate")
        || of_loading && query.contains('$')
}

/// The partitioning column of a table, if the table was requested before.
fn known_partitioning(client: &Client, table: &str) -> Option<String> {
    client.partitions.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned().flatten()
}

/// The partitioning column of a table. Each table is requested once, also if the request fails.
async fn partitioned_by(client: &Client, table: String) -> Option<String> {
    if let Some(known) = client.partitions.lock().unwrap_or_else(PoisonError::into_inner).get(&table) {
        return known.clone();
    }
    let column = match tokio::time::timeout(TABLE_TIMEOUT, client.table(&table)).await {
        Ok(Ok(table)) => {
            let by_time = table.time_partitioning.map(|by| by.field.unwrap_or_else(|| "_PARTITIONTIME".to_owned()));
            by_time.or_else(|| table.range_partitioning?.field)
        }
        Ok(Err(_)) | Err(_) => None,
    };
    client.partitions.lock().unwrap_or_else(PoisonError::into_inner).insert(table, column.clone());
    column
}
