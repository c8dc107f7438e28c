//! Waiting for checks without blocking the thread that polls.

use std::future::Future;

use tokio::sync::oneshot;

use crate::context::current::Context;
use crate::events::active_span;

/// Runs the closure on a new thread, in this context. The future works on any executor. If no thread can be started, the
/// closure runs when the future is polled.
pub fn run_in_background<R: Send + 'static>(
    work: impl FnOnce() -> R + Clone + Send + 'static,
) -> impl Future<Output = R> + Send + 'static {
    let (context, active) = (Context::current(), active_span::current());
    async move {
        let (done, result) = oneshot::channel();
        let (thread_context, thread_active, thread_work) = (context.clone(), active.clone(), work.clone());
        let run = move || {
            let (_inside, _span) = (thread_context.enter(), thread_active.inherit());
            // Fails when the future was dropped.
            let _ = done.send(thread_work());
        };
        let started = std::thread::Builder::new().name("obs-checks".to_owned()).spawn(run);
        if started.is_ok()
            && let Ok(result) = result.await
        {
            return result;
        }
        let (_inside, _span) = (context.enter(), active.inherit());
        work()
    }
}
