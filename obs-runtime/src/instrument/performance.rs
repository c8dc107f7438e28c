//! Operations: their durations and outcomes.
//!
//! Each wrapper is given the body of a function and a closure that judges its value: it ends the call, by an error if the value is
//! one, and returns whether it is. It does not return the error, which borrows from the value: the compiler refuses such a closure
//! for types with several lifetimes of which a `where` clause binds one (<https://github.com/rust-lang/rust/issues/148289>).

use std::borrow::Cow;
use std::fmt::Display;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;

use crate::base::call_scope::{CallScope, ScopeGuard};
use crate::base::outcome::Outcome;
use crate::events::active_span::SpanGuard;
use crate::events::failure::Failure;
use crate::instrument::call::tracked_call::Call;

/// Runs the body of a function with `#[track_performance]`.
#[inline]
pub fn performance<R>(mut call: Call, body: impl FnOnce() -> R, judge: impl FnOnce(&R, &mut Call) -> bool) -> R {
    let value = body();
    finish_judged(&mut call, judge, &value);
    call.dismiss();
    value
}

/// Judges a value that is no error.
#[inline]
pub fn no_error<T>(_: &T, call: &mut Call) -> bool {
    call.judged(None)
}

/// Ends a call with the return value of the function.
#[inline]
pub fn ended<R>(mut call: Call, value: R, judge: impl FnOnce(&R, &mut Call) -> bool) -> R {
    if call.is_on() {
        judge(&value, &mut call);
    }
    call.dismiss();
    value
}

/// The call of a function whose return value is never an error. It ends when this is dropped.
#[derive(Debug)]
pub struct FinishOnDrop {
    call: Call,
    /// Whether it started while the thread was already panicking, in a destructor.
    in_panic: bool,
}

/// Ends the call when the returned value is dropped.
#[inline]
#[must_use]
pub fn performance_in_place(call: Call) -> FinishOnDrop {
    FinishOnDrop { call, in_panic: std::thread::panicking() }
}

impl Drop for FinishOnDrop {
    #[inline]
    fn drop(&mut self) {
        // Otherwise the drop of the call reports the panic.
        if self.call.is_on() && (!std::thread::panicking() || self.in_panic && !self.call.has_panicked()) {
            self.call.finish(None);
        }
    }
}

/// Like [`performance`], for an async function.
#[inline]
pub fn performance_async<F, J>(call: Call, future: F, judge: J) -> impl Future<Output = F::Output>
where
    F: Future,
    J: FnOnce(&F::Output, &mut Call) -> bool,
{
    Tracked::new(call, future, judge, finish_judged)
}

/// Ends a call by its value.
#[inline]
pub fn finish_judged<T>(call: &mut Call, judge: impl FnOnce(&T, &mut Call) -> bool, value: &T) {
    if call.is_on() {
        judge(value, call);
    }
}

/// Judges a result whose error has `Display`.
pub fn judge_displayed<T, E: Display>(value: &Result<T, E>, call: &mut Call) -> bool {
    call.judged(value.as_ref().err().map(Failure::display))
}

/// Holds the call of a [`Tracked`] future.
pub trait CallSlot {
    /// What is entered for one poll of the future.
    type Entered<'c>
    where
        Self: 'c;

    /// The call, if it is recorded.
    fn call(&mut self) -> Option<&mut Call>;

    /// The same, with its span and its scope entered.
    fn enter(&mut self) -> Option<(&mut Call, Self::Entered<'_>)>;
}

impl CallSlot for Call {
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

/// Boxed, so that the future stays small. For calls that are not performance critical.
impl CallSlot for Option<Box<Call>> {
    type Entered<'c> = Option<SpanGuard>;

    fn call(&mut self) -> Option<&mut Call> {
        self.as_deref_mut()
    }

