//! Futures, closures and tasks that take the context of where they were made along.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use crate::base::call_scope;
use crate::base::call_scope::Carried;
use crate::context::current::{Context, OpenScopes};

pin_project! {
    /// A future that carries its context over every `.await` and from thread to thread.
    #[derive(Debug)]
    pub struct InContext<F> {
        context: Context,
        // The call from which it was carried away.
        frame: Carried,
        // Scopes that the future entered and has not left. They wait with it.
        open: OpenScopes,
        // None only while this is being dropped.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _inside = this.context.enter_again(this.open);
            this.future.set(None);
        }
    }
}

impl<F> InContext<F> {
    pub(crate) fn new(context: Context, future: F) -> Self {
        Self { context, frame: call_scope::carried(), open: None, future: Some(future) }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut inside = this.context.enter_again(this.open);
        let _frame = call_scope::inherit(*this.frame);
        let poll = this.future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(task));
        // What the future set in its own scope is still set when it is polled again.
        *this.context = Context::current();
        let open = inside.leave();
        *this.open = (!open.is_empty()).then(|| Box::new(open));
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
        let (context, frame) = (Context::current(), call_scope::carried());
        move || {
            let _inside = context.enter();
            let _frame = call_scope::inherit(frame);
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
