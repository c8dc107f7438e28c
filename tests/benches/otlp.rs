//! The cost of traces by OTLP: of a call that is not sampled relative to one in a process that exports no traces, and of a sampled span
//! relative to a child span of fastrace.
//!
//! Each row runs in a process of its own, except that what is compared with fastrace runs beside it.

#![allow(clippy::cast_precision_loss, clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::local::LocalSpan;
use fastrace::prelude::{Span, SpanContext};
use obs_runtime::{Level, Observability, track_performance, tracked_command};
use obs_tests::measure::median;
use obs_tests::servers::OtlpServer;

/// Calls of an operation that one trace has spans for. Later ones are added up.
const SPANS: u64 = 100;

#[inline(never)]
fn work(number: u64) -> u64 {
    number.wrapping_mul(31)
}

#[track_performance]
#[inline(never)]
fn annotated(number: u64) -> u64 {
    work(number)
}

/// As `#[fastrace::trace]` expands.
#[inline(never)]
fn traced(number: u64) -> u64 {
    let _span = LocalSpan::enter_with_local_parent("traced");
    work(number)
}

/// Nanoseconds per call.
fn batch(calls: u64, call: fn(u64) -> u64) -> f64 {
    let start = Instant::now();
    for number in 0..calls {
        black_box(call(black_box(number)));
    }
    start.elapsed().as_nanos() as f64 / calls as f64
}

#[tracked_command]
fn command(calls: u64) -> f64 {
    batch(calls, annotated)
}

fn beside(calls: u64) -> f64 {
    let root = Span::root("root", SpanContext::random());
    let _entered = root.set_local_parent();
    batch(calls, traced)
}

/// Takes spans and forgets them.
struct Nowhere;

impl Reporter for Nowhere {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        black_box(spans);
    }
}

fn run(row: &str) {
    // The endpoint is that of `main`.
    let builder = Observability::builder().prometheus_port(0).log_level(Level::Critical);
    let builder = match row {
        "off" => builder.tracing_enabled(false),
        "not-sampled" => builder.tracing_enabled(true).tracing_sample_rate(0.0),
        _ => builder.tracing_enabled(true).tracing_sample_rate(1.0),
    };
    let _guard = builder.init().unwrap_or_else(|error| panic!("{error}"));
    if row != "sampled" {
        // In a command, and outside of any.
        println!("{}", median((0..200).map(|_| command(20_000)).collect()));
        println!("{}", median((0..200).map(|_| batch(20_000, annotated)).collect()));
        return;
    }
    fastrace::set_reporter(Nowhere, Config::default());
    let pairs: Vec<_> = (0..2_000).map(|_| (command(SPANS), beside(SPANS))).collect();
    let (span, child) =
        (median(pairs.iter().map(|pair| pair.0).collect()), median(pairs.iter().map(|pair| pair.1).collect()));
    let ratio = median(pairs.iter().map(|pair| pair.0 / pair.1).collect());
    println!("a sampled span {span:.0} ns   fastrace {child:.0} ns   ratio {ratio:.2}   goal <= 2");
}

/// The numbers that a row prints.
fn figures(mut program: Command, row: &str) -> Vec<f64> {
    let output = program.arg(row).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().filter_map(|line| line.parse().ok()).collect()
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if let Some(row) = arguments.next() {
        return run(&row);
    }
    let Ok(path) = std::env::current_exe() else { return };
    let server = OtlpServer::start();
    let program = || {
        let mut program = Command::new(&path);
        program.env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url());
        program
    };
    // Alternately, so that both see the same machine.
    let pairs: Vec<_> = (0..5).map(|_| (figures(program(), "not-sampled"), figures(program(), "off"))).collect();
    for (index, place) in ["in a command", "outside of any"].into_iter().enumerate() {
        let of = |figures: &[f64]| figures.get(index).copied().unwrap_or(f64::NAN);
        let (row, floor) = (
            median(pairs.iter().map(|pair| of(&pair.0)).collect()),
            median(pairs.iter().map(|pair| of(&pair.1)).collect()),
        );
        println!(
            "not sampled, {place}: {row:.1} ns   without traces {floor:.1} ns   ratio {:.2}   goal <= 1.05",
            row / floor
        );
    }
    match program().arg("sampled").status() {
        Ok(status) if status.success() => {}
        other => println!("sampled: {other:?}"),
    }
}
