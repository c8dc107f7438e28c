//! Promise 4: one report for one error, however many annotated functions it passes, with a layer of each.

#![allow(clippy::items_after_statements, reason = "each test has functions of its own")]

use std::fmt;
use std::sync::Arc;

use obs_runtime::testing::{ErrorRecord, capture, capture_async};
use obs_runtime::{
    ClosureInContext as _, FutureInContext as _, Level, bq_cost, capture_error, capture_message, track_performance,
    tracked_command, with_error_tracking,
};

#[derive(Debug)]
struct LoadError(u32);

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {} is bad", self.0)
    }
}

impl std::error::Error for LoadError {}

#[derive(Debug)]
enum JobError {
    Load(LoadError),
}

impl From<LoadError> for JobError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the job cannot go on")
    }
}

impl std::error::Error for JobError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let Self::Load(error) = self;
        Some(error)
    }
}

type Boxed = Box<dyn std::error::Error + Send + Sync>;

#[track_performance(args(file))]
#[with_error_tracking(context(row = 3), tags(format = "csv"))]
fn innermost(file: &str) -> Result<(), LoadError> {
    if file.is_empty() { Ok(()) } else { Err(LoadError(3)) }
}

#[with_error_tracking(context(table = "users"))]
fn converted_by_from(file: &str) -> Result<(), JobError> {
    innermost(file)?;
    Ok(())
}

#[bq_cost(args(budget = 5))]
fn passed_on(file: &str) -> anyhow::Result<()> {
    use anyhow::Context as _;
    converted_by_from(file).context("nightly")
}

#[tracked_command(args(day = "monday"))]
fn command(file: &str) -> anyhow::Result<()> {
    let result = passed_on(file);
    if let Err(error) = &result {
        tracing::error!(%error, "it failed");
        capture_error(error);
    }
    result
}

/// The only error.
#[track_caller]
fn only(errors: &[ErrorRecord]) -> &ErrorRecord {
    let [error] = errors else { panic!("{} errors: {errors:#?}", errors.len()) };
    error
}

#[test]
fn an_error_that_passes_many_functions_and_is_logged_and_captured_manually_is_one() {
    let captured = capture(|| command("users.csv"));
    assert!(captured.value.is_err());
    let error = only(&captured.records.errors);
    assert_eq!(error.layers, ["innermost", "innermost", "converted_by_from", "passed_on", "command", "command"]);
    for (name, value) in
        [("file", "users.csv"), ("row", "3"), ("format", "csv"), ("table", "users"), ("budget", "5"), ("day", "monday")]
    {
        assert!(error.fields.contains(&(name.to_owned(), value.to_owned())), "{name}: {:?}", error.fields);
    }
    assert_eq!((&*error.operation, &*error.failure.error_type), ("innermost", "LoadError"));
    // What it was converted to comes before what it was.
    assert_eq!(error.failure.message, "nightly");
    assert_eq!(error.failure.sources, ["the job cannot go on", "row 3 is bad"]);
    assert_eq!(error.scope.operation.as_deref(), Some("command"));
    let finished = captured.records.calls.iter().find(|call| call.name == "command").unwrap();
    assert!(finished.failure.is_some());
}

#[test]
fn each_function_that_it_passes_counts_it() {
    let captured = capture(|| command("users.csv"));
    for operation in ["innermost", "converted_by_from"] {
        let labels = [("operation", operation), ("error_type", "LoadError")];
        assert_eq!(captured.metrics.value("operation.error", &labels), Some(1.0), "{operation}");
    }
}

#[test]
fn two_errors_with_the_same_message_are_two() {
    #[with_error_tracking]
    fn tries_twice() -> Result<(), LoadError> {
        let _ = innermost("a");
        innermost("b")
    }
    let captured = capture(|| tries_twice().is_err());
    assert_eq!(captured.records.errors.len(), 2, "{:#?}", captured.records.errors);
    let layers: Vec<_> = captured.records.errors.iter().map(|error| error.layers.join(" ")).collect();
    assert!(layers.contains(&"innermost innermost".to_owned()), "{layers:?}");
    assert!(layers.contains(&"innermost innermost tries_twice".to_owned()), "{layers:?}");
    let captured = capture(|| {
        for _ in 0..5 {
            let _ = innermost("a");
        }
    });
    assert_eq!(captured.records.errors.len(), 5);
}

#[with_error_tracking]
fn boxed(words: &str) -> Result<(), Boxed> {
    if words.is_empty() { Ok(()) } else { Err(words.into()) }
}

