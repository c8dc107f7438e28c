//! A scheduled job that handles an error, captures a message, and then ends according to its first argument.

use std::fmt;
use std::io::Write as _;

use obs_runtime::{
    Breadcrumb, ErrorKind, Level, LogContext, add_breadcrumb, capture_error, capture_message, child_env,
    context_headers, set_user, track_performance, track_request, tracked_command, with_error_tracking,
};

#[derive(Debug, ErrorKind)]
enum LoadError {
    BadRow { row: u32, source: std::num::ParseIntError },
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::BadRow { row, source: _ } = self;
        write!(formatter, "row {row} is bad")
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let Self::BadRow { row: _, source } = self;
        Some(source)
    }
}

type Boxed = Box<dyn std::error::Error + Send + Sync>;

#[with_error_tracking(context(row = row))]
#[track_performance(tags(format = "csv"))]
#[inline(never)]
fn parse_row(row: u32) -> Result<u32, LoadError> {
    "x".parse().map_err(|source| LoadError::BadRow { row, source })
}

#[with_error_tracking(args(file))]
#[inline(never)]
fn load_file(file: &str) -> Result<u32, Boxed> {
    Ok(parse_row(u32::try_from(file.len())?)?)
}

#[track_performance(args(day = "monday"))]
fn load_day() -> Result<u32, Boxed> {
    load_file("users.csv")
}

#[with_error_tracking(severity = "critical")]
fn give_up() -> Result<(), Boxed> {
    Err("asked to fail".into())
}

#[with_error_tracking]
fn panic_in_it(number: u32) {
    panic!("asked to panic with {number}");
}

#[track_performance]
fn hot(number: u64) -> u64 {
    number.rotate_left(3)
}

#[track_performance]
fn after_the_hot_one() {}

#[track_performance]
fn waits_for_the_feed() -> Result<(), Boxed> {
    println!("ready");
    std::io::stdout().flush()?;
    loop {
        std::thread::park();
    }
}

/// How many events an exporter has dropped for this reason.
fn dropped(sink: &str, reason: &str) -> u64 {
    let status = obs_runtime::status();
    let of_sink = status.sinks.iter().filter(|known| known.name == sink).flat_map(|sink| &sink.dropped);
    of_sink.filter(|(known, _)| **known == reason).map(|(_, number)| *number).sum()
}

