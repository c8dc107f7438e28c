//! Operations: how long they take and how they end.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::base::call_scope::{CallScope, ScopeGuard};
use crate::base::outcome::Outcome;
use crate::base::span_buffer::SpanGuard;
use crate::events::failure::Failure;
use crate::instrument::call::tracked_call::Call;

/// Runs the body of a function under `#[track_performance]`.
#[inline]
pub fn performance<R>(
    call: Call,
    body: impl FnOnce() -> R,
    judge: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>,
) -> R {
    let value = body();
    ended(call, value, judge)
}

/// Ends a call with the value that the function gave.
#[inline]
pub fn ended<R>(mut call: Call, value: R, judge: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>) -> R {
    if call.is_on() {
        call.finish(judge(&value).as_ref(), None);
    }
    call.dismiss();
    value
}

/// The call of a function no value of which is an error: it ends when the function's body is left, by a panic or not.
#[derive(Debug)]
pub struct UntilLeft {
    call: Call,
    /// Whether it began while the thread unwound, as what a destructor calls does.
    in_panic: bool,
}

/// Has a call end with the scope that holds what is returned.
#[inline]
#[must_use]
pub fn until_left(call: Call) -> UntilLeft {
    UntilLeft { call, in_panic: std::thread::panicking() }
}

impl Drop for UntilLeft {
    #[inline]
    fn drop(&mut self) {
        // Otherwise the call itself tells the panic when it is dropped.
        if self.call.is_on() && (!std::thread::panicking() || self.in_panic && !self.call.has_panicked()) {
            self.call.finish(None, None);
        }
    }
}

/// The same as [`performance`] for an async function.
#[inline]
pub fn performance_async<F, J>(call: Call, future: F, judge: J) -> impl Future<Output = F::Output>
where
    F: Future,
    J: for<'v> FnOnce(&'v F::Output) -> Option<Failure<'v>>,
{
    let end = |call: &mut Call, judge: J, value: &F::Output| {
        if call.is_on() {
            call.finish(judge(value).as_ref(), None);
        }
    };
    Tracked::new(call, future, judge, end)
}

/// A call beside the future that it is of.
pub trait BesideFuture {
    /// What is entered for one poll of the future.
    type Entered<'c>
    where
        Self: 'c;

    /// The call, unless nothing is recorded.
    fn call(&mut self) -> Option<&mut Call>;

    /// The same, with its span and its scope entered.
    fn enter(&mut self) -> Option<(&mut Call, Self::Entered<'_>)>;
}

impl BesideFuture for Call {
    type Entered<'c> = Option<SpanGuard>;

    #[inline]
    fn call(&mut self) -> Option<&mut Call> {
        Some(self)
    }

    #[inline]
    fn enter(&mut self) -> Option<(&mut Call, Option<SpanGuard>)> {
        let span = self.enter_span();
        Some((self, span))
    }
}

/// A call that is not among the hottest, out of the future's way: a future that is moved around stays small.
impl BesideFuture for Option<Box<Call>> {
    type Entered<'c> = Option<SpanGuard>;

    fn call(&mut self) -> Option<&mut Call> {
        self.as_deref_mut()
    }

    fn enter(&mut self) -> Option<(&mut Call, Option<SpanGuard>)> {
        self.as_deref_mut()?.enter()
    }
}

/// A call to stand beside a future for less than its own size.
pub fn boxed(call: Call) -> Option<Box<Call>> {
    call.is_on().then(|| Box::new(call))
}

/// A call with a scope, out of the future's way.
pub struct Enclosing {
    scope: CallScope,
    // None only while this is being dropped.
    call: Option<Call>,
}

impl BesideFuture for Option<Box<Enclosing>> {
    type Entered<'c> = (ScopeGuard<'c>, Option<SpanGuard>);

    fn call(&mut self) -> Option<&mut Call> {
        self.as_deref_mut()?.call.as_mut()
    }