#[test]
fn boxes_with_the_same_message_are_two_errors() {
    #[with_error_tracking]
    fn fails_by_another() -> Result<(), Boxed> {
        let first = boxed("same words");
        let other: Result<(), Boxed> = Err("same words".into());
        drop(first);
        other
    }
    assert_eq!(capture(|| fails_by_another().is_err()).records.errors.len(), 2);
    let captured = capture(|| {
        for _ in 0..5 {
            let _ = boxed("same words");
        }
    });
    assert_eq!(captured.records.errors.len(), 5);
}

#[test]
fn an_error_that_was_handled_is_not_the_next_one() {
    #[with_error_tracking]
    fn falls_back() -> Result<(), LoadError> {
        let _ = innermost("a");
        innermost("").and(Err(LoadError(3)))
    }
    // The second try has succeeded, so the same message is that of another error.
    assert_eq!(capture(|| falls_back().is_err()).records.errors.len(), 2);
    #[with_error_tracking]
    fn fails_otherwise() -> Result<(), String> {
        let _ = innermost("a");
        Err("no disk".to_owned())
    }
    assert_eq!(capture(|| fails_otherwise().is_err()).records.errors.len(), 2);
    #[with_error_tracking]
    fn succeeds() -> Result<(), String> {
        let _ = innermost("a");
        Ok(())
    }
    assert_eq!(only(&capture(|| succeeds().is_ok()).records.errors).layers, ["innermost", "innermost"]);
}

#[test]
fn text_made_of_an_error_is_that_error() {
    #[with_error_tracking]
    fn to_text() -> Result<(), String> {
        innermost("a").map_err(|error| format!("cannot load: {error}"))
    }
    let captured = capture(|| to_text().is_err());
    let error = only(&captured.records.errors);
    assert_eq!((&*error.failure.message, error.failure.sources.len()), ("cannot load: row 3 is bad", 1));
}

#[test]
fn an_error_behind_an_arc_is_one() {
    #[derive(Debug, Clone)]
    struct Shared(Arc<LoadError>);
    impl fmt::Display for Shared {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(formatter)
        }
    }
    impl std::error::Error for Shared {}
    #[with_error_tracking]
    fn shared() -> Result<(), Shared> {
        innermost("a").map_err(|error| Shared(Arc::new(error)))
    }
    #[with_error_tracking]
    fn around() -> Result<(), Arc<LoadError>> {
        shared().map_err(|error| error.0)
    }
    assert_eq!(only(&capture(|| around().is_err()).records.errors).layers.len(), 4);
}

#[test]
fn a_report_of_eyre_is_one_with_its_whole_chain() {
    use eyre::WrapErr as _;
    #[with_error_tracking(context(table = "users"))]
    fn inner() -> eyre::Result<()> {
        innermost("a").wrap_err("reading")
    }
    #[tracked_command]
    fn outer() -> eyre::Result<()> {
        let result = inner().wrap_err("loading");
        if let Err(report) = &result {
            capture_error(report);
        }
        result
    }
    let captured = capture(|| outer().is_err());
    let error = only(&captured.records.errors);
    assert_eq!(error.layers, ["innermost", "innermost", "inner", "outer", "outer"]);
    assert_eq!((&*error.failure.message, &*error.failure.error_type), ("loading", "LoadError"));
    assert_eq!(error.failure.sources, ["reading", "row 3 is bad"]);
    // The kind of a report is that of its root cause.
    let labels = [("operation", "inner"), ("error_type", "LoadError")];
    assert_eq!(captured.metrics.value("operation.error", &labels), Some(1.0));
}

#[with_error_tracking]
async fn innermost_later() -> Result<(), LoadError> {
    tokio::task::yield_now().await;
    Err(LoadError(3))
}

#[with_error_tracking(context(table = "users"))]
async fn around_later() -> Result<(), JobError> {
    tokio::task::yield_now().await;
    innermost_later().await?;
    Ok(())
}

#[with_error_tracking]
async fn in_a_task() -> Result<(), Boxed> {
    obs_runtime::spawn(around_later()).await??;
    Ok(())
}

