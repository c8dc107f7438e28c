//! The end of an async command: its future waits for the flush without blocking its executor.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::base::clock::Stamp;
use crate::events::panics;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::performance::{Enclosing, Tracked};
use crate::pipeline::async_flush::{FlushWait, flush_in_background};

/// What the future of a command does with its output while the exporters are flushed.
pub trait AtEnd<T> {
    /// The output that waits for the flush.
    type Waiting: Default;

    /// Keeps the output until the flush has ended, or returns it.
    fn keep(waiting: &mut Self::Waiting, flush: FlushWait, output: T) -> Option<T>;

    /// The output that was kept, once the flush has ended. `None` if none was kept.
    fn poll(waiting: &mut Self::Waiting, task: &mut Context<'_>) -> Option<Poll<T>>;
}

/// The future returns its output at once. For outputs that are not `Send`: keeping one would take `Send` from the future.
#[derive(Clone, Copy, Debug)]
pub struct ReturnAtOnce;

/// The future returns its output after the flush.
#[derive(Clone, Copy, Debug)]
pub struct ReturnAfterFlush;

impl<T> AtEnd<T> for ReturnAtOnce {
    type Waiting = ();

    fn keep((): &mut (), _: FlushWait, output: T) -> Option<T> {
        Some(output)
    }

    fn poll((): &mut (), _: &mut Context<'_>) -> Option<Poll<T>> {
        None
    }
}

impl<T> AtEnd<T> for ReturnAfterFlush {
    type Waiting = Option<(FlushWait, T)>;

    fn keep(waiting: &mut Self::Waiting, flush: FlushWait, output: T) -> Option<T> {
        *waiting = Some((flush, output));
        None
    }

    fn poll(waiting: &mut Self::Waiting, task: &mut Context<'_>) -> Option<Poll<T>> {
        let flush = Pin::new(&mut waiting.as_mut()?.0);
        if flush.poll(task).is_pending() {
            return Some(Poll::Pending);
        }
        waiting.take().map(|waited| Poll::Ready(waited.1))
    }
}

pin_project! {
    /// Notes the message of a panic of the future, as [`panics::noted`] does.
    #[derive(Debug)]
    pub struct Noted<F> {
        #[pin]
        future: F,
    }
}

impl<F> Noted<F> {
    /// Runs this future.
    pub const fn new(future: F) -> Self {
        Self { future }
    }
}

impl<F: Future> Future for Noted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.project().future;
        panics::noted(Stamp::now(), || future.poll(task))
    }
}

/// What is kept of a command beside its call.
struct Flushing<W> {
    /// Whether it is the outermost command, which flushes every exporter.
    flushes: bool,
    waiting: W,
}

type Slot<W> = Option<Box<Enclosing<Flushing<W>>>>;

pin_project! {
    /// The future of a command. If the command is the outermost one, requests a flush at its end.
    pub struct CommandFuture<F, J, E, A>
    where
        F: Future,
        A: AtEnd<F::Output>,
    {
        #[pin]
        tracked: Tracked<F, J, E, Slot<A::Waiting>>,
    }
}

impl<F, J, E, A> CommandFuture<F, J, E, A>
where
    F: Future,
    E: FnOnce(&mut Call, J, &F::Output),
    A: AtEnd<F::Output>,
{
    /// Calls `end` when `future` is ready.
    pub fn new(call: Call, flushes: bool, future: F, judge: J, end: E) -> Self {
        let call = Some(Box::new(Enclosing::new(call, Flushing { flushes, waiting: A::Waiting::default() })));
        Self { tracked: Tracked::new(call, future, judge, end) }
    }
}

impl<F, J, E, A> Future for CommandFuture<F, J, E, A>
where
    F: Future,
    E: FnOnce(&mut Call, J, &F::Output),
    A: AtEnd<F::Output>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let mut tracked = self.project().tracked;
        if let Some(slot) = tracked.as_mut().slot()
            && let Some(poll) = A::poll(&mut slot.with.waiting, task)
        {
            return poll;
        }
        let output = ready!(tracked.as_mut().poll(task));
        let Some(Flushing { flushes: true, waiting }) = tracked.slot().as_mut().map(|slot| &mut slot.with) else {
            return Poll::Ready(output);
        };
        match flush_in_background() {
            None => Poll::Ready(output),
            Some(flush) => match A::keep(waiting, flush, output) {
                Some(output) => Poll::Ready(output),
                None => A::poll(waiting, task).unwrap_or(Poll::Pending),
            },
        }
    }
}
