//! A hot function does not flood the log: successes are left out and counted, what matters is always there. One test, as a
//! process has one log.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use obs_runtime::{Guard, Level, LogFilter, LogOutput, LogSampling, Observability, track_performance, tracked_command};
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

type Lines = Arc<Mutex<Vec<Value>>>;

fn sampled() -> (Guard, Lines) {
    let lines = Lines::default();
    let kept = Arc::clone(&lines);
    let guard = Observability::builder()
        .without_environment()
        .prometheus_port(0)
        .log_sampling(LogSampling::first(2).then_every(50).slow_from(Duration::from_millis(50)))
        .log_output(LogOutput::new(move |line| {
            kept.lock().unwrap().push(serde_json::from_slice(line).unwrap());
            Ok(())
        }))
        .init()
        .unwrap();
    (guard, lines)
}

#[test]
fn successes_are_left_out_and_counted_and_what_matters_is_kept() {
    let (guard, lines) = sampled();
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
    let lines = std::mem::take(&mut *lines.lock().unwrap());
    let number = |call: &str, outcome: Option<&str>| {
        let of = lines.iter().filter(|line| line["call"] == call && line["outcome"].as_str() == outcome);
        let (mut written, mut left_out) = (0, 0);
        of.for_each(|line| {
            let is_of_a_call = !line["message"].as_str().unwrap().contains("left out");
            written += u64::from(is_of_a_call);
            left_out += line["left_out"].as_u64().unwrap_or_default();
        });
        (written, left_out)
    };
    assert_eq!(calls, Some(990.0));
    assert_eq!(number("hot", Some("error")).0, 10);
    let (ok, error) = (number("hot", Some("ok")), number("hot", Some("error")));
    // Two a second and then each fiftieth; the last call failed, and its line has told of all before it.
    assert!((20..200).contains(&ok.0), "{ok:?}");
    assert_eq!(ok.0 + ok.1 + error.1, 990);
    let starts = number("hot", None);
    assert!(starts.0 < 200 && starts.0 + starts.1 == 1000, "{starts:?}");
    // After these no line was written by which they could be told of but at the end.
    let (starts, ends) = (number("last", None), number("last", Some("ok")));
    assert!(starts.1 > 0 && ends.1 > 0, "{starts:?} {ends:?}");
    assert_eq!((starts.0 + starts.1, ends.0 + ends.1), (100, 100));
    assert_eq!(number("slow", Some("ok")), (5, 0));
    assert_eq!((number("command", Some("ok")), number("command", None)), ((5, 0), (5, 0)));
    assert_eq!(lines.iter().filter(|line| line["message"] == "the program's own").count(), 1000);

    // What was left out is no line of a level that is not written any more.
    let (guard, lines) = sampled();
    for _ in 0..100 {
        last();
    }
    guard.log_level().set(LogFilter::from(Level::Error));
    let before = lines.lock().unwrap().len();
    drop(guard);
    assert_eq!(lines.lock().unwrap()[before..], [] as [Value; 0]);
}
