//! Errors of queries and other requests.

use std::fmt;
use std::time::Duration;

use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::error_proto::ErrorProto;

use crate::base::ffi::link_own;
use crate::bigquery::client::reason::{Reason, Remedy};
use crate::bigquery::literals::{Values, without_values};
use crate::bigquery::refused::CostRefused;
use crate::events::error_kind::{ErrorKind, RegisteredKind};

/// The error of a query, or of another request to BigQuery.
///
/// Values that BigQuery quotes in its messages are masked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BigQueryError {
    /// The query would have cost too much and did not run.
    #[error(transparent)]
    Refused(#[from] Box<CostRefused>),
    /// BigQuery returned an error, for the request or for the job.
    #[error(transparent)]
    Answer(#[from] Box<Answer>),
    /// BigQuery could not be reached.
    #[error("BigQuery could not be reached: {0}")]
    Connection(String),
    /// The response of BigQuery, or of a proxy on the way, could not be parsed.
    #[error("the answer of BigQuery cannot be read: {why}")]
    Unreadable {
        /// What is wrong with it.
        why: String,
        /// Whether it was cut or is no answer of BigQuery's, so that the next one may differ.
        may_differ: bool,
    },
    /// There are no credentials, or they were rejected.
    #[error("no credentials for BigQuery: {0}")]
    Credentials(String),
    /// The query exceeded its timeout, and its job was cancelled.
    #[error("the query did not end within {0:?}; its job was cancelled")]
    TimedOut(Duration),
    /// A row does not deserialize into the requested type.
    #[error("row {row} of the result cannot be read: {why}")]
    Row {
        /// The index of the row, from 0.
        row: u64,
        /// What is wrong with the row.
        why: String,
    },
    /// An argument or a setting is missing or invalid. No request was sent.
    #[error("{0}")]
    Usage(String),
}

/// An error that BigQuery returned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The reason, in Google's words: `invalidQuery`, `notFound`, `quotaExceeded`, …
    pub reason: Reason,
    /// BigQuery's message, with quoted values masked.
    pub message: String,
    /// Line and column of the error in the query, from 1.
    pub position: Option<(u32, u32)>,
    /// The HTTP status of the response; `None` if the error comes from the state of the job.
    pub status: Option<u16>,
    /// The id of the job, if there is one.
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
    /// The error of a failed request.
    pub(super) fn of_request(error: &BQError) -> Self {
        match error {
            BQError::ResponseError { error } => {
                let said = &error.error;
                let first = said.errors.first();
                let reason = first.and_then(|first| first.get("reason")).unwrap_or(&said.status);
                let status = u16::try_from(said.code).ok();
                Self::Answer(Box::new(Answer::new(reason, &said.message, status)))
            }
            BQError::RequestError(error) if error.is_decode() => {
                let fault =
                    std::error::Error::source(error).and_then(|source| source.downcast_ref::<serde_json::Error>());
                let may_differ = !fault.is_some_and(serde_json::Error::is_data);
                Self::Unreadable { why: chain(error), may_differ }
            }
            BQError::SerializationError(error) => Self::Unreadable { why: chain(error), may_differ: !error.is_data() },
            BQError::NoDataAvailable => Self::Unreadable { why: "it is no JSON object".to_owned(), may_differ: true },
            BQError::RequestError(error) => Self::Connection(chain(error)),
            BQError::AuthError(_) | BQError::YupAuthError(_) | BQError::NoToken => Self::Credentials(chain(error)),
            other => Self::Connection(chain(other)),
        }
    }

    /// The error of a failed job.
    pub(super) fn of_job(error: &ErrorProto, job_id: &str) -> Self {
        let reason = error.reason.as_deref().unwrap_or_default();
        let answer = Answer::new(reason, error.message.as_deref().unwrap_or_default(), None);
        Self::Answer(Box::new(Answer { job_id: Some(job_id.to_owned()), ..answer }))
    }

    /// Masks the values of the query in the error's text.
    pub(super) fn without(self, values: Values) -> Self {
        match self {
            Self::Answer(answer) => {
                let message = values.masked(&answer.message);
                Self::Answer(Box::new(Answer { message, ..*answer }))
            }
            Self::Connection(said) => Self::Connection(values.masked(&said)),
            Self::Unreadable { why, may_differ } => Self::Unreadable { why: values.masked(&why), may_differ },
            // The other variants contain no text from BigQuery.
            other => other,
        }
    }

    /// How to recover from the error.
    /// Whether BigQuery says that there is no such thing.
    pub(crate) fn is_not_found(&self) -> bool {
        self.reason().is_some_and(|reason| *reason == "notFound")
    }

    /// The error without the words of BigQuery, which may quote a value of the query.
    pub(super) fn summary(&self) -> String {
        match self {
            Self::Answer(answer) => answer.reason.to_string(),
            other => other.to_string(),
        }
    }

    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Answer(answer) => answer.reason.remedy(),
            Self::Connection(_) | Self::Unreadable { may_differ: true, .. } => Remedy::AskAgain,
            _ => Remedy::None,
        }
    }

    /// The reason, in Google's words, if BigQuery returned the error.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Answer(answer) => Some(&answer.reason),
            _ => None,
        }
    }

    /// The estimate, the limit and the query, if the query was refused for its cost.
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
            Self::Unreadable { .. } => "bigquery_unreadable",
            Self::Credentials(_) => "bigquery_credentials",
            Self::TimedOut(_) => "bigquery_timed_out",
            Self::Row { .. } => "bigquery_row",
            Self::Usage(_) => "bigquery_usage",
        }
    }
}

link_own! { ErrorKinds BIGQUERY_ERROR = RegisteredKind::of::<BigQueryError>() }

/// An error with its sources. A source whose text is already part of the message is left out.
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

/// Parses line and column from `… at [3:17]`, or from an emulator's `[at 3:17]`.
fn position(message: &str) -> Option<(u32, u32)> {
    message.split('[').skip(1).find_map(|inside| {
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
