//! The cost of one annotation relative to reading the clock.
//!
//! Batches of about a millisecond of the measured row and of the floor alternate, so that both see the same machine. The
//! result is the median of the ratios. Each row runs in a process of its own.

#![allow(clippy::cast_precision_loss, clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use obs_runtime::{Level, track_performance, tracked_command, with_error_tracking};
use obs_tests::measure::median;

#[inline(never)]
fn work(number: u64) -> Result<u64, String> {
    if number == u64::MAX { Err("too many".to_owned()) } else { Ok(number.wrapping_mul(31)) }
}

#[track_performance]
#[inline(never)]
fn annotated(number: u64) -> Result<u64, String> {
    work(number)
}

#[track_performance]
async fn annotated_async(number: u64) -> Result<u64, String> {
    work(number)
}

#[track_performance]
#[with_error_tracking]
#[inline(never)]
fn captured(number: u64) -> Result<u64, String> {
    work(number)
}

/// Nanoseconds per success in a command that has handled so many errors.
#[tracked_command]
fn success_after(errors: u32) -> f64 {
    const CALLS: u64 = 20_000;
    for _ in 0..errors {
        let _ = black_box(captured(black_box(u64::MAX)));
    }
    batch(CALLS, captured)
}

fn poll_once(number: u64) -> Result<u64, String> {
    let mut future = std::pin::pin!(annotated_async(number));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut task) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => Err("pending".to_owned()),
    }
}

fn tsc_pair(clock: &quanta::Clock, number: u64) -> Result<u64, String> {
    let start = clock.raw();
    let value = work(number);
    black_box(clock.delta_as_nanos(start, clock.raw()));
    value
}

fn instant_pair(number: u64) -> Result<u64, String> {
    let start = Instant::now();
    let value = work(number);
    black_box(start.elapsed());
    value
}

/// Nanoseconds per call of a batch.
fn batch(calls: u64, mut call: impl FnMut(u64) -> Result<u64, String>) -> f64 {
    let start = Instant::now();
    for number in 0..calls {
        let _ = black_box(call(black_box(number)));
    }
    start.elapsed().as_nanos() as f64 / calls as f64
}

/// The median nanoseconds of the row and of the floor, and the median of their ratio.
fn compare(
    mut row: impl FnMut(u64) -> Result<u64, String>,
    mut floor: impl FnMut(u64) -> Result<u64, String>,
) -> (f64, f64, f64) {
    const CALLS: u64 = 20_000;
    batch(CALLS, &mut row);
    batch(CALLS, &mut floor);
    let pairs: Vec<(f64, f64)> = (0..400).map(|_| (batch(CALLS, &mut row), batch(CALLS, &mut floor))).collect();
    (
        median(pairs.iter().map(|pair| pair.0).collect()),
        median(pairs.iter().map(|pair| pair.1).collect()),
        median(pairs.iter().map(|pair| pair.0 / pair.1).collect()),
    )
}

/// The ratio of a call's duration while another thread makes the same calls to that without.
fn slowdown(call: impl Fn(u64) -> Result<u64, String> + Sync) -> f64 {
    const CALLS: u64 = 20_000;
    let alone = batch(CALLS, &call);
    let (done, begun) = (AtomicBool::new(false), Barrier::new(2));
    let together = std::thread::scope(|scope| {
        scope.spawn(|| {
            begun.wait();
            while !done.load(Ordering::Relaxed) {
                batch(100, &call);
            }
        });
        begun.wait();
        let nanos = batch(CALLS, &call);
        done.store(true, Ordering::Relaxed);
        nanos
    });
    together / alone
}

fn print(name: &str, (row, floor, ratio): (f64, f64, f64), goal: &str) {
    println!("{name:<58} {row:>7.1} ns   floor {floor:>6.1} ns   ratio {ratio:>5.2}   goal {goal}");
}

fn initialise() -> obs_runtime::Guard {
    obs_runtime::Observability::builder()
        .without_environment()
        .prometheus_port(0)
        .log_level(Level::Critical)
        .init()
        .unwrap_or_else(|error| panic!("{error}"))
}

fn run(row: &str) {
    let clock = quanta::Clock::new();
    let tsc = |number| tsc_pair(&clock, number);
    match row {
        "sync" => {
            let _guard = initialise();
            print("sync, Prometheus on / TSC pair", compare(annotated, tsc), "<= 2 (later 1.7)");
        }
        "sync-instant" => {
            let _guard = initialise();
            print("sync, Prometheus on / Instant pair", compare(annotated, instant_pair), "<= 0.65");
        }
        "async" => {
            let _guard = initialise();
            print("async, ready at first poll / TSC pair", compare(poll_once, tsc), "<= 2.5");
        }
        "off" => print("not initialised / bare function", compare(annotated, work), "<= 3 ns more"),
        "threads" => {
            let _guard = initialise();
            let figures: Vec<_> = (0..200).map(|_| (slowdown(annotated), slowdown(tsc))).collect();
            let row = median(figures.iter().map(|figure| figure.0).collect());
            let floor = median(figures.iter().map(|figure| figure.1).collect());
            println!("2 threads / 1 thread: {row:.2}, the TSC pair's {floor:.2}; goal <= 1.2 (later 1.1)");
        }
        "errors" => {
            let _guard = initialise();
            let pairs: Vec<_> = (0..200).map(|_| (success_after(200), success_after(0))).collect();
            let figures = (
                median(pairs.iter().map(|pair| pair.0).collect()),
                median(pairs.iter().map(|pair| pair.1).collect()),
                median(pairs.iter().map(|pair| pair.0 / pair.1).collect()),
            );
            print("a success after 200 handled errors / before them", figures, "<= 1.1");
            print("track_performance + with_error_tracking / TSC pair", compare(captured, tsc), "none");
        }
        "allocations" => {
            let _guard = initialise();
            let _ = (annotated(1), poll_once(1));
            let sync = allocation_counter::measure(|| {
                black_box((0..1000).flat_map(annotated).count());
            });
            let asynchronous = allocation_counter::measure(|| {
                black_box((0..1000).flat_map(poll_once).count());
            });
            println!(
                "allocations in 1,000 calls: sync {}, async {}; goal 0",
                sync.count_total, asynchronous.count_total
            );
        }
        "memory" => {
            let _guard = initialise();
            let _ = annotated(1);
            let grown = allocation_counter::measure(|| {
                for number in 0..10_000_000 {
                    let _ = black_box(annotated(number));
                }
            });
            println!("bytes kept after 10,000,000 calls: {}; goal 0", grown.bytes_current);
        }
        unknown => println!("no such row: {unknown}"),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if let Some(row) = arguments.next() {
        return run(&row);
    }
    let Ok(program) = std::env::current_exe() else { return };
    for row in ["sync", "sync-instant", "async", "off", "threads", "errors", "allocations", "memory"] {
        match Command::new(&program).arg(row).status() {
            Ok(status) if status.success() => std::thread::sleep(Duration::from_millis(1)),
            other => println!("{row}: {other:?}"),
        }
    }
}