    fn enter(&mut self) -> Option<(&mut Call, Option<SpanGuard>)> {
        self.as_deref_mut()?.enter()
    }
}

/// Boxes a call for a future.
pub fn boxed(call: Call) -> Option<Box<Call>> {
    call.is_on().then(|| Box::new(call))
}

/// A call with a scope, and what else a future keeps of it. Boxed, so that the future stays small.
pub struct Enclosing<W = ()> {
    scope: CallScope,
    // None only during the drop.
    call: Option<Call>,
    /// What else is kept.
    pub with: W,
}

impl<W> Enclosing<W> {
    /// A call in a scope, also one of which nothing is recorded but that keeps something until it ends.
    pub fn new(mut call: Call, with: W) -> Self {
        call.set_encloses();
        Self { scope: CallScope::default(), call: Some(call), with }
    }
}

impl<W> CallSlot for Option<Box<Enclosing<W>>> {
    type Entered<'c>
        = (ScopeGuard<'c>, Option<SpanGuard>)
    where
        W: 'c;

    fn call(&mut self) -> Option<&mut Call> {
        self.as_deref_mut()?.call.as_mut()
    }

    fn enter(&mut self) -> Option<(&mut Call, Self::Entered<'_>)> {
        let Enclosing { scope, call, .. } = self.as_deref_mut()?;
        let call = call.as_mut()?;
        let span = call.enter_span();
        Some((call, (scope.enter_for_poll(), span)))
    }
}

impl<W> Drop for Enclosing<W> {
    fn drop(&mut self) {
        let _scope = self.scope.enter_for_poll();
        self.call = None;
    }
}

/// A call with a scope, for a [`Tracked`] future.
pub fn enclosing(call: Call) -> Option<Box<Enclosing>> {
    call.is_on().then(|| Box::new(Enclosing::new(call, ())))
}

pin_project! {
    /// A future whose call ends when the future is ready, panics or is dropped.
    pub struct Tracked<F, J, E, C>
    where
        C: CallSlot,
    {
        #[pin]
        future: F,
        call: C,
        judge: Option<(J, E)>,
    }

    impl<F, J, E, C> PinnedDrop for Tracked<F, J, E, C>
    where
        C: CallSlot,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.call.call().is_some_and(|call| call.has_kept_scope())
                && let Some((call, _entered)) = this.call.enter()
            {
                call.enter_own_scope().call.end_unfinished();
            }
        }
    }
}

impl<F, J, E, C> Tracked<F, J, E, C>
where
    F: Future,
    E: FnOnce(&mut Call, J, &F::Output),
    C: CallSlot,
{
    /// Calls `end` when `future` is ready.
    #[inline]
    pub fn new(mut call: C, future: F, judge: J, end: E) -> Self {
        if let Some(call) = call.call() {
            call.set_unless_finished(Outcome::Cancelled);
            call.end_own_scope();
            if call.entry().is_some() {
                call.leave_span();
            }
        }
        Self { future, call, judge: Some((judge, end)) }
    }

    /// What holds the call.
    pub fn slot(self: Pin<&mut Self>) -> &mut C {
        self.project().call
    }
}

impl<F, J, E, C> Future for Tracked<F, J, E, C>
where
    F: Future,
    E: FnOnce(&mut Call, J, &F::Output),
    C: CallSlot,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some((call, _entered)) = this.call.enter() else { return this.future.poll(task) };
        let own = call.enter_own_scope();
        let call = &mut *own.call;
        // Unwinding out of here is a panic, being dropped between two polls is not.
        call.set_unless_finished(Outcome::Panic);
        let poll = this.future.poll(task);
        match &poll {
            Poll::Pending => {
                call.set_unless_finished(Outcome::Cancelled);
                // Another thread may poll it next. The first poll is always on the thread that started the call.
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

/// Measures a closure as an operation (`operation.*`), like `#[track_performance]`. The outcome is `ok` for any return value;
/// use [`track_performance_result`] to count errors.
///
/// Nothing is measured before [`init_observability`](crate::init_observability).
///
/// ```
/// let rows = obs_runtime::track_performance("parse", || 42);
/// assert_eq!(rows, 42);
/// ```
#[track_caller]
pub fn track_performance<R>(name: impl Into<Cow<'static, str>>, run: impl FnOnce() -> R) -> R {
    match Call::manual(name.into(), false, Location::caller()) {
        Some(call) => performance(call, run, no_error),
        None => run(),
    }
}

/// Measures a closure as an operation. The outcome is `error` if it returns `Err`.
///
/// # Errors
/// The error of the closure, unchanged.
#[track_caller]
pub fn track_performance_result<T, E: Display>(
    name: impl Into<Cow<'static, str>>,
    run: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    match Call::manual(name.into(), false, Location::caller()) {
        Some(call) => performance(call, run, judge_displayed),
        None => run(),
    }
}

/// Measures a future as an operation. The outcome is `cancelled` if it is dropped before it is ready.
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
            Some(call) => performance_async(call, future, no_error).await,
            None => future.await,
        }
    }
}
