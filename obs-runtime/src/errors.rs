//! Errors: captured with what is known of the call that they ended.

use std::borrow::Cow;
use std::error::Error;
use std::future::Future;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::call::Call;
use crate::context::Context;
use crate::event::Fact;
use crate::failure::Failure;
use crate::global;
use crate::level::Level;
use crate::performance::Tracked;

/// Runs the body of a function under `#[with_error_tracking(fallback = …)]`: an error is captured, and something else
/// returned. The fallback is the function's behaviour, not telemetry: it holds when obs is not initialised as well.
#[inline]
pub fn errors_or<R>(
    mut call: Call,
    body: impl FnOnce() -> R,
    judge: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>,
    fallback: impl FnOnce() -> R,
) -> R {
    let value = body();
    if finish(&mut call, judge(&value).as_ref()) { fallback() } else { value }
}

/// The same for an async function.
pub async fn errors_or_async<F, J>(call: Call, future: F, judge: J, fallback: impl FnOnce() -> F::Output) -> F::Output
where
    F: Future,
    J: for<'v> FnOnce(&'v F::Output) -> Option<Failure<'v>>,
{
    let failed = AtomicBool::new(false);
    let end = |call: &mut Call, judge: J, value: &F::Output| {
        failed.store(finish(call, judge(value).as_ref()), Ordering::Relaxed);
    };
    let value = Tracked::new(call, future, judge, end).await;
    if failed.load(Ordering::Relaxed) { fallback() } else { value }
}

fn finish(call: &mut Call, failure: Option<&Failure<'_>>) -> bool {
    call.finish(failure, None);
    failure.is_some()
}

/// Captures an error by hand: one log line, `operation.error{operation,error_type}`. The operation is the one of the
/// context, or `unknown` outside of any. Nothing happens before obs is initialised.
///
/// ```
/// if let Err(error) = "x".parse::<i32>() {
///     obs_runtime::capture_error(&error);
/// }
/// ```
#[track_caller]
pub fn capture_error<E: Error + 'static>(error: &E) {
    let source = global::caller(Location::caller());
    let operation = Context::with_current(|context| context.operation().map(str::to_owned));
    let operation = operation.map_or(Cow::Borrowed("unknown"), Cow::Owned);
    let failure = Failure::error(error).facts();
    global::emit_fact(Level::Error, source, Fact::Captured { operation, failure, panic: false });
}
