//! `#[with_error_tracking(fallback = …)]`: an error is captured, and something else returned.
//!
//! The function itself evaluates the fallback, when its body is done with the arguments. It is the function's behaviour,
//! not telemetry: it holds when obs is not initialised as well.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::call::Call;
use crate::failure::Failure;
use crate::performance::Tracked;

/// Runs the body of a function; nothing stands for an error.
#[inline]
pub fn errors_or<R>(
    mut call: Call,
    body: impl FnOnce() -> R,
    judge: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>,
) -> Option<R> {
    let value = body();
    if finish(&mut call, judge(&value).as_ref()) { None } else { Some(value) }
}

/// The same for an async function.
pub async fn errors_or_async<F, J>(call: Call, future: F, judge: J) -> Option<F::Output>
where
    F: Future,
    J: for<'v> FnOnce(&'v F::Output) -> Option<Failure<'v>>,
{
    let failed = AtomicBool::new(false);
    let end = |call: &mut Call, judge: J, value: &F::Output| {
        failed.store(finish(call, judge(value).as_ref()), Ordering::Relaxed);
    };
    let value = Tracked::new(call, future, judge, end).await;
    if failed.load(Ordering::Relaxed) { None } else { Some(value) }
}

fn finish(call: &mut Call, failure: Option<&Failure<'_>>) -> bool {
    call.finish(failure, None);
    failure.is_some()
}
