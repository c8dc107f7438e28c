//! Why a table gave no answer.

/// Why a table gave no answer: the check is `errored` then, not `failed`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// `SQLite` does not do what it is asked.
    #[cfg(feature = "sqlite")]
    #[error("{table}: {source}")]
    Sqlite {
        /// The table.
        table: String,
        /// What it says.
        source: rusqlite::Error,
    },
    /// `BigQuery` does not do what it is asked, or it would cost too much.
    #[cfg(feature = "bigquery")]
    #[error("{table}: {source}")]
    BigQuery {
        /// The table.
        table: String,
        /// What it says.
        source: crate::bigquery::client::error::BigQueryError,
    },
    /// There is no value, so that nothing tells how fresh they are.
    #[error("{table}: no row has a value in {column}, so that nothing tells how fresh it is")]
    Nothing {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// A column holds something that is no time.
    #[error("{table}: {column} holds no time that can be read")]
    NoTime {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// The answer is not what was asked for.
    #[error("{table}: the answer cannot be read: {why}")]
    Answer {
        /// The table.
        table: String,
        /// What is wrong with it.
        why: String,
    },
    /// Of a table of your own: whatever went wrong.
    #[error("{table}: {source}")]
    Other {
        /// The table.
        table: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
