//! A scheduled job that ends according to its first argument, and then prints the status of its exporters if it still can:
//!
//! - `return`, `error`, `panic`, `abort`, `await` of an async job,
//! - `exit` by `obs_runtime::exit`, `process-exit` by `std::process::exit`, each also on another thread (`thread-exit`,
//!   `thread-process-exit`),
//! - `renamed-TERM` after it has set another user,
//! - `TERM`, `INT`, or `second-INT`, which sends SIGINT again once `LOG_FILE` tells of the first one,
//! - `timeout` and `drop` of the future of an async job,
//! - `detached`, on a thread that the program does not wait for.

use std::error::Error;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use obs_runtime::{Guard, LogContext, track_performance, tracked_command};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::raise;

type Boxed = Box<dyn Error + Send + Sync>;

/// Whether the detached job runs.
static PARKED: AtomicBool = AtomicBool::new(false);

#[track_performance]
fn step() {}

/// Runs this on a thread that knows nothing of the job, and waits for ever.
fn elsewhere(run: impl FnOnce() + Send + 'static) -> ! {
    std::thread::spawn(run);
    loop {
        std::thread::park();
    }
}

fn raise_here(signal: i32) {
    if let Err(error) = raise(signal) {
        println!("not raised: {error}");
    }
}

/// Waits until the log tells of the first signal.
fn wait_for_first_signal() {
    let log = std::env::var("LOG_FILE").unwrap_or_default();
    while !std::fs::read_to_string(&log).is_ok_and(|lines| lines.contains("flushing and exiting")) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tracked_command(name = "ending", user = "ada", cron = "0 3 * * *", args(way), tags(team = "growth"))]
fn ending(way: &str) -> Result<(), Boxed> {
    step();
    match way {
        "return" => Ok(()),
        "error" => Err("asked to fail".into()),
        "panic" => panic!("asked to panic"),
        "abort" => std::process::abort(),
        "parked" => elsewhere(|| PARKED.store(true, Ordering::SeqCst)),
        "exit" => obs_runtime::exit(7),
        "thread-exit" => elsewhere(|| obs_runtime::exit(7)),
        "process-exit" => std::process::exit(7),
        "thread-process-exit" => elsewhere(|| std::process::exit(7)),
        "renamed-TERM" => {
            obs_runtime::set_user("grace");
            // Not that of the command.
            LogContext::new().scope(|| obs_runtime::set_user("eve"));
            elsewhere(|| raise_here(SIGTERM))
        }
        "TERM" => elsewhere(|| raise_here(SIGTERM)),
        "INT" => elsewhere(|| raise_here(SIGINT)),
        "second-INT" => elsewhere(|| {
            raise_here(SIGINT);
            wait_for_first_signal();
            raise_here(SIGINT);
        }),
        other => Err(format!("unknown argument: {other}").into()),
    }
}

#[tracked_command(name = "ending", user = "ada", cron = "0 3 * * *", args(way), tags(team = "growth"))]
async fn ready(way: &str) {
    tokio::task::yield_now().await;
    step();
}

#[tracked_command(name = "ending", user = "ada", cron = "0 3 * * *", args(way), tags(team = "growth"))]
async fn never_ready(way: &str) {
    step();
    std::future::pending::<()>().await;
}

fn run(way: &str, guard: &Guard) -> Result<(), Boxed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    match way {
        "await" => {
            runtime.block_on(ready(way));
            Ok(())
        }
        "timeout" => {
            let limit = Duration::from_millis(10);
            let ended = runtime.block_on(async { tokio::time::timeout(limit, never_ready(way)).await });
            println!("timed out: {}", ended.is_err());
            // What is dropped cannot wait for its flush.
            guard.flush();
            Ok(())
        }
        "drop" => {
            let polled = pin!(never_ready(way)).poll(&mut Context::from_waker(Waker::noop()));
            println!("dropped: {}", polled.is_pending());
            guard.flush();
            Ok(())
        }
        "detached" => {
            std::thread::spawn(|| ending("parked"));
            while !PARKED.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            Ok(())
        }
        way => ending(way),
    }
}

/// How often the job has started, succeeded, failed by its outcome, and failed; and its last exit code.
fn measured() -> [Option<f64>; 5] {
    let (metrics, command) = (obs_runtime::metrics(), ("command", "ending"));
    let outcomes = ["error", "panic", "cancelled"].map(|outcome| ("outcome", outcome));
    let count = |name: &str, labels: &[(&str, &str)]| metrics.value(name, labels).filter(|count| *count != 0.0);
    let failures: Vec<f64> =
        outcomes.iter().filter_map(|outcome| count("cli.command.failure", &[command, *outcome])).collect();
    [
        count("cli.command.started", &[command]),
        count("cli.command.success", &[command]),
        failures.first().copied(),
        (!failures.is_empty()).then(|| failures.iter().sum()),
        metrics.value("cli.command.last_exit_code", &[command]),
    ]
}

/// Prints a value on a line of its own, by one write: on a terminal, a line that obs writes at that moment would come between the writes
/// of `println!`.
fn tell(name: &str, json: &str) -> std::io::Result<()> {
    std::io::stdout().lock().write_all(format!("{name} {json}\n").as_bytes())
}

fn main() -> Result<(), Boxed> {
    let guard = obs_runtime::init_observability()?;
    let ended = catch_unwind(AssertUnwindSafe(|| run(&std::env::args().nth(1).unwrap_or_default(), &guard)));
    tell("status", &serde_json::to_string(&obs_runtime::status())?)?;
    tell("measured", &serde_json::to_string(&measured())?)?;
    ended.unwrap_or_else(|panic| resume_unwind(panic))
}
