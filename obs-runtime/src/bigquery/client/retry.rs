//! Retries with exponential backoff.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gcp_bigquery_client::error::BQError;

use crate::bigquery::client::api::Api;
use crate::bigquery::client::connect::Connection;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::reason::Remedy;

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

/// How many unreadable responses are accepted: a response that cannot be parsed rarely changes when it is repeated.
const UNREADABLE: u32 = 3;

/// The state of a sequence of attempts.
pub struct Attempts {
    retry: Retry,
    first_failure: Option<Instant>,
    pauses: u32,
    unreadable: u32,
    renewed: bool,
}

impl Attempts {
    pub fn new(retry: Retry) -> Self {
        Self { retry, first_failure: None, pauses: 0, unreadable: 0, renewed: false }
    }

    /// Whether another attempt makes sense after this error: few unreadable answers become readable.
    pub fn may_follow(&mut self, error: &BigQueryError) -> bool {
        self.unreadable += u32::from(matches!(error, BigQueryError::Unreadable { .. }));
        self.unreadable < UNREADABLE
    }

    /// Waits before the next attempt. Returns false if there is none.
    pub async fn pause(&mut self) -> bool {
        let first_failure = *self.first_failure.get_or_insert_with(Instant::now);
        let doubled = self.retry.first_pause.saturating_mul(1 << self.pauses.min(16));
        let pause = jittered(doubled.min(self.retry.longest_pause));
        if first_failure.elapsed().saturating_add(pause) > self.retry.give_up_after {
            return false;
        }
        self.pauses += 1;
        tokio::time::sleep(pause).await;
        true
    }
}

/// Sends a request, and repeats it after transient failures.
pub async fn request<T, F>(
    connection: &Connection,
    retry: Retry,
    ask: impl Fn(Arc<Api>) -> F,
) -> Result<T, BigQueryError>
where
    F: Future<Output = Result<T, BQError>>,
{
    let mut attempts = Attempts::new(retry);
    loop {
        let api = connection.api();
        let fault = match Box::pin(ask(Arc::clone(&api))).await {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        let error = BigQueryError::of_request(&fault);
        let again = match error.remedy() {
            Remedy::NewToken => !std::mem::replace(&mut attempts.renewed, true) && connection.renew(&api).await,
            Remedy::AskAgain => attempts.may_follow(&error) && attempts.pause().await,
            Remedy::None | Remedy::IsThere => false,
        };
        if !again {
            return Err(error);
        }
    }
}

/// A random duration between half of the pause and all of it, so that clients that failed together do not retry
/// together.
fn jittered(pause: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().build_hasher().finish() % 1000).unwrap_or(0);
    (pause / 2).saturating_add((pause / 2000).saturating_mul(random))
}
