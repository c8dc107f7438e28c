//! Sampling of log lines: frequent successes are left out and counted, everything else is logged. One test, because a process
//! has one log.

use std::time::Duration;

use obs_runtime::{Guard, Level, LogFilter, LogSampling, Observability, track_performance, tracked_command};
use obs_tests::logs::MemoryLog;
use serde_json::Value;

#[track_performance(level = "info")]
fn hot(number: u32) -> Result<(), String> {
    if number % 100 == 99 { Err(format!("{number} is wrong")) } else { Ok(()) }
}

#[track_performance(level = "info")]
fn slow() {
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_millis(60) {
        std::hint::spin_loop();
    }
}

#[track_performance(level = "info")]
fn last() {}

#[tracked_command]
fn command() -> u32 {
    7
}

fn sampled() -> (Guard, MemoryLog) {
    let log = MemoryLog::default();
    let guard = Observability::builder()
        .without_environment()
        .prometheus_port(0)
        .log_sampling(LogSampling::first(2).then_every(50).slow_from(Duration::from_millis(50)))
        .log_output(log.output())
        .init()
        .unwrap();
    (guard, log)
}

#[test]
fn only_frequent_successes_are_left_out_and_counted() {
    let (guard, log) = sampled();
    for number in 0..1000 {
        let _ = hot(number);
        tracing::info!("the program's own");
    }
    for _ in 0..5 {
        slow();
        command();
    }
    for _ in 0..100 {
        last();
    }
    let calls = obs_runtime::metrics().value("operation.success", &[("operation", "hot")]);
    drop(guard);
    let lines = log.take();
    let number = |call: &str, outcome: Option<&str>| {
        let found = lines.iter().filter(|line| line["call"] == call && line["outcome"].as_str() == outcome);
        let (mut written, mut left_out) = (0, 0);
        found.for_each(|line| {
            let is_of_a_call = !line["message"].as_str().unwrap().contains("left out");
            written += u64::from(is_of_a_call);
            left_out += line["left_out"].as_u64().unwrap_or_default();
        });
        (written, left_out)
    };
    assert_eq!(calls, Some(990.0));
    assert_eq!(number("hot", Some("error")).0, 10);
    let (ok, error) = (number("hot", Some("ok")), number("hot", Some("error")));
    // Two a second and then every fiftieth. The last call failed, and its line has the number of those left out before.
    assert!((20..200).contains(&ok.0), "{ok:?}");
    assert_eq!(ok.0 + ok.1 + error.1, 990);
    let starts = number("hot", None);
    assert!(starts.0 < 200 && starts.0 + starts.1 == 1000, "{starts:?}");
    // The numbers of these are logged at the end, because no other line follows.
    let (starts, ends) = (number("last", None), number("last", Some("ok")));
    assert!(starts.1 > 0 && ends.1 > 0, "{starts:?} {ends:?}");
    assert_eq!((starts.0 + starts.1, ends.0 + ends.1), (100, 100));
    assert_eq!(number("slow", Some("ok")), (5, 0));
    assert_eq!((number("command", Some("ok")), number("command", None)), ((5, 0), (5, 0)));
    assert_eq!(lines.iter().filter(|line| line["message"] == "the program's own").count(), 1000);

    // The numbers are not logged at a level that is disabled.
    let (guard, log) = sampled();
    for _ in 0..100 {
        last();
    }
    guard.log_level().set(LogFilter::from(Level::Error));
    assert!(!log.take().is_empty());
    drop(guard);
    assert_eq!(log.take(), [] as [Value; 0]);
}
