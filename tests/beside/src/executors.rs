//! Executors other than tokio's.

use obs_runtime::{FnInContext as _, FutureInContext as _, LogContext};
use rayon::prelude::*;
use serde_json::Value;

use crate::Result;
use crate::order::{Nothing, Order, start};
use crate::work::{REQUESTS, finish, handle, metrics};

fn context(number: u64) -> LogContext {
    LogContext::new().correlation_id(format!("id-{number}")).user(format!("user-{number}"))
}

fn measured() -> Value {
    metrics(&[
        ("operation.success", &[("operation", "handle")]),
        ("operation.error", &[("operation", "handle"), ("error_type", "Rejected")]),
        ("handled", &[]),
    ])
}

/// Jobs of a pool, each of which divides its work again.
pub fn rayon(order: Order) -> Result<Value> {
    let _guard = start(order, Nothing)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build()?;
    // A thread that waits for parts of one job runs other jobs meanwhile: they are not in the context of that one.
    let job = |first: u64| {
        let context = if first.is_multiple_of(200) { context(first) } else { context(first).field("odd", first) };
        context.scope(|| {
            let part = |number: u64| {
                tracing::info!(number, "begun");
                obs_runtime::track_performance_result("handle", || finish(number)).is_ok()
            };
            let parts = (first..first + 100).into_par_iter().map(part.in_current_context());
            parts.filter(|is_ok| *is_ok).count()
        })
    };
    let ended: usize = pool
        .install(|| (0..REQUESTS / 100).into_par_iter().map(|index| index * 100).map(job.in_current_context()).sum());
    assert_eq!(ended as u64, REQUESTS / 10 * 9);
    Ok(measured())
}

/// Tasks of an executor with four threads.
pub fn smol(order: Order) -> Result<Value> {
    let _guard = start(order, Nothing)?;
    let executor = smol::Executor::new();
    let (stop, stopped) = smol::channel::unbounded::<()>();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        smol::block_on(async {
            let tasks: Vec<_> = (0..REQUESTS)
                .map(|number| executor.spawn(context(number).scope(|| handle(number).in_current_context())))
                .collect();
            for task in tasks {
                let _ = task.await;
            }
        });
        drop(stop);
    });
    Ok(measured())
}
