//! Errors of estimates.

use thiserror::Error;

/// Why a query cannot be estimated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// The text is not valid SQL of BigQuery. The source is the error of the parser.
    #[error("the query cannot be parsed as BigQuery SQL")]
    Parse(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The text has no statement, or several.
    #[error("the text holds {count} statements; what is allowed is one query")]
    Statements {
        /// How many statements there are.
        count: usize,
    },
    /// The statement is not a query.
    #[error("`{start} …` is not a query; what is allowed is SELECT, or WITH … SELECT")]
    NotAQuery {
        /// The statement's first words.
        start: String,
    },
    /// The price is negative or not a number.
    #[error("the price {value} USD per TiB is not allowed; what is allowed is a number from 0 up")]
    Price {
        /// The price given.
        value: f64,
    },
}
