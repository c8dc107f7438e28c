//! What travels with a call: correlation id, user, operation, and what features hang onto it.
//!
//! A context belongs to a thread while a scope is entered there, and to a future while that is polled.

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use crate::event::Scope;

thread_local! {
    static CURRENT: RefCell<Context> = const { RefCell::new(Context(None)) };
    static OPEN: RefCell<Scopes> = const { RefCell::new(Scopes { open: Vec::new(), last: 0 }) };
}

/// The scopes that are entered on this thread, by number, innermost last.
struct Scopes {
    open: Vec<u64>,
    last: u64,
}

impl Scopes {
    fn enter(&mut self) -> u64 {
        self.last += 1;
        self.open.push(self.last);
        self.last
    }

    /// Leaves a scope with all that were entered within it, and says which; none if it has been left with one around it.
    fn leave(&mut self, number: u64) -> Option<Vec<u64>> {
        let at = self.open.iter().rposition(|open| *open == number)?;
        let within = self.open.split_off(at + 1);
        self.open.pop();
        Some(within)
    }
}

/// What travels with a call. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Context(Option<Arc<Inner>>);

#[derive(Clone, Debug, Default)]
struct Inner {
    correlation_id: Option<Arc<str>>,
    user: Option<Arc<str>>,
    operation: Option<Cow<'static, str>>,
    carried: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Context {
    /// The context of this moment on this thread.
    #[must_use]
    pub fn current() -> Self {
        CURRENT.try_with(|current| current.borrow().clone()).unwrap_or_default()
    }

    /// Reads the context of this moment.
    pub fn with_current<R>(read: impl FnOnce(&Self) -> R) -> R {
        // A clone, not a borrow, is what `read` runs under: it may enter scopes of its own.
        read(&Self::current())
    }

    /// Makes this the current context until the guard is dropped.
    #[must_use = "the context is left when the guard is dropped"]
    pub fn enter(self) -> ContextGuard {
        let number = OPEN.try_with(|scopes| scopes.borrow_mut().enter()).unwrap_or_default();
        ContextGuard { number, previous: Self::replace(self), here: PhantomData }
    }

    fn replace(context: Self) -> Self {
        CURRENT.try_with(|current| current.replace(context)).unwrap_or_default()
    }

    fn change(&mut self, change: impl FnOnce(&mut Inner)) {
        change(Arc::make_mut(self.0.get_or_insert_default()));
    }

    /// Hangs something onto the context; what is of the same type is hidden.
    pub fn carry<T: Any + Send + Sync>(&mut self, thing: Arc<T>) {
        self.change(|inner| {
            inner.carried.retain(|other| !other.is::<T>());
            inner.carried.push(thing);
        });
    }

    /// What of that type hangs on the context.
    #[must_use]
    pub fn carried<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let inner = self.0.as_ref()?;
        inner.carried.iter().find_map(|thing| Arc::clone(thing).downcast().ok())
    }

    /// The correlation id.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.as_ref()?.correlation_id.as_deref()
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.0.as_ref()?.operation.as_deref()
    }

    /// Sets the correlation id.
    pub fn set_correlation_id(&mut self, id: &str) {
        self.change(|inner| inner.correlation_id = Some(id.into()));
    }

    /// Sets the user.
    pub fn set_user(&mut self, user: &str) {
        self.change(|inner| inner.user = Some(user.into()));
    }

    /// Sets the operation.
    pub fn set_operation(&mut self, operation: Cow<'static, str>) {
        self.change(|inner| inner.operation = Some(operation));
    }

    /// On whose behalf an event in this context happens.
    #[must_use]
    pub fn scope(&self) -> Scope<'_> {
        self.0.as_ref().map_or_else(Scope::default, |inner| Scope {
            correlation_id: inner.correlation_id.as_deref().map(Cow::Borrowed),
            user: inner.user.as_deref().map(Cow::Borrowed),
            operation: inner.operation.as_deref().map(Cow::Borrowed),
        })
    }
}

/// Leaves a context when it is dropped, also by a panic. It stays on its thread.
///
/// Guards are dropped in the reverse order of their making, as a rule. One that is dropped before a guard that was made
/// within its scope ends that one's scope as well.
#[derive(Debug)]
pub struct ContextGuard {
    number: u64,
    previous: Context,
    here: PhantomData<*const ()>,
}

