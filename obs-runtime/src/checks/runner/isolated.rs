//! One call of a check, on a thread of its own: whatever it does, it ends in an [`Ending`] or not at all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::base::clock::Stamp;
use crate::base::standard_streams::Hurry;
use crate::checks::runner::ending::Ending;
use crate::checks::runner::job::{Answer, Job};
use crate::context::current::Context;
use crate::events::panics;

/// Calls the check on a thread of its own, in this context, and then `land` with how it ended.
pub fn start<V: Send + 'static>(
    job: Job<V>,
    context: Context,
    land: impl FnOnce(Ending<V>) + Send + 'static,
) -> std::io::Result<()> {
    let run = move || {
        let _inside = context.enter();
        // Another check may hang with a lock that all lines need.
        let _hurry = Hurry::begin();
        let start = Stamp::now();
        let ending = match catch_unwind(AssertUnwindSafe(|| call(job))) {
            Ok(ending) => ending,
            Err(payload) => {
                let words = panics::message_since(start).unwrap_or_else(|| words(&*payload));
                // A payload whose drop panics would end the process.
                std::mem::forget(payload);
                Ending::Panicked(words)
            }
        };
        land(ending);
    };
    std::thread::Builder::new().name("obs-check".to_owned()).spawn(run).map(drop)
}

fn call<V>(job: Job<V>) -> Ending<V> {
    let start = Instant::now();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => LeftBehind(Some(runtime)),
        Err(error) => return Ending::NotStarted(format!("no runtime could be started: {error}")),
    };
    let Some(runtime) = &runtime.0 else { return Ending::TimedOut };
    // Also a plain function, and the making of a future, may ask for the current runtime.
    let inside = runtime.enter();
    let answer = (job.run)();
    drop(inside);
    match answer {
        Answer::Ready(verdict) => Ending::Done(verdict),
        Answer::Pending(future) => {
            let rest = job.timeout.saturating_sub(start.elapsed());
            runtime.block_on(async { tokio::time::timeout(rest, future).await }).map_or(Ending::TimedOut, Ending::Done)
        }
    }
}

/// A runtime whose drop does not wait for blocking tasks that a check has left there, whether it returned or panicked.
struct LeftBehind(Option<tokio::runtime::Runtime>);

impl Drop for LeftBehind {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn words(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not text").to_owned()
}
