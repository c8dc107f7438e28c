//! Errors of estimates.

use thiserror::Error;

/// Why a query cannot be estimated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EstimateError {
    /// The text is not valid `BigQuery` SQL, as far as the parser can tell. The source is the parser's error.
    #[error("the query cannot be parsed as BigQuery SQL")]
    Parse(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The text holds no statement, or more than one.
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
    /// The price is negative or no number.
    #[error("the price {value} USD per TiB is not allowed; what is allowed is a number from 0 up")]
    Price {
        /// The price given.
        value: f64,
    },
}