impl ContextGuard {
    /// Leaves the context, and says which scopes were open within it.
    fn leave(&mut self) -> Vec<u64> {
        let left = OPEN.try_with(|scopes| scopes.borrow_mut().leave(self.number)).ok().flatten();
        left.inspect(|_| drop(Context::replace(std::mem::take(&mut self.previous)))).unwrap_or_default()
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The id of the run or request that this code works for, as it stands in every log line; none outside of any scope.
#[must_use]
pub fn correlation_id() -> Option<String> {
    Context::with_current(|context| context.correlation_id().map(str::to_owned))
}

/// Sets the correlation id of the current scope (of the thread's rest, outside of any).
pub fn set_correlation_id(id: impl AsRef<str>) {
    let mut context = Context::current();
    context.set_correlation_id(id.as_ref());
    Context::replace(context);
}

/// Sets the user of the current scope.
pub fn set_user(user: impl AsRef<str>) {
    let mut context = Context::current();
    context.set_user(user.as_ref());
    Context::replace(context);
}

/// A fresh correlation id: a UUID of version 7, so that ids sort by time.
#[must_use]
pub fn new_correlation_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A scope with its own correlation id, user or operation; what is not set stays as it is outside.
///
/// ```
/// use obs_runtime::{LogContext, correlation_id};
///
/// LogContext::new().correlation_id("run-7").operation("import").scope(|| {
///     assert_eq!(correlation_id().as_deref(), Some("run-7"));
/// });
/// assert_eq!(correlation_id(), None);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a LogContext does nothing before it is entered"]
pub struct LogContext(Context);

impl LogContext {
    /// The current context, to be changed.
    pub fn new() -> Self {
        Self(Context::current())
    }

    /// Sets the correlation id.
    pub fn correlation_id(mut self, id: impl AsRef<str>) -> Self {
        self.0.set_correlation_id(id.as_ref());
        self
    }

    /// Sets the user.
    pub fn user(mut self, user: impl AsRef<str>) -> Self {
        self.0.set_user(user.as_ref());
        self
    }

    /// Sets the operation.
    pub fn operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.set_operation(operation.into());
        self
    }

    /// Enters the scope until the guard is dropped. For futures there is [`in_future`](Self::in_future).
    pub fn enter(self) -> ContextGuard {
        self.0.enter()
    }

    /// Runs a closure in the scope.
    pub fn scope<R>(self, run: impl FnOnce() -> R) -> R {
        let _inside = self.enter();
        run()
    }

    /// Polls a future in the scope, on whichever thread it is polled.
    pub fn in_future<F: Future>(self, future: F) -> InContext<F> {
        InContext::new(self.0, future)
    }
}

impl Default for LogContext {
    fn default() -> Self {
        Self::new()
    }
}

pin_project! {
    /// A future that carries its context over every `.await` and from thread to thread.
    #[derive(Debug)]
    pub struct InContext<F> {
        context: Context,
        // Scopes that the future entered and has not left. They wait with it.
        open: Vec<u64>,
        // None only while this is being dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _inside = enter_again(this.context, this.open);
            this.future.set(None);
        }
    }
}

impl<F> InContext<F> {
    pub(crate) const fn new(context: Context, future: F) -> Self {
        Self { context, open: Vec::new(), future: Some(future) }
    }
}

/// Enters the context of a future, and the scopes that it had not left.
fn enter_again(context: &Context, open: &mut Vec<u64>) -> ContextGuard {
    let inside = context.clone().enter();
    if !open.is_empty() {
        let _ = OPEN.try_with(|scopes| scopes.borrow_mut().open.append(open));
    }
    inside
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut inside = enter_again(this.context, this.open);
        let poll = this.future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(task));
        // What the future set in its own scope is still set when it is polled again.
        *this.context = Context::current();
        *this.open = inside.leave();
        poll
    }
}

/// Carries the context of this moment into a future.
pub trait FutureInContext: Future + Sized {
    /// The future, polled in the context of this moment wherever it is polled.
    ///
    /// ```
    /// # use obs_runtime::{FutureInContext as _, LogContext, correlation_id};
    /// let future = LogContext::new().correlation_id("run-7").scope(|| async { correlation_id() }.in_current_context());
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// assert_eq!(runtime.block_on(future).as_deref(), Some("run-7"));
    /// ```
    fn in_current_context(self) -> InContext<Self> {
        InContext::new(Context::current(), self)
    }
}

impl<F: Future> FutureInContext for F {}

/// Carries the context of this moment into a closure that runs elsewhere: a thread, a pool, `spawn_blocking`.
pub trait ClosureInContext<R>: FnOnce() -> R + Sized {
    /// The closure, run in the context of this moment wherever it is run.
    ///
    /// ```
    /// # use obs_runtime::{ClosureInContext as _, LogContext, correlation_id};
    /// let _inside = LogContext::new().correlation_id("run-7").enter();
    /// let thread = std::thread::spawn(correlation_id.in_current_context());
    /// assert_eq!(thread.join().unwrap().as_deref(), Some("run-7"));
    /// ```
    fn in_current_context(self) -> impl FnOnce() -> R {
        let context = Context::current();
        move || {
            let _inside = context.enter();
            self()
        }
    }
}

impl<R, F: FnOnce() -> R> ClosureInContext<R> for F {}

/// Spawns a task on the current tokio runtime that keeps the context of this moment.
///
/// # Panics
/// As `tokio::spawn`: outside of a tokio runtime.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(future.in_current_context())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_scopes_restore_what_was_there_also_after_a_panic() {
        let outer = LogContext::new().correlation_id("a").user("u").enter();
        let panicked = std::panic::catch_unwind(|| {
            LogContext::new().correlation_id("b").scope(|| {
                Context::with_current(|context| assert_eq!(context.scope().user.as_deref(), Some("u")));
                panic!("inside")
            });
        });
        assert!(panicked.is_err());
        assert_eq!(correlation_id().as_deref(), Some("a"));
        drop(outer);
        assert_eq!(correlation_id(), None);
    }

    #[test]
    fn what_hangs_on_a_context_is_found_by_type() {
        let mut context = Context::default();
        context.carry(Arc::new(5_u8));
        context.carry(Arc::new("x".to_owned()));
        context.carry(Arc::new(6_u8));
        assert_eq!(context.carried::<u8>().as_deref(), Some(&6));
        assert_eq!(context.carried::<u16>(), None);
    }
}
