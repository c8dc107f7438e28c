//! The error of querying a table.

/// Querying a table failed. The check is `errored`, not `failed`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// `SQLite` returned an error.
    #[cfg(feature = "sqlite")]
    #[error("{table}: {source}")]
    Sqlite {
        /// The table.
        table: String,
        /// The error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// `BigQuery` returned an error, or the query was refused because of its cost.
    #[cfg(feature = "bigquery")]
    #[error("{table}: {source}")]
    BigQuery {
        /// The table.
        table: String,
        /// The error.
        source: crate::bigquery::client::error::BigQueryError,
    },
    /// The column has values that are not times.
    #[error("{table}: {column} has no value that is a time")]
    NoTime {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The latest time of the column is none: it lies more than a day in the future, as milliseconds do that are read as
    /// seconds, or in the year 1970.
    #[error("{table}: the latest time in {column} is {latest}, {why}")]
    Implausible {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The time, or the number if it is beyond the year 9999.
        latest: String,
        /// What is wrong with it, and what the number looks like.
        why: String,
    },
    /// Values of the column are of another type than what they are compared with.
    #[error(
        "{table}: {count} values in {column} are not {compared_with} but are compared with {compared_with}; {hint}"
    )]
    Mismatch {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// How many values.
        count: u64,
        /// `numbers` or `text`.
        compared_with: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The other table of the check cannot be read together with this one.
    #[error("{table}: cannot read {other} in the same statement: {why}")]
    OtherDatabase {
        /// The table.
        table: String,
        /// The other table.
        other: String,
        /// Why not.
        why: String,
    },
    /// The result of the query is not what was expected.
    #[error("{table}: unexpected result: {why}")]
    Answer {
        /// The table.
        table: String,
        /// What is wrong with it.
        why: String,
    },
    /// The check cannot be made of this, such as a store without keys.
    #[error("{table}: {why}")]
    Unusable {
        /// The table.
        table: String,
        /// What is wrong.
        why: String,
    },
    /// The error of a [`Table`](crate::tables::Table) outside this crate.
    #[error("{table}: {source}")]
    Other {
        /// The table.
        table: String,
        /// The error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