    fn enter(&mut self) -> Option<(&mut Call, Self::Entered<'_>)> {
        let Enclosing { scope, call } = self.as_deref_mut()?;
        let call = call.as_mut()?;
        let span = call.enter_span();
        Some((call, (scope.enter_for_poll(), span)))
    }
}

impl Drop for Enclosing {
    fn drop(&mut self) {
        let _scope = self.scope.enter_for_poll();
        self.call = None;
    }
}

/// A call with a scope, to stand beside a future.
pub fn enclosing(mut call: Call) -> Option<Box<Enclosing>> {
    if !call.is_on() {
        return None;
    }
    call.set_encloses();
    Some(Box::new(Enclosing { scope: CallScope::default(), call: Some(call) }))
}

pin_project! {
    /// A future whose call ends with it: ready, by a panic, or dropped before.
    pub struct Tracked<F, J, E, C> {
        #[pin]
        future: F,
        call: C,
        judge: Option<(J, E)>,
    }
}

impl<F, J, E, C> Tracked<F, J, E, C>
where
    F: Future,
    E: FnOnce(&mut Call, J, &F::Output),
    C: BesideFuture,
{
    /// Ends `call` by `end` when `future` is ready.
    #[inline]
    pub fn new(mut call: C, future: F, judge: J, end: E) -> Self {
        if let Some(call) = call.call() {
            call.set_unless_finished(Outcome::Cancelled);
            if call.entry().is_some() {
                call.leave_span();
            }
        }
        Self { future, call, judge: Some((judge, end)) }
    }
}

impl<F, J, E, C> Future for Tracked<F, J, E, C>
where
    F: Future,
    E: FnOnce(&mut Call, J, &F::Output),
    C: BesideFuture,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some((call, _entered)) = this.call.enter() else { return this.future.poll(task) };
        // Unwinding out of here is a panic, being dropped between two polls is not.
        call.set_unless_finished(Outcome::Panic);
        let poll = this.future.poll(task);
        match &poll {
            Poll::Pending => {
                call.set_unless_finished(Outcome::Cancelled);
                // It may be polled next by another thread. It began on this one: generated code begins a call and polls
                // it in one go.
                call.may_move();
            }
            Poll::Ready(value) => {
                if let Some((judge, end)) = this.judge.take() {
                    end(call, judge, value);
                }
            }
        }
        poll
    }
}

/// Measures a closure as an operation: `operation.*`, as `#[track_performance]` does. What it returns is judged ok; give
/// a `Result` to [`track_performance_result`] to have its errors counted as such.
///
/// Nothing is measured before [`init_observability`](crate::init_observability) was called.
///
/// ```
/// let rows = obs_runtime::track_performance("parse", || 42);
/// assert_eq!(rows, 42);
/// ```
#[track_caller]
pub fn track_performance<R>(name: impl Into<Cow<'static, str>>, run: impl FnOnce() -> R) -> R {
    match Call::manual(name.into(), false, Location::caller()) {
        Some(call) => performance(call, run, |_| None),
        None => run(),
    }
}

/// Measures a closure as an operation, with the outcome that its `Result` tells.
///
/// # Errors
/// Those of the closure, untouched.
#[track_caller]
pub fn track_performance_result<T, E: std::fmt::Display>(
    name: impl Into<Cow<'static, str>>,
    run: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    match Call::manual(name.into(), false, Location::caller()) {
        Some(call) => performance(call, run, |value| value.as_ref().err().map(Failure::display)),
        None => run(),
    }
}

/// Measures a future as an operation; when it is dropped before it is ready, the outcome is `cancelled`.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let rows = obs_runtime::track_performance_async("parse", async { 42 }).await;
/// assert_eq!(rows, 42);
/// # });
/// ```
#[track_caller]
pub fn track_performance_async<F: Future>(
    name: impl Into<Cow<'static, str>>,
    future: F,
) -> impl Future<Output = F::Output> {
    let (name, place) = (name.into(), Location::caller());
    async move {
        match Call::manual(name, false, place) {
            Some(call) => performance_async(call, future, |_| None).await,
            None => future.await,
        }
    }
}
