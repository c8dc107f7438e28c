//! A job with spans of `tracing` around annotated functions and inside of them, in tasks too.

use obs_runtime::{track_performance, tracked_command};
use tracing::Instrument as _;

#[track_performance]
fn step() {
    tracing::info_span!("in_library", rows = 5, password = "hunter2").in_scope(|| {
        tracing::debug_span!("below_the_level").in_scope(inner);
    });
}

#[track_performance]
fn inner() {}

#[track_performance]
async fn in_task() {
    tokio::task::yield_now().await;
    inner();
}

#[tracked_command]
async fn spans() -> Result<(), tokio::task::JoinError> {
    {
        let around = tracing::info_span!("around", table = tracing::field::Empty);
        let _around = around.enter();
        around.record("table", "users");
        step();
    }
    // The task knows of the trace by its span alone.
    tokio::spawn(in_task().instrument(tracing::info_span!("task"))).await?;
    let explicit = tracing::info_span!("explicit");
    tracing::info_span!(parent: &explicit, "child_of_explicit").in_scope(inner);
    tracing::info_span!(parent: None, "of_no_trace").in_scope(|| ());
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = obs_runtime::init_observability()?;
    // No trace is recorded here.
    tracing::info_span!("outside").in_scope(|| ());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(spans())?;
    Ok(())
}
