//! Promise 1: every call has exactly one outcome.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use obs_runtime::testing::{CallRecord, capture, capture_async};
use obs_runtime::{Outcome, track_performance};

#[track_performance]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    assert!(text != "panic", "asked to");
    text.parse()
}

#[track_performance]
fn find(text: &str) -> Option<usize> {
    text.find('x')
}

#[track_performance]
fn count() -> usize {
    3
}

#[track_performance]
async fn parse_async(text: &str, pause: bool) -> Result<u32, std::num::ParseIntError> {
    if pause {
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
    tokio::task::yield_now().await;
    assert!(text != "panic", "asked to");
    text.parse()
}

fn only(calls: &[CallRecord]) -> (&str, Outcome) {
    assert_eq!(calls.len(), 1, "{calls:?}");
    (&calls[0].name, calls[0].outcome)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[test]
fn a_value_counts_as_ok_and_an_err_as_an_error() {
    let captured = capture(|| parse("7"));
    assert_eq!(captured.value, Ok(7));
    assert_eq!(only(&captured.records.calls), ("parse", Outcome::Ok));
    let captured = capture(|| parse("seven"));
    assert!(captured.value.is_err());
    assert_eq!(only(&captured.records.calls), ("parse", Outcome::Error));
    let failure = captured.records.calls[0].failure.as_ref().unwrap();
    assert_eq!((&*failure.error_type, &*failure.message), ("ParseIntError", "invalid digit found in string"));
}

#[test]
fn none_counts_as_an_error_and_other_types_as_ok() {
    assert_eq!(only(&capture(|| find("abc")).records.calls), ("find", Outcome::Error));
    assert_eq!(only(&capture(|| find("axc")).records.calls), ("find", Outcome::Ok));
    assert_eq!(only(&capture(count).records.calls), ("count", Outcome::Ok));
}

#[test]
fn a_panic_counts_as_a_panic_and_continues_to_unwind() {
    let captured = capture(|| catch_unwind(AssertUnwindSafe(|| parse("panic"))));
    let payload = captured.value.unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"asked to"));
    assert_eq!(only(&captured.records.calls), ("parse", Outcome::Panic));
    let failure = captured.records.calls[0].failure.as_ref().unwrap();
    assert!(failure.message.starts_with("asked to at "), "{failure:?}");
}

#[test]
fn the_outcome_of_a_future_is_that_of_its_output() {
    let captured =
        runtime().block_on(capture_async(async { (parse_async("7", false).await, parse_async("x", false).await) }));
    assert_eq!(captured.value.0, Ok(7));
    let outcomes: Vec<_> = captured.records.calls.iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Error]);
}

#[test]
fn a_dropped_future_counts_as_cancelled() {
    let captured = runtime().block_on(capture_async(async {
        tokio::time::timeout(Duration::from_millis(5), parse_async("7", true)).await.is_err()
    }));
    assert!(captured.value);
    assert_eq!(only(&captured.records.calls), ("parse_async", Outcome::Cancelled));
}

#[test]
fn a_future_that_was_never_polled_is_not_a_call() {
    let captured = capture(|| drop(parse_async("7", false)));
    assert_eq!(captured.records.calls, []);
}

#[test]
fn a_panic_inside_a_future_counts_as_a_panic() {
    let captured = runtime().block_on(capture_async(async {
        obs_runtime::spawn(async { parse_async("panic", false).await }).await.unwrap_err().is_panic()
    }));
    assert!(captured.value);
    assert_eq!(only(&captured.records.calls), ("parse_async", Outcome::Panic));
}

#[test]
fn a_future_dropped_while_another_panic_unwinds_counts_as_cancelled() {
    let captured = capture(|| {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let mut future = Box::pin(parse_async("7", false));
            let mut task = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(future.as_mut().poll(&mut task).is_pending());
            panic!("another panic");
        }));
    });
    assert_eq!(only(&captured.records.calls), ("parse_async", Outcome::Cancelled));
}

#[test]
fn each_outcome_has_a_series_of_its_own() {
    let captured = capture(|| {
        let _ = (parse("7"), parse("8"), parse("x"));
        let _ = catch_unwind(AssertUnwindSafe(|| parse("panic")));
    });
    let metrics = captured.metrics;
    let parse = ("operation", "parse");
    assert_eq!(metrics.value("operation.success", &[parse]), Some(2.0));
    assert_eq!(metrics.value("operation.failure", &[parse, ("outcome", "error")]), Some(1.0));
    assert_eq!(metrics.value("operation.failure", &[parse, ("outcome", "panic")]), Some(1.0));
    assert_eq!(metrics.value("operation.duration.seconds", &[parse, ("outcome", "ok")]), Some(2.0));
}

#[test]
fn a_panic_in_ok_if_counts_as_a_panic() {
    fn judge<T>(_: &T) -> bool {
        panic!("the judgement panics")
    }
    #[track_performance(ok_if = judge)]
    async fn judged() -> u8 {
        tokio::task::yield_now().await;
        1
    }
    let captured = capture(|| catch_unwind(AssertUnwindSafe(|| runtime().block_on(judged()))).is_err());
    assert!(captured.value);
    assert_eq!(only(&captured.records.calls), ("judged", Outcome::Panic));
}
