//! `#[tracked_command]`: context, metrics and exit codes.

use std::num::ParseIntError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use obs_runtime::testing::{capture, capture_async};
use obs_runtime::{LogContext, Outcome, correlation_id, tracked_command, with_error_tracking};

#[tracked_command(user = "ada", args(table, force, limit))]
fn import_users(table: &str, force: bool, limit: Option<u8>) -> Result<Option<String>, std::fmt::Error> {
    assert!(table != "panic");
    tracing::info!("inside");
    let _ = (force, limit);
    if table == "bad" { Err(std::fmt::Error) } else { Ok(correlation_id()) }
}

#[tracked_command]
fn with_exit_code(code: u8) -> ExitCode {
    ExitCode::from(code)
}

#[tracked_command]
async fn outer() -> Option<String> {
    tokio::task::yield_now().await;
    let inner = obs_runtime::spawn(inner()).await.unwrap();
    assert_eq!(inner, correlation_id());
    inner
}

#[tracked_command]
async fn inner() -> Option<String> {
    tokio::task::yield_now().await;
    correlation_id()
}

#[test]
fn a_command_sets_correlation_id_user_and_operation() {
    let captured = capture(|| import_users("users", true, None));
    let id = captured.value.unwrap().unwrap();
    assert_eq!(id.as_bytes()[14], b'7', "a UUID of version 7: {id}");
    let line = &captured.records.logs[0];
    assert_eq!(line.message, "inside");
    assert_eq!(line.scope.correlation_id.as_deref(), Some(&*id));
    assert_eq!((line.scope.user.as_deref(), line.scope.operation.as_deref()), (Some("ada"), Some("import-users")));
    assert_eq!(correlation_id(), None, "the context ends with the command");
}

#[test]
fn an_existing_correlation_id_is_kept() {
    let captured = capture(|| LogContext::new().correlation_id("run-7").scope(|| import_users("users", true, None)));
    assert_eq!(captured.value.unwrap().as_deref(), Some("run-7"));
}

#[test]
fn only_arguments_with_a_value_count_as_used() {
    let metrics = capture(|| import_users("users", false, Some(3))).metrics;
    let used = |argument| metrics.value("cli.command.argument", &[("command", "import-users"), ("argument", argument)]);
    assert_eq!((used("table"), used("force"), used("limit")), (Some(1.0), None, Some(1.0)));
}

#[test]
fn every_outcome_is_counted_once() {
    let captured = capture(|| {
        let _ = (import_users("users", true, None), import_users("bad", true, None));
        let _ = catch_unwind(AssertUnwindSafe(|| import_users("panic", true, None)));
    });
    let command = ("command", "import-users");
    let value = |family, labels: &[_]| captured.metrics.value(family, labels);
    assert_eq!(value("cli.command.started", &[command]), Some(3.0));
    assert_eq!(value("cli.command.success", &[command]), Some(1.0));
    assert_eq!(value("cli.command.failure", &[command, ("outcome", "error")]), Some(1.0));
    assert_eq!(value("cli.command.failure", &[command, ("outcome", "panic")]), Some(1.0));
    for (outcome, times) in [("ok", 1.0), ("error", 1.0), ("panic", 1.0)] {
        assert_eq!(value("cli.command.duration.seconds", &[command, ("outcome", outcome)]), Some(times), "{outcome}");
    }
    assert_eq!(value("cli.command.duration.seconds", &[command, ("outcome", "cancelled")]), None);
    assert_eq!(value("cli.command.failure", &[command, ("outcome", "cancelled")]), Some(0.0));
    assert_eq!(value("cli.command.consecutive_failures", &[command]), Some(2.0));
    assert!(value("cli.command.last_duration.seconds", &[command]).is_some_and(|seconds| seconds < 600.0));
    assert_eq!(value("cli.command.last_exit_code", &[command]), Some(101.0));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let last_success = value("cli.command.last_success.timestamp.seconds", &[command]).unwrap();
    assert!((now - 600.0..=now + 1.0).contains(&last_success), "{last_success}");
    let last_start = value("cli.command.last_start.timestamp.seconds", &[command]).unwrap();
    assert!((last_success..=now + 1.0).contains(&last_start), "{last_start}");
}

#[test]
fn the_exit_code_decides_the_outcome_and_is_recorded() {
    for (code, outcome) in [(0, Outcome::Ok), (3, Outcome::Error)] {
        let captured = capture(|| with_exit_code(code));
        assert_eq!(captured.value, ExitCode::from(code));
        let call = &captured.records.calls[0];
        assert_eq!((call.outcome, call.exit_code), (outcome, Some(code)));
    }
}

#[test]
fn the_context_follows_awaits_and_spawned_tasks() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let captured = runtime.block_on(capture_async(outer()));
    assert!(captured.value.is_some());
    let scopes: Vec<_> = captured.records.calls.iter().map(|call| call.scope.correlation_id.clone()).collect();
    assert_eq!(scopes, [captured.value.clone(), captured.value]);
}

const fn is_any(_: &ParseIntError) -> bool {
    true
}

#[with_error_tracking(ignore_if = is_any)]
fn ignored() -> Result<u8, ParseIntError> {
    "x".parse()
}

#[tracked_command]
#[with_error_tracking(ignore_if = is_any)]
fn ends_by_an_ignored_error() -> Result<u8, ParseIntError> {
    ignored()
}

#[tracked_command]
fn handles_an_ignored_error() -> bool {
    ignored().is_err()
}

#[tracked_command(ok_if = Result::is_err)]
fn expects_an_ignored_error() -> Result<u8, ParseIntError> {
    ignored()
}

#[test]
fn an_ignored_error_is_captured_if_a_command_fails_by_it() {
    let of = |command: fn() -> bool| {
        let records = capture(command).records;
        let captured: Vec<_> = records.errors.iter().map(|error| error.operation.clone()).collect();
        let command = records.calls.iter().find(|call| call.exit_code.is_some()).map(|call| call.outcome);
        (captured, command)
    };
    let failed = (vec!["ends-by-an-ignored-error".to_owned()], Some(Outcome::Error));
    assert_eq!(of(|| ends_by_an_ignored_error().is_err()), failed, "a failed command is never without its error");
    assert_eq!(of(handles_an_ignored_error), (vec![], Some(Outcome::Ok)));
    assert_eq!(of(|| expects_an_ignored_error().is_err()), (vec![], Some(Outcome::Ok)), "the command decides");
}
