//! What a run of 16,000 data-quality checks costs: one function with `for_each`, whose checks do nothing. In the same table, the same
//! number of closures on bare threads of their own, and of tasks of tokio with a time limit, which isolate nothing.
//!
//! Each sample is a process of its own; the rows alternate, so that all see the same machine. The result is the median.

#![allow(clippy::print_stdout, missing_docs)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use obs_runtime::{Observability, dq_check, run_dq_checks};
use obs_tests::measure::median;

/// Checks of a run.
const CHECKS: u32 = 16_000;

/// Processes per row.
const SAMPLES: usize = 7;

#[dq_check(for_each = 0..CHECKS, dataset = "many", fail_above = CHECKS)]
fn item(number: u32) -> u32 {
    number
}

#[dq_check(for_each = 0..CHECKS, dataset = "many, async", fail_above = CHECKS)]
async fn async_item(number: u32) -> u32 {
    tokio::task::yield_now().await;
    number
}

fn checks(dataset: &str) {
    let report = run_dq_checks().dataset(dataset).wait();
    assert!(report.passed() && report.results.len() == CHECKS as usize, "{} results", report.results.len());
}

/// Runs all in this process and returns how long it took.
fn sample(row: &str) -> Duration {
    let _guard = row.contains("initialised").then(|| {
        let builder = Observability::builder().prometheus_port(0);
        builder.init().unwrap_or_else(|error| panic!("{error}"))
    });
    let begun = Instant::now();
    match row {
        "tasks of tokio" => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            let runtime = runtime.unwrap_or_else(|error| panic!("{error}"));
            let below = |number: u32| tokio::time::timeout(Duration::from_mins(5), async move { number < CHECKS });
            runtime.block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                (0..CHECKS).for_each(|number| drop(tasks.spawn(below(number))));
                assert!(tasks.join_all().await.into_iter().all(|below| below == Ok(true)));
            });
        }
        "threads" => {
            for first in (0..CHECKS).step_by(64) {
                let numbers = first..(first + 64).min(CHECKS);
                let threads: Vec<_> = numbers.map(|number| std::thread::spawn(move || number < CHECKS)).collect();
                assert!(threads.into_iter().all(|thread| thread.join().is_ok_and(|below| below)));
            }
        }
        row if row.contains("async") => checks("many, async"),
        _ => checks("many"),
    }
    begun.elapsed()
}

fn main() {
    let mut arguments = std::env::args().skip_while(|argument| argument != "sample").skip(1);
    if let Some(row) = arguments.next() {
        eprintln!("{}", sample(&row).as_secs_f64());
        return;
    }
    let rows = ["checks", "checks, async", "checks, initialised", "threads", "tasks of tokio"];
    let program = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let mut taken = vec![Vec::new(); rows.len()];
    for _ in 0..SAMPLES {
        for (row, seconds) in rows.iter().zip(&mut taken) {
            let mut process = Command::new(&program);
            let process = process.args(["sample", row]).env("LOG_LEVEL", "off").stdout(Stdio::null());
            let output = process.output().unwrap_or_else(|error| panic!("{error}"));
            let text = String::from_utf8_lossy(&output.stderr);
            seconds.push(text.trim().parse().unwrap_or_else(|_| panic!("{row}: {text}")));
        }
    }
    let medians: Vec<f64> = taken.into_iter().map(median).collect();
    let peer = medians[3];
    println!("{:<24} {:>10} {:>14} {:>18}", "16,000 checks", "seconds", "µs for each", "of bare threads");
    for (row, seconds) in rows.iter().zip(medians) {
        println!("{row:<24} {seconds:>10.3} {:>14.1} {:>18.2}", seconds / f64::from(CHECKS) * 1e6, seconds / peer);
    }
}
