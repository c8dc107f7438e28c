//! What can go wrong with a query.

use std::fmt;
use std::time::Duration;

use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::error_proto::ErrorProto;

use crate::bigquery::client::reason::{Reason, Remedy};
use crate::bigquery::literals::{Values, without_values};
use crate::bigquery::refused::CostRefused;
use crate::events::failure::ErrorKind;

/// Why a query, or another request to BigQuery, gave nothing.
///
/// What BigQuery says of a query is told without the values that it quotes.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BigQueryError {
    /// It would have cost too much, so nothing ran.
    #[error(transparent)]
    Refused(#[from] Box<CostRefused>),
    /// BigQuery answered with an error, of the request or of the job.
    #[error(transparent)]
    Answer(#[from] Box<Answer>),
    /// BigQuery could not be reached, or its answer not be understood.
    #[error("BigQuery could not be reached: {0}")]
    Connection(String),
    /// There are no credentials, or they were not taken.
    #[error("no credentials for BigQuery: {0}")]
    Credentials(String),
    /// The query took longer than its time-out; its job was told to stop.
    #[error("the query did not end within {0:?}; its job was told to stop")]
    TimedOut(Duration),
    /// Rows are not what they were to be read as.
    #[error("row {row} of the result cannot be read: {why}")]
    Row {
        /// Which row, from 0.
        row: u64,
        /// What is wrong with it.
        why: String,
    },
    /// Something is missing or wrong before anything is asked.
    #[error("{0}")]
    Usage(String),
}

/// An error that BigQuery answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// Google's word for it: `invalidQuery`, `notFound`, `quotaExceeded`, …
    pub reason: Reason,
    /// What BigQuery says, without the values that it quotes.
    pub message: String,
    /// Line and column of the query, from 1, where the mistake is.
    pub position: Option<(u32, u32)>,
    /// The status of the answer; none when the job itself says so.
    pub status: Option<u16>,
    /// The job, when there is one.
    pub job_id: Option<String>,
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BigQuery: {}: {}", self.reason, self.message)?;
        match &self.job_id {
            Some(job) => write!(formatter, " (job {job})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Answer {}

impl Answer {
    fn new(reason: &str, message: &str, status: Option<u16>) -> Self {
        let position = position(message);
        let reason = Reason::new(reason, message, status, position.is_some());
        Self { reason, message: without_values(message), position, status, job_id: None }
    }
}

impl BigQueryError {
    /// What a request gave instead of its answer.
    pub(super) fn of_request(error: &BQError) -> Self {
        match error {
            BQError::ResponseError { error } => {
                let said = &error.error;
                let first = said.errors.first();
                let reason = first.and_then(|first| first.get("reason")).unwrap_or(&said.status);
                let status = u16::try_from(said.code).ok();
                Self::Answer(Box::new(Answer::new(reason, &said.message, status)))
            }
            BQError::RequestError(error) => Self::Connection(chain(error)),
            BQError::AuthError(_) | BQError::YupAuthError(_) | BQError::NoToken => Self::Credentials(chain(error)),
            other => Self::Connection(chain(other)),
        }
    }

    /// What a job says of itself.
    pub(super) fn of_job(error: &ErrorProto, job_id: &str) -> Self {
        let reason = error.reason.as_deref().unwrap_or_default();
        let answer = Answer::new(reason, error.message.as_deref().unwrap_or_default(), None);
        Self::Answer(Box::new(Answer { job_id: Some(job_id.to_owned()), ..answer }))
    }

    /// Without what the query was asked with, wherever BigQuery says it again.
    pub(super) fn without(self, values: Values) -> Self {
        match self {
            Self::Answer(answer) => {
                let message = values.masked(&answer.message);
                Self::Answer(Box::new(Answer { message, ..*answer }))
            }
            Self::Connection(said) => Self::Connection(values.masked(&said)),
            // They say nothing of BigQuery's.
            other => other,
        }
    }

    /// What can be done about it.
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Answer(answer) => answer.reason.remedy(),
            Self::Connection(_) => Remedy::AskAgain,
            _ => Remedy::None,
        }
    }

    /// Google's word for what went wrong, when BigQuery answered.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Answer(answer) => Some(&answer.reason),
            _ => None,
        }
    }

    /// The estimate, the limit and the query of one that was refused for its cost.
    #[must_use]
    pub fn refused(&self) -> Option<&CostRefused> {
        match self {
            Self::Refused(refused) => Some(refused),
            _ => None,
        }
    }
}

impl ErrorKind for BigQueryError {
    fn error_kind(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.error_kind(),
            Self::Answer(answer) => answer.reason.error_kind(),
            Self::Connection(_) => "bigquery_connection",
            Self::Credentials(_) => "bigquery_credentials",
            Self::TimedOut(_) => "bigquery_timed_out",
            Self::Row { .. } => "bigquery_row",
            Self::Usage(_) => "bigquery_usage",
        }
    }
}

/// An error with its sources, each once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    for source in std::iter::successors(error.source(), |error| error.source()) {
        let source = source.to_string();
        if !words.contains(&source) {
            words = format!("{words}: {source}");
        }
    }
    without_values(&words)
}

/// Line and column in `… at [3:17]`, which an emulator writes `[at 3:17]`.
fn position(message: &str) -> Option<(u32, u32)> {
    message.match_indices('[').find_map(|(at, _)| {
        let inside = &message[at + 1..];
        let (line, rest) = inside.strip_prefix("at ").unwrap_or(inside).split_once(':')?;
        let (column, _) = rest.split_once(']')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_mistake_is_found() {
        assert_eq!(position("Syntax error: Unexpected identifier \"FRM\" at [1:10]"), Some((1, 10)));
        assert_eq!(position("Table not found: d.nope [at 2:15]"), Some((2, 15)));
        assert_eq!(position("array[3] of [a:b] is [7:2]"), Some((7, 2)));
        assert_eq!(position("no place"), None);
    }
}
