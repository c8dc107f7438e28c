//! What runs the body of a function under `#[with_error_tracking]`.
//!
//! The function itself evaluates its fallback, when its body is done with the arguments. It is the function's behaviour,
//! not telemetry: it holds when obs is not initialised as well.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::call_scope::Inside;
use crate::events::failure::Failure;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::performance::{Tracked, enclosing};

/// Runs the body of a function.
#[inline]
pub fn errors<R>(
    mut call: Call,
    body: impl FnOnce() -> R,
    judge: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>,
) -> R {
    if !call.is_on() {
        return body();
    }
    let _inside = call.enclose().enter();
    // Declared after it, so that also a panic ends the call inside of it.
    let mut call = call;
    let value = body();
    call.finish(judge(&value).as_ref(), None);
    value
}

/// The call of a function that calls its body by itself, as one that tells it of its caller has to.
#[derive(Debug)]
pub struct Enclosed {
    // Dropped first, so that also a panic ends the call inside of it.
    call: Call,
    _inside: Option<Inside>,
}

/// Has a call enclose what is called while the scope that holds what is returned runs.
#[inline]
#[must_use]
pub fn enclosed(mut call: Call) -> Enclosed {
    let frame = call.enclose();
    Enclosed { call, _inside: frame.is_some().then(|| frame.enter()) }
}

/// Ends such a call with the value that the body gave.
#[inline]
pub fn enclosed_ended<R>(
    mut enclosed: Enclosed,
    value: R,
    judge: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>,
) -> R {
    if enclosed.call.is_on() {
        enclosed.call.finish(judge(&value).as_ref(), None);
    }
    value
}

/// The same as [`errors`] for an async function.
#[inline]
pub fn errors_async<F, J>(call: Call, future: F, judge: J) -> impl Future<Output = F::Output>
where
    F: Future,
    J: for<'v> FnOnce(&'v F::Output) -> Option<Failure<'v>>,
{
    let end = |call: &mut Call, judge: J, value: &F::Output| {
        if call.is_on() {
            call.finish(judge(value).as_ref(), None);
        }
    };
    Tracked::new(enclosing(call), future, judge, end)
}

/// Runs the body of a function that has a fallback; nothing stands for an error.
#[inline]
pub fn errors_or<R>(
    mut call: Call,
    body: impl FnOnce() -> R,
    judge: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>,
) -> Option<R> {
    call.set_swallows();
    let frame = call.enclose();
    let _inside = frame.is_some().then(|| frame.enter());
    let mut call = call;
    let value = body();
    if finish(&mut call, judge(&value).as_ref()) { None } else { Some(value) }
}

/// The same for an async function.
pub async fn errors_or_async<F, J>(mut call: Call, future: F, judge: J) -> Option<F::Output>
where
    F: Future,
    J: for<'v> FnOnce(&'v F::Output) -> Option<Failure<'v>>,
{
    if !call.is_on() {
        let value = future.await;
        let failed = judge(&value).is_some();
        return (!failed).then_some(value);
    }
    call.set_swallows();
    let failed = AtomicBool::new(false);
    let end = |call: &mut Call, judge: J, value: &F::Output| {
        failed.store(finish(call, judge(value).as_ref()), Ordering::Relaxed);
    };
    let value = Tracked::new(enclosing(call), future, judge, end).await;
    if failed.load(Ordering::Relaxed) { None } else { Some(value) }
}

fn finish(call: &mut Call, failure: Option<&Failure<'_>>) -> bool {
    call.finish(failure, None);
    failure.is_some()
}
