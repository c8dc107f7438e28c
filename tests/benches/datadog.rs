//! The cost of the Datadog exporter for calls of an annotated function, with a healthy, a missing and a hanging agent.
//!
//! obs is initialised with and without Datadog in turn in one process, so that both see the same machine. The results are
//! medians of the ratios.

#![allow(clippy::cast_precision_loss, clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use obs_runtime::config::AgentAddress;
use obs_runtime::{Guard, Observability, track_performance};
use obs_tests::measure::{median, resident_kib};

const CALLS: u64 = 20_000;

#[track_performance]
#[inline(never)]
fn annotated(number: u64) -> Result<u64, String> {
    if number == u64::MAX { Err("too many".to_owned()) } else { Ok(number.wrapping_mul(31)) }
}

fn initialise(agent: Option<(&AgentAddress, Duration)>) -> Guard {
    let builder = Observability::builder()
        .without_environment()
        .log_level(obs_runtime::LogFilter::from(obs_runtime::Level::Critical))
        .prometheus_port(0)
        .flush_timeout(Duration::from_millis(50));
    let builder = match agent {
        Some((agent, interval)) => {
            builder.datadog_enabled(true).datadog_agent(agent.clone()).datadog_interval(interval)
        }
        None => builder,
    };
    builder.init().unwrap_or_else(|error| panic!("{error}"))
}

/// Nanoseconds per call of a batch.
fn batch() -> f64 {
    let start = Instant::now();
    for number in 0..CALLS {
        let _ = black_box(annotated(black_box(number)));
    }
    start.elapsed().as_nanos() as f64 / CALLS as f64
}

/// The 99th percentile of single calls, in clock ticks.
fn percentile(clock: &quanta::Clock) -> f64 {
    let call = |number| {
        let start = clock.raw();
        let _ = black_box(annotated(black_box(number)));
        clock.raw().saturating_sub(start) as f64
    };
    let mut calls: Vec<f64> = (0..CALLS).map(call).collect();
    calls.sort_by(f64::total_cmp);
    calls[calls.len() * 99 / 100]
}

/// The ratio of `measure` with Datadog to that without.
fn compare(agent: &AgentAddress, interval: Duration, mut measure: impl FnMut() -> f64) -> f64 {
    let mut with = |agent: Option<(&AgentAddress, Duration)>| {
        let _guard = initialise(agent);
        measure();
        median((0..9).map(|_| measure()).collect())
    };
    let turns = (0..60).map(|turn| {
        // The first of both has cold caches.
        if turn % 2 == 0 {
            let without = with(None);
            with(Some((agent, interval))) / without
        } else {
            let it = with(Some((agent, interval)));
            it / with(None)
        }
    });
    median(turns.collect())
}

fn main() {
    let folder = std::env::temp_dir().join(format!("obs-bench-{}", std::process::id()));
    if std::fs::create_dir_all(&folder).is_err() {
        return;
    }
    let (Ok(healthy), Ok(hanging)) = (UdpSocket::bind("127.0.0.1:0"), UnixDatagram::bind(folder.join("hanging")))
    else {
        return;
    };
    let port = healthy.local_addr().map_or(0, |address| address.port());
    let Ok(filler) = UnixDatagram::unbound() else { return };
    let _ = filler.set_nonblocking(true);
    while filler.send_to(&[b'x'; 4096], folder.join("hanging")).is_ok() {}
    let udp = |port| AgentAddress::Udp { host: "127.0.0.1".to_owned(), port };
    let (healthy_at, missing_at) = (udp(port), udp(9));
    let hanging_at = AgentAddress::UnixDatagram(folder.join("hanging"));

    let (default, short) = (Duration::from_secs(10), Duration::from_millis(10));
    println!("a call with Datadog / without: {:.3}; goal <= 1.05", compare(&healthy_at, default, batch));
    println!("the same, sent each 10 ms: {:.3}", compare(&healthy_at, short, batch));
    let clock = quanta::Clock::new();
    for (state, agent) in [("healthy", &healthy_at), ("missing", &missing_at), ("hanging", &hanging_at)] {
        let ratio = compare(agent, short, || percentile(&clock));
        println!("p99 of single calls, agent {state}, sent each 10 ms / without: {ratio:.3}; goal <= 1.1");
    }
    for (state, agent) in [("missing", &missing_at), ("hanging", &hanging_at)] {
        let _guard = initialise(Some((agent, short)));
        for _ in 0..50 {
            batch();
        }
        let before = resident_kib();
        for _ in 0..10_000_000 / CALLS {
            batch();
        }
        println!("KiB more after 10,000,000 calls, agent {state}: {}; goal 0", resident_kib().saturating_sub(before));
    }
    drop((healthy, hanging));
    let _ = std::fs::remove_dir_all(&folder);
}
