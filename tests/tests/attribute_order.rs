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

/// Each order of ours with an attribute of others gives the same two calls.
fn assert_both_counted(captured: &Captured<(u8, u8)>) {
    assert_eq!(captured.value, (1, 1));
    let outcomes: Vec<_> = captured.records.calls.iter().map(|call| call.outcome.as_str()).collect();
    assert_eq!(outcomes, ["ok", "ok"], "{captured:?}");
}

#[test]
fn instrument_can_stand_above_and_below() {
    #[tracing::instrument(ret)]
    #[track_performance]
    #[with_error_tracking]
    async fn above(a: Option<u8>) -> Option<u8> {
        tokio::task::yield_now().await;
        a
    }

    #[with_error_tracking]
    #[track_performance]
    #[tracing::instrument(skip_all)]
    async fn below(a: Option<u8>) -> Option<u8> {
        tokio::task::yield_now().await;
        a
    }

    #[tracing::instrument(err)]
    #[with_error_tracking]
    fn sync_above(a: u8) -> Result<u8, String> {
        if a > 3 { Err("more".into()) } else { Ok(a) }
    }

    #[with_error_tracking]
    #[tracing::instrument(err)]
    fn sync_below(a: u8) -> Result<u8, String> {
        if a > 3 { Err("more".into()) } else { Ok(a) }
    }

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let both = async { (above(Some(1)).await.unwrap(), below(Some(1)).await.unwrap()) };
    assert_both_counted(&runtime.block_on(capture_async(both)));
    let captured = capture(|| (sync_above(4), sync_below(4), sync_above(1), sync_below(1)));
    assert_eq!(captured.value.2, Ok(1));
    assert_eq!(captured.records.errors.len(), 2);
}

#[test]
fn async_recursion_can_stand_above_and_below() {
    #[async_recursion::async_recursion]
    #[track_performance]
    async fn above(a: u8) -> u8 {
        if a == 0 { 0 } else { 1 + above(a - 1).await }
    }

    #[track_performance]
    #[async_recursion::async_recursion]
    async fn below(a: u8) -> u8 {
        if a == 0 { 0 } else { 1 + below(a - 1).await }
    }

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let captured = runtime.block_on(capture_async(async { (above(3).await, below(3).await) }));
    assert_eq!(captured.value, (3, 3));
    assert_eq!(captured.records.calls.len(), 8);
}

mod handlers {
    use axum::extract::Path;
    use axum::http::StatusCode;

    #[axum::debug_handler]
    #[obs_runtime::track_performance(args(id = id))]
    pub async fn above(Path(id): Path<u8>) -> Result<String, StatusCode> {
        if id > 3 { Err(StatusCode::NOT_FOUND) } else { Ok(id.to_string()) }
    }

    #[obs_runtime::track_performance(args(id))]
    #[obs_runtime::with_error_tracking]
    #[axum::debug_handler]
    pub async fn below(Path(id): Path<u8>) -> Result<String, StatusCode> {
        if id > 3 { Err(StatusCode::NOT_FOUND) } else { Ok(id.to_string()) }
    }
}

#[test]
fn handlers_of_axum_stay_handlers_in_either_order() {
    let _: axum::Router = axum::Router::new()
        .route("/a/{id}", axum::routing::get(handlers::above))
        .route("/b/{id}", axum::routing::get(handlers::below));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let both = async { (handlers::above(axum::extract::Path(4)).await, handlers::below(axum::extract::Path(4)).await) };
    let captured = runtime.block_on(capture_async(both));
    assert_eq!((captured.records.calls.len(), captured.records.errors.len()), (2, 1));
}

/// Tools that a model may call: their attribute looks at arguments and makes futures of what they give.
mod tools {
    use obs_runtime::{track_performance, with_error_tracking};
    use rmcp::handler::server::wrapper::Parameters;
    use rmcp::{schemars, tool, tool_router};

    #[derive(serde::Deserialize, schemars::JsonSchema)]
    #[schemars(crate = "rmcp::schemars")]
    pub struct Table {
        pub rows: u8,
    }

    pub struct Tools;

    #[tool_router(vis = "pub")]
    impl Tools {
        #[tool(description = "Above ours.")]
        #[track_performance(args(rows = table.rows))]
        pub async fn above(&self, Parameters(table): Parameters<Table>) -> Result<String, String> {
            tokio::task::yield_now().await;
            if table.rows > 3 { Err("too many".into()) } else { Ok(table.rows.to_string()) }
        }

        #[with_error_tracking]
        #[track_performance(args(rows = table.rows))]
        #[tool(description = "Below ours.")]
        pub async fn below(&self, Parameters(table): Parameters<Table>) -> Result<String, String> {
            tokio::task::yield_now().await;
            if table.rows > 3 { Err("too many".into()) } else { Ok(table.rows.to_string()) }
        }

        /// Not async, and of nobody.
        #[track_performance]
        #[tool]
        pub fn at_once() -> String {
            "now".to_owned()
        }
    }
}

#[test]
fn tools_stay_tools_in_either_order() {
    use rmcp::handler::server::wrapper::Parameters;

    let listed = tools::Tools::tool_router().list_all();
    let described: Vec<_> = listed.iter().map(|tool| (&*tool.name, tool.description.as_deref())).collect();
    let expected = [
        ("above", Some("Above ours.")),
        ("at_once", Some("Not async, and of nobody.")),
        ("below", Some("Below ours.")),
    ];
    assert_eq!(described, expected);
    let takes_rows = |tool: &rmcp::model::Tool| tool.input_schema["properties"].get("rows").is_some();
    assert_eq!(listed.iter().map(takes_rows).collect::<Vec<_>>(), [true, false, true]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let table = || Parameters(tools::Table { rows: 4 });
    let all = async { (tools::Tools.above(table()).await, tools::Tools.below(table()).await, tools::Tools::at_once()) };
    let captured = runtime.block_on(capture_async(all));
    assert_eq!(captured.value, (Err("too many".into()), Err("too many".into()), "now".into()));
    assert_eq!((captured.records.calls.len(), captured.records.errors.len()), (3, 1));
}

/// Cases of rstest are tests of their own: these assert by being run.
mod cases {
    use obs_runtime::{track_performance, tracked_command, with_error_tracking};
    use rstest::{fixture, rstest};

    #[fixture]
    #[track_performance]
    fn base() -> u8 {
        1
    }

    #[rstest]
    #[case(1, 2)]
    #[case::more(2, 3)]
    #[track_performance]
    #[with_error_tracking]
    fn above(base: u8, #[case] given: u8, #[case] expected: u8) -> Result<(), String> {
        if base + given == expected { Ok(()) } else { Err(format!("{base} + {given}")) }
    }

    #[tracked_command]
    #[track_performance]
    #[rstest]
    #[case(1)]
    #[tokio::test]
    async fn below(#[case] given: u8, #[values(2, 3)] more: u8) {
        tokio::task::yield_now().await;
        assert!(given < more);
    }

    #[test]
    #[should_panic(expected = "told")]
    #[track_performance]
    fn a_test_that_panics() {
        panic!("told");
    }

    #[with_error_tracking]
    #[test]
    fn a_test_that_may_fail() -> Result<(), String> {
        Ok(())
    }

    #[track_performance]
    #[tokio::test]
    async fn below_a_test() {
        tokio::task::yield_now().await;
    }

    #[tokio::test]
    #[track_performance]
    async fn above_a_test() -> Result<(), String> {
        tokio::task::yield_now().await;
        Ok(())
    }
}
