//! What the start of a command costs: initialising obs, and the time from the call to the first line of the function, while its
//! start is written to a textfile and pushed to a Pushgateway.
//!
//! Each sample is a process of its own; the rows alternate, so that all see the same machine. The result is the median.

#![allow(clippy::print_stdout, missing_docs)]

use std::process::Command;
use std::time::Instant;

use obs_runtime::{Observability, tracked_command};
use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::measure::median;

/// Processes per row.
const SAMPLES: usize = 101;

#[tracked_command(cron = "0 3 * * *", max_runtime = "30m")]
fn nightly(called: Instant) -> f64 {
    called.elapsed().as_secs_f64() * 1e3
}

/// Prints the milliseconds of the initialisation and of the start.
fn sample() {
    let begun = Instant::now();
    let guard = Observability::builder().init().unwrap_or_else(|error| panic!("{error}"));
    let initialised = begun.elapsed().as_secs_f64() * 1e3;
    println!("{initialised} {}", nightly(Instant::now()));
    drop(guard);
}

fn main() {
    if std::env::args().any(|argument| argument == "sample") {
        return sample();
    }
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let gateway = FaultyServer::start(Fault::Answer(200, Vec::new(), String::new()));
    let silent = FaultyServer::start(Fault::Hang);
    let textfile = ("PROMETHEUS_TEXTFILE_DIR", folder.path().display().to_string());
    let push = |server: &FaultyServer| ("PROMETHEUS_PUSHGATEWAY_URL", format!("http://{}", server.address()));
    let rows = [
        ("no exporter keeps it", vec![]),
        ("textfile", vec![textfile.clone()]),
        ("textfile and Pushgateway", vec![textfile.clone(), push(&gateway)]),
        ("textfile and a Pushgateway that does not answer", vec![textfile, push(&silent)]),
    ];
    let program = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let mut taken = vec![(Vec::new(), Vec::new()); rows.len()];
    for _ in 0..SAMPLES {
        for ((_, environment), (inits, starts)) in rows.iter().zip(&mut taken) {
            let mut process = Command::new(&program);
            let common = [("PROMETHEUS_PORT", "0"), ("LOG_LEVEL", "off"), ("OBS_FLUSH_TIMEOUT", "100ms")];
            process.arg("sample").envs(common).envs(environment.iter().map(|(name, value)| (*name, value)));
            let output = process.output().unwrap_or_else(|error| panic!("{error}"));
            let text = String::from_utf8_lossy(&output.stdout);
            let figures: Vec<f64> = text.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
            let [init, start] = figures[..] else { panic!("{output:?}") };
            inits.push(init);
            starts.push(start);
        }
    }
    println!("{:<50} {:>10} {:>10}", "medians in ms", "init", "start");
    for ((name, _), (inits, starts)) in rows.iter().zip(taken) {
        println!("{name:<50} {:>10.3} {:>10.3}", median(inits), median(starts));
    }
}
