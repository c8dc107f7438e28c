//! The latency of annotated calls while obs flushes to failing backends, and while many call sites are scraped.
//!
//! Each row runs in a process of its own. Rows that are compared alternate, so that both see the same machine. The result is
//! the ratio of the means over all rounds.

#![allow(clippy::cast_precision_loss, clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::panic::catch_unwind;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use obs_runtime::{Guard, Level, Observability, Secret, capture_message, track_performance};
use obs_tests::faults::{Fault, FaultyServer, UNKNOWN_HOST, read_only_folder};
use obs_tests::{http, measure};

/// Many short rounds, because quantiles differ by half between processes of one row, but not within a process.
const ROUNDS: usize = 45;
const CALLS: usize = 1_000_000;
const SITES: usize = 1000;
const THREADS: usize = 4;

#[track_performance]
#[inline(never)]
fn annotated(number: u64) -> Result<u64, String> {
    if number == u64::MAX { Err("too many".to_owned()) } else { Ok(number.wrapping_mul(31)) }
}

/// Measures single calls in nanoseconds, including the clock, and sorts them.
fn calls(clock: &quanta::Clock, taken: &mut [u32]) {
    for (number, taken) in (0..).zip(&mut *taken) {
        let start = clock.raw();
        let _ = black_box(annotated(black_box(number)));
        *taken = u32::try_from(clock.delta_as_nanos(start, clock.raw())).unwrap_or(u32::MAX);
    }
    taken.sort_unstable();
}

/// Quantiles of the duration of single calls, in nanoseconds.
#[derive(Clone, Copy)]
struct Quantiles {
    p99: f64,
    p999: f64,
}

fn quantile(sorted: &[u32], quantile: f64) -> f64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let index = (sorted.len() as f64 * quantile) as usize;
    f64::from(sorted[index.min(sorted.len() - 1)])
}

fn builder() -> obs_runtime::ObservabilityBuilder {
    let builder = Observability::builder().without_environment().prometheus_port(0).max_series(10 * SITES);
    builder.log_level(Level::Critical).flush_timeout(Duration::from_millis(200))
}

fn started(builder: obs_runtime::ObservabilityBuilder) -> Guard {
    builder.init().unwrap_or_else(|error| panic!("{error}"))
}

/// The quantiles of calls while another thread runs `other` repeatedly.
fn quantiles_during(clock: &quanta::Clock, taken: &mut [u32], other: impl Fn() + Send + Sync) -> Quantiles {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                other();
                thread::sleep(Duration::from_millis(10));
            }
        });
        calls(clock, taken);
        done.store(true, Ordering::Relaxed);
        Quantiles { p99: quantile(taken, 0.99), p999: quantile(taken, 0.999) }
    })
}

/// Creates call sites with every outcome on every thread.
fn many_call_sites() {
    std::panic::set_hook(Box::new(|_| {}));
    let work = || {
        for site in 0..SITES {
            let name = format!("site-{site}");
            track_performance(name.clone(), || ());
            let _ = obs_runtime::track_performance_result(name.clone(), || Err::<(), _>("no"));
            let _ = catch_unwind(|| track_performance(name.clone(), || panic!("asked to")));
            let pending = obs_runtime::track_performance_async(name, std::future::pending::<()>());
            let mut pending = Box::pin(pending);
            let _ = pending.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        }
    };
    let threads: Vec<_> = (0..THREADS).map(|_| thread::spawn(work)).collect();
    for thread in threads {
        thread.join().unwrap_or_else(|_| panic!("a thread panicked"));
    }
}