/// Captures a message again and again, until a line comes on standard input.
fn capture_until_a_line_comes() {
    let line = std::thread::spawn(|| std::io::stdin().read_line(&mut String::new()));
    while !line.is_finished() {
        capture_message(Level::Warning, "after the limit");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Waits until this many items were dropped because of a rate limit.
fn wait_for_rate_limit(items: u64) {
    while dropped("sentry", "rate_limited") < items {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[tracked_command(
    cron = "0 3 * * *",
    timezone = "Europe/Berlin",
    max_runtime = "30m",
    margin = "5m",
    args(way),
    tags(team = "growth")
)]
fn errors_job(way: &str) -> Result<(), Boxed> {
    if way == "limited" || way == "recovers" {
        // The server has refused the check-in.
        wait_for_rate_limit(1);
    }
    set_user("ada");
    tracing::debug!("below the level of breadcrumbs");
    tracing::info!(rows = 3, "the manifest is read");
    add_breadcrumb(Breadcrumb::new("GET /users.csv").category("http").field("status", 200));
    if let Err(error) = load_day() {
        tracing::error!(error = %error, "a day is left out");
        capture_error(&*error);
    }
    capture_message(Level::Warning, "the feed of 2026-11-26 is empty");
    match way {
        "return" | "limited" => Ok(()),
        "error" => give_up(),
        "untracked" => Err("asked to fail untracked".into()),
        "panic" => {
            panic_in_it(7);
            Ok(())
        }
        "thread" => {
            let panicked = std::thread::spawn(|| panic!("asked to panic elsewhere")).join();
            if panicked.is_err() { Ok(()) } else { Err("it did not panic".into()) }
        }
        "task" => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
            let task = runtime.block_on(async { tokio::spawn(async { panic_in_it(8) }).await });
            if task.is_err() { Ok(()) } else { Err("it did not panic".into()) }
        }
        "not-text" => std::panic::panic_any(vec![1_u8]),
        "twice" => {
            struct PanicsToo;
            impl Drop for PanicsToo {
                fn drop(&mut self) {
                    panic!("asked to panic while it panics");
                }
            }
            let _panics_too = PanicsToo;
            panic_in_it(9);
            Ok(())
        }
        "exit" => obs_runtime::exit(7),
        "hot" => {
            println!("sum {}", (0..1_300).map(hot).fold(0, u64::wrapping_add));
            after_the_hot_one();
            Ok(())
        }
        "wait" => waits_for_the_feed(),
        "recovers" => {
            capture_until_a_line_comes();
            Ok(())
        }
        "storm" => {
            for _ in 0..100_000 {
                let _ = give_up();
            }
            // Until another event is sent.
            std::thread::sleep(std::time::Duration::from_millis(5_100));
            let _ = give_up();
            println!("left out {}", dropped("errors", "rate_limit"));
            Ok(())
        }
        other => Err(format!("unknown argument: {other}").into()),
    }
}

#[tracked_command(every = "6h", margin = "5m", failure_threshold = 3, recovery_threshold = 2)]
fn by_interval() {}

/// Handles two requests, the second one of a caller with an SDK of Sentry, and reports a message outside of any request.
fn serve() -> Result<(), Boxed> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let of_caller = |name: &str| match name {
        "sentry-trace" => Some("4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"),
        "baggage" => Some("user=ada, sentry-trace_id=4bf92f3577b34da6a3ce929d0e0e4736, sentry-release=shop%401"),
        _ => None,
    };
    for context in [LogContext::of_request(|_| None), LogContext::of_request(of_caller)] {
        let response = track_request("GET /users/{id}", context, async {
            let is_error = load_day().is_err();
            println!("headers {}", serde_json::to_string(&context_headers()).unwrap_or_default());
            println!("child {}", serde_json::to_string(&child_env()).unwrap_or_default());
            if is_error { 500 } else { 200 }
        });
        println!("status {}", runtime.block_on(response));
    }
    capture_message(Level::Warning, "outside of any request");
    Ok(())
}

/// Handles requests within spans of `tracing` alone, as the layers of web frameworks begin them.
fn serve_in_spans() {
    for (path, has_failed) in [("/users", true), ("/health", false)] {
        let span = tracing::info_span!(
            "HTTP request",
            otel.kind = "server",
            otel.name = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        );
        span.in_scope(|| {
            println!("headers {}", serde_json::to_string(&context_headers()).unwrap_or_default());
            tracing::info_span!("authorize").in_scope(|| ());
            if has_failed {
                let _ = load_day();
            }
        });
        span.record("otel.name", format!("GET {path}"));
        if has_failed {
            span.record("otel.status_code", "ERROR");
        }
    }
    tracing::info_span!("no request").in_scope(load_day).unwrap_or_default();
    // Below the level, so that what is inside is not part of a trace.
    tracing::debug_span!("HTTP request", otel.kind = "server").in_scope(|| ());
}

fn main() -> Result<(), Boxed> {
    let builder = obs_runtime::Observability::builder().version("1.2.3").before_send(|mut event| {
        event.tags.insert("seen_last".to_owned(), "yes".to_owned());
        Some(event)
    });
    let _guard = builder.init()?;
    let way = std::env::args().nth(1).unwrap_or_default();
    match &*way {
        "serve" => return serve(),
        "serve-in-spans" => {
            serve_in_spans();
            return Ok(());
        }
        "serve-and-panic" => {
            serve()?;
            panic!("asked to panic in main");
        }
        "interval" => {
            by_interval();
            return Ok(());
        }
        _ => {}
    }
    let result = LogContext::new().field("region", "eu").scope(|| errors_job(&way));
    // The command has flushed.
    if let Some(sentry) = obs_runtime::status().sink("sentry") {
        println!("sentry {}", serde_json::to_string(sentry)?);
    }
    result?;
    println!("done");
    Ok(())
}
