//! Retries with exponential backoff.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gcp_bigquery_client::error::BQError;

use crate::bigquery::client::api::Api;
use crate::bigquery::client::connect::Connection;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::reason::Remedy;
use crate::pipeline::global;

/// How requests are repeated after a transient failure, for example `backendError` or a broken connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The pause before the second attempt. It doubles with each further attempt.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// For how long to retry, counted from the first failure.
    pub give_up_after: Duration,
}

impl Default for Retry {
    /// As in Google's client libraries: pauses from 1 s to 32 s, for 10 minutes.
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(32),
            give_up_after: Duration::from_mins(10),
        }
    }
}

impl Retry {
    /// The same, but no longer than this.
    pub(super) fn at_most(self, longest: Duration) -> Self {
        Self { give_up_after: self.give_up_after.min(longest), ..self }
    }
}

/// For how long connections to an emulator are retried that it refuses: it is a local process that runs or does not.
const REFUSED_BY_EMULATOR: Duration = Duration::from_secs(5);

/// The interval of warnings about one thing that keeps failing.
const WARN_EVERY: Duration = Duration::from_mins(1);

/// How many unreadable responses are accepted: a response that cannot be parsed rarely changes when it is repeated.
const UNREADABLE: u32 = 3;

/// The state of a sequence of attempts.
pub struct Attempts {
    what: &'static str,
    retry: Retry,
    first_failure: Option<Instant>,
    pauses: u32,
    unreadable: u32,
    renewed: bool,
    warned: Option<Instant>,
}

impl Attempts {
    /// Attempts at `what`, which warnings name.
    pub const fn new(what: &'static str, retry: Retry) -> Self {
        Self { what, retry, first_failure: None, pauses: 0, unreadable: 0, renewed: false, warned: None }
    }

    /// Whether another attempt makes sense after this error: few unreadable answers become readable.
    pub fn may_follow(&mut self, error: &BigQueryError) -> bool {
        self.unreadable += u32::from(matches!(error, BigQueryError::Unreadable { .. }));
        self.unreadable < UNREADABLE
    }

    /// Waits before the next attempt. Returns false if there is none. Warns before the second attempt, and then once a
    /// minute.
    pub async fn pause(&mut self, error: &BigQueryError) -> bool {
        let failing = self.first_failure.get_or_insert_with(Instant::now).elapsed();
        let doubled = self.retry.first_pause.saturating_mul(1 << self.pauses.min(16));
        let pause = jittered(doubled.min(self.retry.longest_pause));
        if failing.saturating_add(pause) > self.retry.give_up_after {
            return false;
        }
        if self.warned.is_none_or(|warned| warned.elapsed() >= WARN_EVERY) {
            self.warned = Some(Instant::now());
            let tried = if self.pauses == 0 { String::new() } else { format!(" for {} so far", seconds(failing)) };
            let limit = match error {
                BigQueryError::Unreadable { .. } => format!("up to {} times", UNREADABLE - 1),
                _ => format!("for up to {}", seconds(self.retry.give_up_after)),
            };
            global::warn_with_help(
                "bigquery-retries",
                format!("BigQuery: {} failed{tried}, retrying {limit}: {}", self.what, error.summary()),
            );
        }
        self.pauses += 1;
        tokio::time::sleep(pause).await;
        true
    }
}

/// A duration in whole seconds, such as `2m 5s`; in milliseconds below a second.
fn seconds(duration: Duration) -> String {
    let whole = Duration::from_secs(duration.as_secs());
    let shown = if whole.is_zero() { Duration::from_millis(u64::from(duration.subsec_millis())) } else { whole };
    humantime::format_duration(shown).to_string()
}

/// Sends a request, and repeats it after transient failures.
pub async fn request<T, F>(
    connection: &Connection,
    what: &'static str,
    retry: Retry,
    ask: impl Fn(Arc<Api>) -> F,
) -> Result<T, BigQueryError>
where
    F: Future<Output = Result<T, BQError>>,
{
    let mut attempts = Attempts::new(what, retry);
    loop {
        let api = connection.api();
        let fault = match Box::pin(ask(Arc::clone(&api))).await {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        let error = BigQueryError::of_request(&fault);
        let again = match error.remedy() {
            Remedy::NewToken => !std::mem::replace(&mut attempts.renewed, true) && connection.renew(&api).await,
            Remedy::AskAgain => {
                if connection.is_emulator() && is_refused(&fault) {
                    attempts.retry = attempts.retry.at_most(REFUSED_BY_EMULATOR);
                }
                attempts.may_follow(&error) && attempts.pause(&error).await
            }
            Remedy::None | Remedy::IsThere => false,
        };
        if !again {
            return Err(error);
        }
    }
}

fn is_refused(fault: &BQError) -> bool {
    let BQError::RequestError(error) = fault else { return false };
    let sources = std::iter::successors(error.source(), |error| (**error).source());
    let mut causes = sources.filter_map(|error| error.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::ConnectionRefused)
}

/// A random duration between half of the pause and all of it, so that clients that failed together do not retry
/// together.
fn jittered(pause: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().build_hasher().finish() % 1000).unwrap_or(0);
    (pause / 2).saturating_add((pause / 2000).saturating_mul(random))
}
