//! Attributes stand in one order from the outside in, however they are written.

use obs_runtime::testing::{Captured, capture, capture_async};
use obs_runtime::{QueryStatistics, bq_cost, track_cost, track_performance, tracked_command, with_error_tracking};

type Outcome = Result<(), std::fmt::Error>;

fn spend_and_fail() -> Outcome {
    track_cost(&QueryStatistics { bytes_billed: Some(1 << 40), ..QueryStatistics::default() });
    Err(std::fmt::Error)
}

#[tracked_command]
#[bq_cost]
#[with_error_tracking]
#[track_performance]
fn from_outside_in() -> Outcome {
    spend_and_fail()
}

#[track_performance]
#[with_error_tracking]
#[bq_cost]
#[tracked_command]
fn from_inside_out() -> Outcome {
    spend_and_fail()
}

#[with_error_tracking]
#[obs_runtime::tracked_command]
/// Comments and other attributes stay where they are.
#[inline]
#[track_performance]
#[cold]
#[obs_runtime::bq_cost]
fn mixed() -> Outcome {
    spend_and_fail()
}

#[track_performance]
#[tracked_command]
#[bq_cost]
#[with_error_tracking]
async fn later() -> Outcome {
    tokio::task::yield_now().await;
    spend_and_fail()
}

fn assert_in_order(captured: &Captured<Outcome>, command: &str) {
    assert!(captured.value.is_err());
    let records = &captured.records;
    let attributes: Vec<_> = records.calls.iter().map(|call| call.attribute).collect();
    assert_eq!(attributes, ["track_performance", "tracked_command"], "the inner call ends first");
    assert_eq!(records.errors.len(), 1);
    assert_eq!(
        records.errors[0].scope.operation.as_deref(),
        Some(command),
        "the error is captured in the command's context"
    );
    assert!(records.errors[0].scope.correlation_id.is_some());
    assert_eq!(records.prices.len(), 1);
}

#[test]
fn the_command_is_outermost_in_every_order() {
    assert_in_order(&capture(from_outside_in), "from-outside-in");
    assert_in_order(&capture(from_inside_out), "from-inside-out");
    assert_in_order(&capture(mixed), "mixed");
}

#[test]
fn the_same_holds_for_async_functions() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_in_order(&runtime.block_on(capture_async(later())), "later");
}

#[test]
fn main_and_test_functions_can_bear_them_above_and_below() {
    #[tokio::main(flavor = "current_thread")]
    #[tracked_command]
    async fn below() -> u8 {
        tokio::task::yield_now().await;
        1
    }

    #[tracked_command]
    #[tokio::main(flavor = "current_thread")]
    async fn above() -> u8 {
        tokio::task::yield_now().await;
        2
    }

    let captured = capture(|| (below(), above()));
    assert_eq!(captured.value, (1, 2));
    assert_eq!(captured.records.calls.len(), 2);
}
