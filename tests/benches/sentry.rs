//! What Sentry costs: an error that is captured beside `sentry::capture_error` alone, and a success with Sentry on beside one
//! with Sentry off, each pair in turn in processes of their own.
//!
//! An error of ours is captured with its sources, context and stack, redacted, and put into the queue; what is made of it
//! there, on a thread of its own, is not the function's. The peer sends to the same server, by a thread of its own too.

#![allow(clippy::cast_precision_loss, clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use obs_runtime::{Guard, Level, Observability, Secret, with_error_tracking};
use obs_tests::servers::SentryServer;

const ROUNDS: usize = 15;

/// As many errors of one location are sent at once.
const BURST: u32 = 20;

/// Errors of one location that come one after another: most are only counted.
const LOOP: u32 = 2_000;
const LOOPS: usize = 25;

#[derive(Debug)]
struct LoadError(u32);

impl std::fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "row {} is bad", self.0)
    }
}

impl std::error::Error for LoadError {}

/// A function with a location of its own.
macro_rules! failing {
    ($name:ident) => {
        #[with_error_tracking]
        #[inline(never)]
        fn $name(row: u32) -> Result<u32, LoadError> {
            if row == 0 { Ok(row) } else { Err(LoadError(row)) }
        }
    };
}
failing!(f00);
failing!(f01);
failing!(f02);
failing!(f03);
failing!(f04);
failing!(f05);
failing!(f06);
failing!(f07);
failing!(f08);
failing!(f09);
failing!(f10);
failing!(f11);
failing!(f12);
failing!(f13);
failing!(f14);
failing!(f15);
failing!(f16);
failing!(f17);
failing!(f18);
failing!(f19);
failing!(f20);
failing!(f21);
failing!(f22);
failing!(f23);
failing!(f24);
failing!(f25);
failing!(f26);
failing!(f27);
failing!(f28);
failing!(f29);
failing!(f30);
failing!(f31);
failing!(f32);
failing!(f33);
failing!(f34);
failing!(f35);
failing!(f36);
failing!(f37);
failing!(f38);
failing!(f39);
failing!(f40);
failing!(f41);
failing!(f42);
failing!(f43);
failing!(f44);
failing!(f45);
failing!(f46);
failing!(f47);
failing!(f48);
failing!(f49);

const FUNCTIONS: [fn(u32) -> Result<u32, LoadError>; 50] = [
    f00, f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22,
    f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37, f38, f39, f40, f41, f42, f43, f44, f45,
    f46, f47, f48, f49,
];

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn started(dsn: Option<String>) -> Guard {
    let builder = Observability::builder().without_environment().prometheus_port(0).log_level(Level::Critical);
    let builder = builder.sentry_traces_sample_rate(0.0).flush_timeout(Duration::from_secs(5));
    let builder = match dsn {
        Some(dsn) => builder.sentry_enabled(true).sentry_dsn(Secret::new(dsn)),
        None => builder,
    };
    builder.init().unwrap_or_else(|error| panic!("{error}"))
}

/// Time between batches for what is done elsewhere: all that was captured is sent, and the thread that sends sleeps again.
const PAUSE: Duration = Duration::from_millis(20);

/// Nanoseconds of one of so many, batch by batch, with a pause between them.
fn each(batches: usize, number: u32, pause: Duration, mut batch: impl FnMut(usize)) -> f64 {
    let times = (0..batches).map(|index| {
        let begun = Instant::now();
        batch(index);
        let nanos = begun.elapsed().as_nanos() as f64 / f64::from(number);
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
        nanos
    });
    // The first ones load what the others find.
    median(times.skip(5).collect())
}

/// Errors that functions of ours end by, each batch of one function.
fn ours(
    batches: usize,
    number: u32,
    pause: Duration,
    function: impl Fn(usize) -> fn(u32) -> Result<u32, LoadError>,
) -> f64 {
    let server = SentryServer::start();
    let _guard = started(Some(server.dsn()));
    each(batches, number, pause, |index| {
        for row in 1..=number {
            let _ = black_box(function(index)(black_box(row)));
        }
    })
}

