//! Runs the body of a function under `#[with_error_tracking]`.
//!
//! The function itself evaluates its fallback, after its body. The fallback is the function's behaviour, not telemetry: it
//! holds when obs is not initialised as well.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::call_scope::ScopeGuard;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::performance::{Tracked, enclosing, finish_judged};

/// Runs the body of a function.
#[inline]
pub fn errors<R>(mut call: Call, body: impl FnOnce() -> R, judge: impl FnOnce(&R, &mut Call) -> bool) -> R {
    if !call.is_on() {
        return body();
    }
    let _scope = call.enclose();
    // Declared after the scope, so that a panic ends the call inside of it.
    let mut call = call;
    let value = body();
    judge(&value, &mut call);
    value
}

/// The call of a function that runs its body itself, as a `#[track_caller]` function has to.
#[derive(Debug)]
pub struct Enclosed {
    // Dropped first, so that a panic ends the call inside of the scope.
    call: Call,
    _scope: Option<ScopeGuard<'static>>,
}

/// Enters the scope of a call for as long as the returned value lives.
#[inline]
#[must_use]
pub fn enclosed(mut call: Call) -> Enclosed {
    let scope = call.enclose();
    Enclosed { call, _scope: scope }
}

/// Ends such a call with the value that the body returned.
#[inline]
pub fn enclosed_ended<R>(mut enclosed: Enclosed, value: R, judge: impl FnOnce(&R, &mut Call) -> bool) -> R {
    if enclosed.call.is_on() {
        judge(&value, &mut enclosed.call);
    }
    value
}

/// The same as [`errors`] for an async function.
#[inline]
pub fn errors_async<F, J>(call: Call, future: F, judge: J) -> impl Future<Output = F::Output>
where
    F: Future,
    J: FnOnce(&F::Output, &mut Call) -> bool,
{
    Tracked::new(enclosing(call), future, judge, finish_judged)
}

/// Runs the body of a function that has a fallback. `None` is an error.
#[inline]
pub fn errors_or<R>(mut call: Call, body: impl FnOnce() -> R, judge: impl FnOnce(&R, &mut Call) -> bool) -> Option<R> {
    call.set_swallows();
    let _scope = call.enclose();
    let mut call = call;
    let value = body();
    if judge(&value, &mut call) { None } else { Some(value) }
}

/// The same for an async function.
pub async fn errors_or_async<F, J>(mut call: Call, future: F, judge: J) -> Option<F::Output>
where
    F: Future,
    J: FnOnce(&F::Output, &mut Call) -> bool,
{
    if !call.is_on() {
        let value = future.await;
        return if judge(&value, &mut call) { None } else { Some(value) };
    }
    call.set_swallows();
    let failed = AtomicBool::new(false);
    let end = |call: &mut Call, judge: J, value: &F::Output| {
        failed.store(judge(value, call), Ordering::Relaxed);
    };
    let value = Tracked::new(enclosing(call), future, judge, end).await;
    if failed.load(Ordering::Relaxed) { None } else { Some(value) }
}
