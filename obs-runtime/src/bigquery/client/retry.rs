//! Asking again, at growing intervals, for as long as it makes sense.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gcp_bigquery_client::error::BQError;

use crate::bigquery::client::connect::Connection;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::reason::Remedy;

/// How requests are repeated that failed for a reason that passes, as `backendError` or a connection that broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The pause before the second attempt; every further one is twice as long.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// For how long it is tried, from the first failure on.
    pub give_up_after: Duration,
}

impl Default for Retry {
    /// As Google's own clients do: from 1 s to 32 s, for 10 minutes.
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(32),
            give_up_after: Duration::from_mins(10),
        }
    }
}

/// An answer that is not understood will not be the third time either.
const UNREADABLE: u32 = 3;

/// The failures of one thing that is tried again and again.
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

    /// Waits before the next attempt, or says that there is none.
    pub async fn pause(&mut self) -> bool {
        let first_failure = *self.first_failure.get_or_insert_with(Instant::now);
        let doubled = self.retry.first_pause.saturating_mul(1 << self.pauses.min(16));
        let pause = jittered(doubled.min(self.retry.longest_pause));
        if first_failure.elapsed() + pause > self.retry.give_up_after {
            return false;
        }
        self.pauses += 1;
        tokio::time::sleep(pause).await;
        true
    }
}

/// Carries out a request, again when it failed for a reason that passes.
pub async fn request<T, F>(
    connection: &Connection,
    retry: Retry,
    ask: impl Fn(Arc<gcp_bigquery_client::Client>) -> F,
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
            Remedy::AskAgain => {
                attempts.unreadable += u32::from(is_unreadable(&fault));
                attempts.unreadable < UNREADABLE && attempts.pause().await
            }
            Remedy::None | Remedy::IsThere => false,
        };
        if !again {
            return Err(error);
        }
    }
}

fn is_unreadable(fault: &BQError) -> bool {
    matches!(fault, BQError::RequestError(error) if error.is_decode())
}

/// Between half of a pause and all of it, so that those who failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    pause / 2 + pause.mul_f64(f64::from(u16::try_from(random).unwrap_or(0)) / 2000.0)
}