/// Errors that are given to Sentry's own client.
fn alone(batches: usize, number: u32, pause: Duration, with_stacks: bool) -> f64 {
    let server = SentryServer::start();
    let mut options = sentry::ClientOptions::new();
    options.dsn = server.dsn().parse().ok();
    options.attach_stacktrace = with_stacks;
    // The feature `backtrace` of sentry, which obs does without.
    let options = options.add_integration(sentry_backtrace::AttachStacktraceIntegration::new());
    let _guard = sentry::init(options);
    each(batches, number, pause, |_| {
        for row in 1..=number {
            let _ = black_box(sentry::capture_error(&LoadError(black_box(row))));
        }
    })
}

/// The addresses of the stack alone: what the unwinder takes of each captured error.
fn unwound() -> f64 {
    #[inline(never)]
    fn fails(row: u32) -> Result<u32, std::backtrace::Backtrace> {
        if row == 0 { Ok(row) } else { Err(std::backtrace::Backtrace::force_capture()) }
    }
    each(FUNCTIONS.len(), BURST, PAUSE, |_| {
        for row in 1..=BURST {
            let _ = black_box(fails(black_box(row)));
        }
    })
}

fn successes() -> f64 {
    const CALLS: u32 = 1_000_000;
    each(25, CALLS, PAUSE, |_| {
        for _ in 0..CALLS {
            let _ = black_box(f00(black_box(0)));
        }
    })
}

fn run(row: &str) {
    let nanos = match row {
        "ours" => ours(FUNCTIONS.len(), BURST, Duration::ZERO, |index| FUNCTIONS[index]),
        "alone" => alone(FUNCTIONS.len(), BURST, Duration::ZERO, false),
        "ours after a pause" => ours(FUNCTIONS.len(), BURST, PAUSE, |index| FUNCTIONS[index]),
        "alone after a pause" => alone(FUNCTIONS.len(), BURST, PAUSE, false),
        "alone with a stack" => alone(FUNCTIONS.len(), BURST, PAUSE, true),
        "unwound" => unwound(),
        "ours in a loop" => ours(LOOPS, LOOP, PAUSE, |_| f00),
        "alone in a loop" => alone(LOOPS, LOOP, PAUSE, false),
        "on" => {
            let server = SentryServer::start();
            let _guard = started(Some(server.dsn()));
            successes()
        }
        "off" => {
            let _guard = started(None);
            successes()
        }
        other => return println!("no such row: {other}"),
    };
    println!("{nanos}");
}

fn ask(row: &str) -> f64 {
    let output = std::env::current_exe().and_then(|program| Command::new(program).arg(row).output());
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    said.trim().parse().unwrap_or_else(|_| panic!("{row} said {said:?}"))
}

fn compare(what: &str, row: &str, peer: &str, goal: &str) {
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (ask(row), ask(peer))).collect();
    let (ours, theirs) =
        (median(rounds.iter().map(|round| round.0).collect()), median(rounds.iter().map(|round| round.1).collect()));
    let ratio = median(rounds.iter().map(|round| round.0 / round.1).collect());
    println!("{what:<62} {ours:>8.1} ns against {theirs:>8.1} ns   ratio {ratio:.2}   goal {goal}");
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if let Some(row) = arguments.next() {
        return run(&row);
    }
    let with_stacks = "an error with its stack / sentry::capture_error with its";
    compare(with_stacks, "ours after a pause", "alone with a stack", "<= 0.1, and <= 30,000 ns");
    // Without goals, for comparison.
    compare("the same / the addresses of its stack alone", "ours after a pause", "unwound", "none");
    compare("an error with its stack / sentry::capture_error without one", "ours", "alone", "none");
    compare("the same, in bursts after pauses", "ours after a pause", "alone after a pause", "none");
    compare("errors, most only counted / sentry::capture_error in a loop", "ours in a loop", "alone in a loop", "none");
    compare("a success, Sentry on / off", "on", "off", "<= 1.05");
}
