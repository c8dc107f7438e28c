//! Waiting for checks without blocking a thread that has other things to do.

use std::future::Future;

use tokio::sync::oneshot;

use crate::context::current::Context;

/// Does the work on a thread of its own, in this context; the future works on any executor. Where no thread can be
/// started, the work is done when the future is polled.
pub fn on_a_thread<R: Send + 'static>(
    work: impl FnOnce() -> R + Clone + Send + 'static,
) -> impl Future<Output = R> + Send + 'static {
    let context = Context::current();
    async move {
        let (done, result) = oneshot::channel();
        let (inside, there) = (context.clone(), work.clone());
        let run = move || {
            let _inside = inside.enter();
            // Nobody waits any more when the future was dropped.
            let _ = done.send(there());
        };
        let started = std::thread::Builder::new().name("obs-checks".to_owned()).spawn(run);
        if started.is_ok()
            && let Ok(result) = result.await
        {
            return result;
        }
        let _inside = context.enter();
        work()
    }
}
