//! What the scenes do, and how they report it.

use obs_runtime::{track_performance, with_error_tracking};
use serde_json::{Value, json};
use tracing::info;

/// Requests of one scene, and how many of them are under way at a time.
pub const REQUESTS: u64 = 10_000;
pub const AT_A_TIME: u64 = 50;

/// The error of every tenth call.
#[derive(Debug)]
pub struct Rejected(pub u64);

impl std::fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} is rejected", self.0)
    }
}

impl std::error::Error for Rejected {}

/// A handler's work: two lines with an interruption between them, a counter of the program, and an error of every tenth call.
#[with_error_tracking]
#[track_performance]
pub async fn handle(number: u64) -> Result<(), Rejected> {
    info!(number, "begun");
    yield_once().await;
    finish(number)
}

/// The second half, for work that does not await.
pub fn finish(number: u64) -> Result<(), Rejected> {
    info!(number, id = obs_runtime::correlation_id(), "ended");
    metrics::counter!("handled").increment(1);
    if number.is_multiple_of(10) { Err(Rejected(number)) } else { Ok(()) }
}

/// Lets other tasks run, on any executor.
pub async fn yield_once() {
    let mut is_second = false;
    std::future::poll_fn(move |task| {
        if std::mem::replace(&mut is_second, true) {
            return std::task::Poll::Ready(());
        }
        task.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// The values of a counter by its labels, as obs has them.
pub fn metrics(wanted: &[(&str, &[(&str, &str)])]) -> Value {
    let snapshot = obs_runtime::metrics();
    wanted.iter().map(|(name, labels)| json!(snapshot.value(name, labels))).collect()
}
