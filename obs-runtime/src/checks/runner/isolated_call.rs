//! One call of a check on a thread that nothing else runs on, so that a panic or a hang affects nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::base::clock::Stamp;
use crate::checks::runner::job::{Answer, Job};
use crate::checks::runner::outcome::CheckOutcome;
use crate::checks::runner::workers::{self, OwnRuntime};
use crate::context::current::Context;
use crate::events::active_span::Active;
use crate::events::panics;

/// Calls the check on another thread, in this context and span, then passes the outcome to `complete`.
pub fn spawn<V: Send + 'static>(
    job: Job<V>,
    mut context: Context,
    active: Active,
    complete: impl FnOnce(CheckOutcome<V>) + Send + 'static,
) -> std::io::Result<()> {
    if let Some(operation) = &job.operation {
        context.set_operation(operation.clone().into());
    }
    let run = move |runtime: &mut OwnRuntime| {
        let (_inside, _span) = (context.enter(), active.inherit());
        let start = Stamp::now();
        let (outcome, is_clean) = match catch_unwind(AssertUnwindSafe(|| call(job, runtime))) {
            Ok(outcome) => {
                let is_clean = matches!(outcome, CheckOutcome::Done(_));
                (outcome, is_clean)
            }
            Err(payload) => {
                let message = panics::message_since(start).unwrap_or_else(|| panic_message(&*payload));
                // A payload whose drop panics would abort the process.
                std::mem::forget(payload);
                (CheckOutcome::Panicked(message), false)
            }
        };
        complete(outcome);
        is_clean
    };
    workers::run(Box::new(run))
}

fn call<V>(job: Job<V>, own: &mut OwnRuntime) -> CheckOutcome<V> {
    let start = Instant::now();
    let runtime = match own.get() {
        Ok(runtime) => runtime,
        Err(error) => return CheckOutcome::NotStarted(format!("no runtime could be started: {error}")),
    };
    // A plain function, or one that returns a future, may also ask for the current runtime.
    let inside = runtime.enter();
    let answer = (job.run)();
    drop(inside);
    let outcome = match answer {
        Answer::Ready(value) => CheckOutcome::Done(value),
        Answer::Pending(future) => {
            let rest = job.timeout.saturating_sub(start.elapsed());
            let finished = runtime.block_on(async { tokio::time::timeout(rest, future).await });
            finished.map_or(CheckOutcome::TimedOut, CheckOutcome::Done)
        }
    };
    own.clean();
    outcome
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not text").to_owned()
}
