//! A job with spans of `tracing` around annotated functions and inside of them, in tasks too. With an argument, another job:
//!
//! - `contents`: spans with everything that a span can have, and a second trace.
//! - `context NAME=VALUE…`: a request with these headers. Prints what it passes on, as headers and to a child process; without headers,
//!   that of the process.
//! - `requests`: spans of requests, messages and other things outside of any command.
//! - `pools`: a pool of threads and a stream, inside of spans.
//! - `flood`: a million spans. Prints its peak memory in KiB after some and after all of them.
//! - `sampled`: a hot function whose log lines are sampled.

use futures_util::StreamExt as _;
use obs_runtime::{
    FnInContext as _, LogSampling, Observability, StreamInContext as _, dq_check, health_check, track_performance,
    tracked_command, with_error_tracking,
};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
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

#[track_performance(name = "users.load")]
fn load_users() {
    tracing::info!(
        rows = 5,
        password = "hunter2",
        "loaded by {}",
        "bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    );
    tracing::debug!("below the level");
}

#[health_check(name = "source")]
fn is_reachable() -> bool {
    true
}

#[dq_check(name = "users.rows", for_each = ["a"], fail_above = 9)]
fn count_rows(_table: &str) -> u8 {
    5
}

#[track_performance]
#[with_error_tracking]
fn fails() -> Result<(), std::num::ParseIntError> {
    "nine".parse::<u32>().map(drop)
}

#[track_performance]
fn panics() {
    panic!("asked to panic");
}

#[tracked_command]
fn contents() -> Result<(), std::num::ParseIntError> {
    load_users();
    obs_runtime::run_dq_checks().wait();
    obs_runtime::run_health_checks().wait();
    tracing::info_span!(
        "request",
        otel.name = "GET /users/{id}",
        otel.kind = "client",
        otel.status_code = "ERROR",
        otel.status_message = "no such user",
        rows = 0
    )
    .in_scope(|| {
        for number in 0..130 {
            tracing::info!(number, "retry");
        }
    });
    let _ = std::panic::catch_unwind(panics);
    fails()
}

#[tracked_command]
fn short() {}

#[track_performance(level = "info")]
fn hot() {}

#[track_performance]
fn in_pool(_number: u32) {
    inner();
}

#[track_performance]
async fn in_stream(number: u32) -> u32 {
    tokio::task::yield_now().await;
    number
}

#[tracked_command]
async fn pools() -> Result<(), tokio::task::JoinError> {
    tracing::info_span!("pool").in_scope(|| {
        (0..4).into_par_iter().for_each(in_pool.in_current_context());
    });
    let stream = futures_util::stream::iter(0..3).then(in_stream);
    let stream = tracing::info_span!("stream").in_scope(|| stream.in_current_context());
    // The task knows of the trace by the stream alone.
    tokio::spawn(stream.collect::<Vec<_>>()).await?;
    Ok(())
}

#[track_performance]
fn flooded() {}

#[tracked_command]
fn flood(calls: u32) {
    (0..calls).for_each(|_| flooded());
}

/// The peak of the memory of this process, in KiB.
fn print_peak() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        println!("peak {}", peak.trim().trim_end_matches(" kB"));
    }
}

/// Handles a request.
#[track_performance]
fn handle() {
    for (name, value) in [obs_runtime::context_headers(), obs_runtime::child_env()].concat() {
        println!("{name}={value}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = std::env::args().nth(1);
    let builder = Observability::builder();
    let builder = match argument.as_deref() {
        Some("sampled") => builder.log_sampling(LogSampling::first(2)),
        _ => builder,
    };
    let _guard = builder.init()?;
    match argument.as_deref() {
        Some("contents") => {
            let _ = contents();
            short();
            return Ok(());
        }
        Some("requests") => {
            tracing::info_span!("request", otel.kind = "server", otel.status_code = "error").in_scope(step);
            tracing::info_span!("message", otel.kind = ?opentelemetry::trace::SpanKind::Consumer).in_scope(inner);
            tracing::info_span!("of another kind").in_scope(inner);
            return Ok(());
        }
        Some("pools") => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            runtime.block_on(pools())?;
            return Ok(());
        }
        Some("flood") => {
            // Half of them in a trace of its own each, more than the queue has room for.
            for calls in [25_000, 475_000] {
                (0..calls).for_each(|_| flooded());
                flood(calls);
                print_peak();
            }
            return Ok(());
        }
        Some("context") => {
            let headers: Vec<_> = std::env::args().skip(2).collect();
            if headers.is_empty() {
                handle();
            } else {
                obs_runtime::extract(headers.iter().filter_map(|header| header.split_once('='))).scope(handle);
            }
            return Ok(());
        }
        Some("sampled") => {
            (0..1000).for_each(|_| hot());
            return Ok(());
        }
        _ => {}
    }
    // No trace is recorded here.
    tracing::info_span!("outside").in_scope(|| ());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(spans())?;
    Ok(())
}
