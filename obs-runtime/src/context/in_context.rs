//! Futures, closures and tasks that keep the context in which they were created.

use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::base::call_scope::CallScope;
use crate::context::current::{Context, OpenScopes};
use crate::events::active_span::{self, Active};

pin_project! {
    /// A future that is polled in its own context, on any thread.
    #[derive(Debug)]
    pub struct InContext<F> {
        context: Context,
        // The call and the span that created it. Nothing is allocated without a span.
        call: CallScope,
        span: Option<Box<Active>>,
        // Scopes that the future keeps entered while it is not polled.
        open: OpenScopes,
        // `None` only during drop.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InContext<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _guard = this.context.resume(this.open);
            let (_call, _span) = (this.call.inherit(), this.span.as_ref().and_then(|span| span.inherit()));
            this.future.set(None);
        }
    }
}

impl<F> InContext<F> {
    pub(crate) fn new(context: Context, future: F) -> Self {
        let span = context.boundary().unwrap_or_else(active_span::current);
        Self::of_command(context.within_command(), span, future)
    }

    /// The future of a command, in the context of the command and in its span.
    pub(crate) fn of_command(context: Context, span: Active, future: F) -> Self {
        let call = CallScope::carry();
        let span = (!matches!(span, Active::Nothing)).then(|| Box::new(span));
        Self { context, call, span, open: None, future: Some(future) }
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        match self.poll_inside(|future| future.poll(task)) {
            Poll::Ready(Some(value)) => Poll::Ready(value),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl<F> InContext<F> {
    /// Polls in the context; `Ready(None)` only during drop.
    fn poll_inside<T>(self: Pin<&mut Self>, poll: impl FnOnce(Pin<&mut F>) -> Poll<T>) -> Poll<Option<T>> {
        let this = self.project();
        let mut guard = this.context.resume(this.open);
        let (_call, _span) = (this.call.inherit(), this.span.as_ref().and_then(|span| span.inherit()));
        let polled = this.future.as_pin_mut().map(poll);
        // Keeps changes of the context for the next poll.
        *this.context = Context::current();
        let open = guard.exit();
        *this.open = (!open.is_empty()).then(|| Box::new(open));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    }
}

/// Attaches the current context to a future.
pub trait FutureInContext: Future + Sized {
    /// Wraps the future so that it is polled in the current context, on any thread.
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

/// Attaches the current context to a closure that runs elsewhere: on a thread, in a pool, in `spawn_blocking`.
pub trait ClosureInContext<R>: FnOnce() -> R + Sized {
    /// Wraps the closure so that it runs in the current context, on any thread.
    ///
    /// ```
    /// # use obs_runtime::{ClosureInContext as _, LogContext, correlation_id};
    /// let _guard = LogContext::new().correlation_id("run-7").enter();
    /// let thread = std::thread::spawn(correlation_id.in_current_context());
    /// assert_eq!(thread.join().unwrap().as_deref(), Some("run-7"));
    /// ```
    fn in_current_context(self) -> impl FnOnce() -> R {
        let (context, mut call, span) = (Context::current(), CallScope::carry(), active_span::current());
        move || {
            let _guard = context.enter();
            let (_call, _span) = (call.inherit(), span.inherit());
            self()
        }
    }
}

impl<R, F: FnOnce() -> R> ClosureInContext<R> for F {}

impl<S: Stream> Stream for InContext<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Option<S::Item>> {
        self.poll_inside(|stream| stream.poll_next(task)).map(Option::flatten)
    }
}

/// Attaches the current context to a stream.
///
/// The trait `Stream` is that of `futures_core` 0.3. It is exempt from semver: obs may move to another version of it, which is below
/// 1.0, in a minor release.
pub trait StreamInContext: Stream + Sized {
    /// Wraps the stream so that it is polled in the current context, on any thread.
    ///
    /// ```
    /// # use futures_util::StreamExt as _;
    /// # use obs_runtime::{LogContext, StreamInContext as _, correlation_id};
    /// let ids = futures_util::stream::iter(0..2).map(|_| correlation_id());
    /// let ids = LogContext::new().correlation_id("run-7").scope(|| ids.in_current_context());
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// assert_eq!(runtime.block_on(ids.collect::<Vec<_>>()), [Some("run-7".to_owned()), Some("run-7".to_owned())]);
    /// ```
    fn in_current_context(self) -> InContext<Self> {
        InContext::new(Context::current(), self)
    }
}

impl<S: Stream> StreamInContext for S {}

/// Attaches the current context to a closure with an argument that is called elsewhere, any number of times: by rayon, for example.
pub trait FnInContext<T, R>: Fn(T) -> R + Sized {
    /// Wraps the closure so that each call runs in the current context, on any thread.
    ///
    /// ```
    /// # use obs_runtime::{FnInContext as _, LogContext, correlation_id};
    /// # use rayon::prelude::*;
    /// let _guard = LogContext::new().correlation_id("run-7").enter();
    /// let id = |_: i32| correlation_id();
    /// let ids: Vec<_> = (0..2).into_par_iter().map(id.in_current_context()).collect();
    /// assert_eq!(ids, [Some("run-7".to_owned()), Some("run-7".to_owned())]);
    /// ```
    fn in_current_context(self) -> impl Fn(T) -> R {
        let (context, call, span) = (Context::current(), CallScope::carry(), active_span::current());
        move |argument| {
            let _guard = context.clone().enter();
            let mut call = call.share();
            let (_call, _span) = (call.inherit(), span.inherit());
            self(argument)
        }
    }
}

impl<T, R, F: Fn(T) -> R> FnInContext<T, R> for F {}

/// Spawns a task on the current tokio runtime, in the current context. [`JoinSet`](crate::JoinSet) does so for many.
///
/// # Panics
/// Panics outside of a tokio runtime, as `tokio::spawn` does.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    tokio::spawn(future.in_current_context())
}
