//! The cost of one redacted JSON line relative to an unredacted line of `tracing-subscriber`.
//!
//! Each side has a process of its own, because a process has one subscriber. The parent lets them run batches of about a
//! millisecond in turn, so that both see the same machine. The result is the median of the ratios. Lines are discarded, unless
//! the row is named `… to a file`.

#![allow(clippy::cast_precision_loss, clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use obs_runtime::{LogContext, LogOutput, Observability};
use obs_tests::measure::median;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

const LINES: u64 = 1_000;
const BATCHES: usize = 200;

/// Logs eight fields in the current context.
#[inline(never)]
fn line(number: u64) {
    tracing::info!(
        table = "bigquery-public-data.samples.shakespeare",
        rows = number,
        bytes = number.wrapping_mul(4096),
        ratio = 0.25,
        cached = false,
        attempt = 1,
        stage = "load",
        partition = "2026-01-01",
        "loaded a partition"
    );
}

/// Nanoseconds per line of a batch.
fn batch(lines: u64) -> f64 {
    let start = Instant::now();
    for number in 0..lines {
        line(black_box(number));
    }
    start.elapsed().as_nanos() as f64 / lines as f64
}

/// The same while another thread logs too.
fn batch_beside_another(inside: &(impl Fn(&mut dyn FnMut()) + Sync)) -> f64 {
    let (done, begun) = (AtomicBool::new(false), Barrier::new(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            inside(&mut || {
                begun.wait();
                while !done.load(Ordering::Relaxed) {
                    batch(20);
                }
            });
        });
        begun.wait();
        let nanos = batch(LINES);
        done.store(true, Ordering::Relaxed);
        nanos
    })
}

/// Runs a batch for each request of the parent.
fn serve(threads: &str, inside: impl Fn(&mut dyn FnMut()) + Sync) {
    inside(&mut || {
        batch(LINES);
        for command in io::stdin().lines().map_while(Result::ok) {
            match command.as_str() {
                "allocations" => {
                    let counted = allocation_counter::measure(|| {
                        batch(1000);
                    });
                    println!("{}", counted.count_total as f64 / 1000.0);
                }
                _ if threads == "2" => println!("{}", batch_beside_another(&inside)),
                _ => println!("{}", batch(LINES)),
            }
        }
    });
}

fn ours(context: &str, threads: &str, file: Option<tempfile::NamedTempFile>) {
    let builder = Observability::builder().without_environment().metrics_enabled(false).version("1.2.3");
    let builder = builder.log_output(LogOutput::new(|line: &[u8]| {
        black_box(line);
        Ok(())
    }));
    let builder = match &file {
        Some(file) => builder.log_file(file.path()),
        None => builder,
    };
    let _guard = builder.init().unwrap_or_else(|error| panic!("{error}"));
    match context {
        "scope" => serve(threads, |run| {
            LogContext::new()
                .correlation_id("0193a5b2-7c4e-7d1a-8f00-0123456789ab")
                .user("ann")
                .operation("nightly-load")
                .scope(run);
        }),
        "span" => serve(threads, in_span),
        _ => serve(threads, |run| run()),
    }
}

fn in_span(run: &mut dyn FnMut()) {
    let span = tracing::info_span!(
        "run",
        correlation_id = "0193a5b2-7c4e-7d1a-8f00-0123456789ab",
        user = "ann",
        operation = "nightly-load"
    );
    span.in_scope(run);
}

fn peer(context: &str, threads: &str, file: Option<tempfile::NamedTempFile>) {
    let writer = match file {
        Some(file) => BoxMakeWriter::new(file.into_file()),
        None => BoxMakeWriter::new(io::sink),
    };
    tracing_subscriber::fmt().json().with_file(true).with_line_number(true).with_writer(writer).init();
    match context {
        "scope" | "span" => serve(threads, in_span),
        _ => serve(threads, |run| run()),
    }
}

/// A process that runs batches on request.
struct Side {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Side {
    fn start(arguments: [&str; 4]) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (ask, answers) = (process.stdin.take(), process.stdout.take());
        let (Some(ask), Some(answers)) = (ask, answers) else { return Err(io::ErrorKind::BrokenPipe.into()) };
        Ok(Self { process, ask, answers: BufReader::new(answers) })
    }

    fn ask(&mut self, what: &str) -> f64 {
        let mut answer = String::new();
        let asked = writeln!(self.ask, "{what}").and_then(|()| self.answers.read_line(&mut answer));
        asked.ok().and_then(|_| answer.trim().parse().ok()).unwrap_or(f64::NAN)
    }

    fn end(self) {
        let Self { mut process, ask, answers: _ } = self;
        drop(ask);
        // It ends when its input ends.
        let _ = process.wait();
    }
}

fn compare(name: &str, [left, right]: [[&str; 4]; 2], goal: &str) -> io::Result<()> {
    let (mut left, mut right) = (Side::start(left)?, Side::start(right)?);
    let pairs: Vec<(f64, f64)> = (0..BATCHES).map(|_| (left.ask("batch"), right.ask("batch"))).collect();
    let allocations = (left.ask("allocations"), right.ask("allocations"));
    println!(
        "{name:<46} {:>6.0} ns against {:>6.0} ns   ratio {:.2} (goal {goal})   allocations {} against {}",
        median(pairs.iter().map(|pair| pair.0).collect()),
        median(pairs.iter().map(|pair| pair.1).collect()),
        median(pairs.iter().map(|pair| pair.0 / pair.1).collect()),
        allocations.0,
        allocations.1,
    );
    left.end();
    right.end();
    Ok(())
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [side, context, threads, file] = &arguments[..] {
        let file = (file == "file").then(tempfile::NamedTempFile::new).transpose()?;
        match side.as_str() {
            "ours" => ours(context, threads, file),
            _ => peer(context, threads, file),
        }
        return Ok(());
    }
    let both = |context, file| [["ours", context, "1", file], ["peer", context, "1", file]];
    compare("8 fields in context / fmt JSON in a span", both("scope", "none"), "<= 0.3")?;
    compare("8 fields in a span of 3 / the same", both("span", "none"), "<= 0.3")?;
    compare("8 fields without context / the same", both("nothing", "none"), "none")?;
    compare("8 fields in context, to a file / the same", both("scope", "file"), "none")?;
    let threads = [["ours", "scope", "2", "none"], ["ours", "scope", "1", "none"]];
    compare("in context, 2 threads / 1 thread", threads, "<= 1.2")
}