/// Requests the metrics with HEAD: the text is made but not sent.
fn head(address: SocketAddr) {
    let answered = TcpStream::connect(address).and_then(|mut stream| {
        stream.write_all(b"HEAD /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    });
    match answered {
        Ok(answer) if answer.starts_with("HTTP/1.1 200") => {}
        other => panic!("{other:?}"),
    }
}

fn milliseconds(mut run: impl FnMut()) -> f64 {
    let times = (0..15).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1e3
    });
    measure::median(times.collect())
}

fn run(row: &str) {
    let clock = quanta::Clock::new();
    // Allocated and touched first, so that it does not count as growth of memory.
    let mut taken = vec![u32::MAX; CALLS];
    match row {
        "none" => {
            let guard = started(builder());
            let Quantiles { p99, p999 } = quantiles_during(&clock, &mut taken, || guard.flush());
            println!("{p99} {p999}");
        }
        "memory" => {
            let (_server, guard) = with_failing_backends(&Fault::Hang);
            let busy = || {
                let _ = capture_message(Level::Error, "never delivered");
                guard.flush();
            };
            // Fills bounded queues, stacks and the allocator first.
            let warm = Instant::now();
            while warm.elapsed() < Duration::from_secs(10) {
                let _ = quantiles_during(&clock, &mut taken, busy);
            }
            let before = measure::resident_kib();
            for _ in 0..10_000_000 / CALLS {
                let _ = quantiles_during(&clock, &mut taken, busy);
            }
            println!(
                "KiB more after 10,000,000 calls while failing backends are flushed to: {}; goal 0",
                measure::resident_kib().saturating_sub(before)
            );
        }
        "idle" | "scraped" => {
            let _guard = started(builder());
            many_call_sites();
            let scrape = || {
                if row == "scraped" {
                    let _ = black_box(obs_runtime::metrics());
                }
            };
            let Quantiles { p99, p999 } = quantiles_during(&clock, &mut taken, scrape);
            println!("{p99} {p999}");
        }
        "scrape" => {
            let guard = started(builder());
            many_call_sites();
            let address = guard.metrics_address().unwrap_or_else(|| panic!("metrics are served"));
            let url = format!("http://{address}/metrics");
            let text = http::get(&url, &[]).unwrap_or_else(|error| panic!("{error}"));
            let (lines, megabytes) = (text.lines().count(), text.len() as f64 / 1e6);
            let snapshot = milliseconds(|| drop(black_box(obs_runtime::metrics())));
            let answer = milliseconds(|| drop(black_box(http::get(&url, &[]))));
            let made = milliseconds(|| head(address));
            println!(
                "{SITES} call sites, 4 outcomes, {THREADS} threads: snapshot {snapshot:.2} ms (goal 2); text made {made:.1} ms, \
                 and taken over HTTP {answer:.1} ms: {lines} lines, {megabytes:.1} MB"
            );
        }
        other => {
            let fault = other.strip_prefix("fault ").and_then(|number| number.parse::<usize>().ok());
            let Some(fault) = fault.and_then(|number| Fault::all().get(number).cloned()) else {
                return println!("no such row: {other}");
            };
            let (_server, guard) = with_failing_backends(&fault);
            let Quantiles { p99, p999 } = quantiles_during(&clock, &mut taken, || {
                let _ = capture_message(Level::Error, "never delivered");
                guard.flush();
            });
            println!("{p99} {p999}");
        }
    }
}

/// Every exporter is enabled and fails: the Pushgateway and Sentry with this fault, no Datadog agent, a read-only folder, a
/// full disk. For refused connections, the host name of the Pushgateway does not resolve.
fn with_failing_backends(fault: &Fault) -> (FaultyServer, Guard) {
    let server = FaultyServer::start(fault.clone());
    let gateway = if *fault == Fault::Refuse { format!("http://{UNKNOWN_HOST}:9091") } else { server.url("") };
    let sentry = server.url("").replacen("http://", "http://key@", 1) + "/1";
    let builder = builder().prometheus_pushgateway_url(gateway).datadog_enabled(true);
    let builder = builder.sentry_enabled(true).sentry_dsn(Secret::new(sentry));
    let guard = started(builder.prometheus_textfile_dir(read_only_folder()).log_file("/dev/full"));
    (server, guard)
}

/// Runs a row in a process of its own.
fn ask(row: &str) -> Quantiles {
    let output = std::env::current_exe().and_then(|program| Command::new(program).arg(row).output());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let mut numbers = text.split_whitespace().map_while(|word| word.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(p99), Some(p999)) => Quantiles { p99, p999 },
        _ => panic!("{row} printed {text:?}"),
    }
}

fn compare(what: &str, row: &str, floor: &str, goal: &str) {
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (ask(row), ask(floor))).collect();
    let mean = |pick: &dyn Fn(&(Quantiles, Quantiles)) -> f64| rounds.iter().map(pick).sum::<f64>() / ROUNDS as f64;
    let (p99, floor_p99) = (mean(&|(row, _)| row.p99), mean(&|(_, floor)| floor.p99));
    let (p999, floor_p999) = (mean(&|(row, _)| row.p999), mean(&|(_, floor)| floor.p999));
    println!(
        "{what:<46} p99 {p99:>6.0} ns, without {floor_p99:>6.0} ns, ratio {:.2}; p99.9 {p999:>6.0} ns, without {floor_p999:>6.0} ns, \
         ratio {:.2}   goal {goal}",
        p99 / floor_p99,
        p999 / floor_p999,
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if let Some(row) = arguments.next() {
        return run(&row);
    }
    for (number, fault) in Fault::all().iter().enumerate() {
        let name = format!("{fault:?}").split(['(', ' ']).next().unwrap_or_default().to_owned();
        compare(&format!("calls while flushed to: {name}"), &format!("fault {number}"), "none", "p99 <= 1.1");
    }
    run("memory");
    compare("calls while 1,000 call sites are scraped", "scraped", "idle", "p99.9 <= 1.1");
    run("scrape");
}