#[tracked_command]
async fn command_later() -> Result<(), Boxed> {
    in_a_task().await
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

#[test]
fn an_error_stays_one_over_awaits_and_tasks() {
    let captured = runtime().block_on(capture_async(command_later()));
    let error = only(&captured.records.errors);
    assert_eq!(error.layers, ["innermost_later", "around_later", "in_a_task", "command-later"]);
}

#[test]
fn concurrent_tasks_keep_their_errors_apart() {
    let captured = runtime().block_on(capture_async(async {
        let tasks: Vec<_> = (0..50).map(|_| tokio::spawn(command_later().in_current_context())).collect();
        for task in tasks {
            assert!(task.await.unwrap().is_err());
        }
    }));
    assert_eq!(captured.records.errors.len(), 50);
    assert!(captured.records.errors.iter().all(|error| error.layers.len() == 4), "{:#?}", captured.records.errors);
}

#[test]
fn an_error_captured_manually_before_or_after_is_one() {
    #[with_error_tracking]
    fn manually_first() -> Result<(), LoadError> {
        let error = LoadError(3);
        capture_error(&error);
        Err(error)
    }
    assert_eq!(only(&capture(|| manually_first().is_err()).records.errors).layers, ["unknown", "manually_first"]);
    let captured = capture(|| innermost("a").map_err(|error| capture_error(&error).map(|id| id.to_string())));
    let id = captured.value.unwrap_err();
    assert_eq!(Some(&only(&captured.records.errors).event_id), id.as_ref());
}

#[test]
fn two_manual_captures_are_two() {
    let captured = capture(|| {
        for _ in 0..3 {
            let error: Boxed = "same words".into();
            capture_error(&*error);
        }
    });
    assert_eq!(captured.records.errors.len(), 3);
}

#[test]
fn an_error_ends_at_a_fallback() {
    #[with_error_tracking(fallback = Ok(1))]
    fn with_fallback() -> Result<u8, LoadError> {
        innermost("a").map(|()| 2)
    }
    #[with_error_tracking]
    fn around() -> Result<u8, LoadError> {
        let _ = with_fallback();
        Err(LoadError(3))
    }
    let captured = capture(|| around().is_err());
    let layers: Vec<_> = captured.records.errors.iter().map(|error| error.layers.join(" ")).collect();
    assert_eq!(layers, ["innermost innermost with_fallback", "around"]);
}

#[test]
fn a_panic_is_one_with_a_layer_of_each_function() {
    #[with_error_tracking(context(row = 3))]
    fn panics() {
        panic!("no row {}", 3);
    }
    #[with_error_tracking(context(table = "users"))]
    #[track_performance(args(day = "monday"))]
    fn around() {
        panics();
    }
    let captured = capture(|| std::panic::catch_unwind(around).is_err());
    let error = only(&captured.records.errors);
    assert_eq!((error.panic, &*error.operation), (true, "panics"));
    assert!(error.failure.message.starts_with("no row 3 at tests/tests/error_dedup.rs:"), "{error:?}");
    assert_eq!(error.layers, ["panics", "around", "around"]);
    // Also outside of any annotated function.
    let captured = capture(|| std::panic::catch_unwind(|| std::panic::panic_any(7)).is_err());
    assert!(only(&captured.records.errors).failure.message.starts_with("a value that is not text at "));
}

#[test]
fn a_caught_panic_is_reported_and_the_error_after_it_is_another() {
    #[with_error_tracking]
    fn catches() -> Result<(), String> {
        #[with_error_tracking]
        fn panics() {
            panic!("caught");
        }
        std::panic::catch_unwind(panics).map_err(|_| "it panicked".to_owned())
    }
    let captured = capture(|| catches().is_err());
    let panics: Vec<_> = captured.records.errors.iter().map(|error| error.panic).collect();
    assert_eq!(panics, [true, false]);
}

#[test]
fn a_message_is_captured_with_its_level() {
    let captured = capture(|| capture_message(Level::Warning, "the feed is empty"));
    let [message] = &captured.records.messages[..] else { panic!("{:?}", captured.records) };
    assert_eq!((message.level, &*message.failure.message), (Level::Warning, "the feed is empty"));
    assert_eq!(captured.value.map(|id| id.to_string()).as_ref(), Some(&message.event_id));
    assert_eq!(captured.records.logs[0].message, "the feed is empty");
}

#[test]
fn no_error_of_many_threads_is_lost() {
    const THREADS: u32 = 4;
    const EACH: u32 = 300;
    #[with_error_tracking]
    fn fails(row: u32) -> Result<(), LoadError> {
        Err(LoadError(row))
    }
    let many = |thread: u32| {
        for row in (0..EACH).map(|row| 2 * (thread * EACH + row)) {
            capture_error(&LoadError(row));
            let _ = fails(row + 1);
        }
    };
    let captured = capture(|| {
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn((move || many(thread)).in_current_context());
            }
        });
    });
    let mut reported: Vec<_> = captured.records.errors.iter().map(|error| error.failure.message.clone()).collect();
    reported.sort_unstable();
    let mut expected: Vec<_> = (0..2 * THREADS * EACH).map(|row| LoadError(row).to_string()).collect();
    expected.sort_unstable();
    assert_eq!(reported, expected);
}
