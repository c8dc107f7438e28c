//! `#[with_error_tracking]` and `#[derive(ErrorKind)]`.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use obs_runtime::testing::{capture, capture_async};
use obs_runtime::{ErrorKind, Level, capture_error, with_error_tracking};

#[derive(Debug, ErrorKind)]
enum LoadError {
    Timeout { seconds: u32 },
    BadRow(#[allow(dead_code, reason = "read by Debug")] u64),
    NotThere,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Timeout { seconds } => write!(formatter, "no answer in {seconds} s"),
            Self::BadRow(row) => write!(formatter, "row {row} is bad"),
            Self::NotThere => formatter.write_str("not there"),
        }
    }
}

impl std::error::Error for LoadError {}

fn is_not_there(error: &LoadError) -> bool {
    matches!(error, LoadError::NotThere)
}

#[with_error_tracking(context(table = table.to_uppercase()), severity = "warning", ignore_if = is_not_there)]
fn load(table: &str, outcome: u8) -> Result<u8, LoadError> {
    match outcome {
        0 => Ok(7),
        1 => Err(LoadError::Timeout { seconds: 30 }),
        2 => Err(LoadError::BadRow(9)),
        3 => Err(LoadError::NotThere),
        _ => panic!("row {outcome}"),
    }
}

#[with_error_tracking(fallback = Ok(vec![1]))]
fn with_fallback(fail: bool) -> Result<Vec<u8>, String> {
    if fail { Err("no".to_owned()) } else { Ok(vec![2]) }
}

#[with_error_tracking(fallback = Some(0))]
async fn with_fallback_async(text: &str) -> Option<u8> {
    tokio::task::yield_now().await;
    text.parse().ok()
}

struct WithoutDebug;

#[with_error_tracking]
fn without_debug() -> Result<(), WithoutDebug> {
    Err(WithoutDebug)
}

#[with_error_tracking]
fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Err(io::Error::other("disk on fire"))?;
    Ok(())
}

#[with_error_tracking]
fn chained() -> anyhow::Result<()> {
    use anyhow::Context as _;
    "x".parse::<i32>().context("the answer is no number").context("cannot go on")?;
    Ok(())
}

#[test]
fn an_error_is_captured_with_its_kind_context_and_severity() {
    let captured = capture(|| load("users", 1));
    assert!(matches!(captured.value, Err(LoadError::Timeout { seconds: 30 })));
    let [error] = &captured.records.errors[..] else { panic!("{:?}", captured.records.errors) };
    assert_eq!((&*error.operation, error.level, error.panic), ("load", Level::Warning, false));
    assert_eq!((&*error.failure.error_type, &*error.failure.message), ("timeout", "no answer in 30 s"));
    assert_eq!(error.fields, [("table".to_owned(), "USERS".to_owned())]);
    let labels = [("operation", "load"), ("error_type", "timeout")];
    assert_eq!(captured.metrics.value("operation.error", &labels), Some(1.0));
}

#[test]
fn a_success_and_an_ignored_error_are_not_captured() {
    assert_eq!(capture(|| load("users", 0).unwrap()).records.errors, []);
    let captured = capture(|| load("users", 3));
    assert!(matches!(captured.value, Err(LoadError::NotThere)));
    assert_eq!(captured.records.errors, []);
}

#[test]
fn a_panic_is_captured_with_its_message_and_location() {
    let captured = capture(|| catch_unwind(AssertUnwindSafe(|| load("users", 9))).is_err());
    assert!(captured.value);
    let error = &captured.records.errors[0];
    assert!(error.panic && error.level == Level::Error, "{error:?}");
    assert!(error.failure.message.starts_with("row 9 at tests/tests/error_tracking.rs:"), "{error:?}");
}

#[test]
fn an_error_replaced_by_a_fallback_is_captured() {
    let captured = capture(|| (with_fallback(true), with_fallback(false)));
    assert_eq!(captured.value, (Ok(vec![1]), Ok(vec![2])));
    assert_eq!(captured.records.errors.len(), 1);
}

#[test]
fn a_fallback_is_used_without_initialisation() {
    assert_eq!(with_fallback(true), Ok(vec![1]));
}

#[test]
fn a_fallback_works_in_an_async_function() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let captured =
        runtime.block_on(capture_async(async { (with_fallback_async("5").await, with_fallback_async("x").await) }));
    assert_eq!(captured.value, (Some(5), Some(0)));
    assert_eq!(captured.records.errors.len(), 1);
}

#[test]
fn any_error_type_can_be_captured() {
    let errors = capture(|| drop((without_debug(), boxed(), chained()))).records.errors;
    let captured: Vec<_> = errors.iter().map(|error| (&*error.failure.error_type, &*error.failure.message)).collect();
    assert_eq!(captured[0].0, "WithoutDebug");
    assert_eq!(captured[1..], [("io_Error", "disk on fire"), ("ParseIntError", "cannot go on")]);
    assert_eq!(errors[2].failure.sources, ["the answer is no number", "invalid digit found in string"]);
}

#[test]
fn an_error_behind_a_pointer_has_the_kind_or_the_type_name_of_its_target() {
    #[with_error_tracking]
    fn shared() -> Result<(), Arc<LoadError>> {
        Err(Arc::new(LoadError::NotThere))
    }
    #[with_error_tracking]
    fn named() -> Result<(), Arc<std::num::ParseIntError>> {
        "x".parse::<u8>().map(drop).map_err(Arc::new)
    }
    #[with_error_tracking]
    fn hidden() -> Result<(), Arc<dyn std::error::Error + Send + Sync>> {
        Err(Arc::new("x".parse::<u8>().unwrap_err()))
    }
    let errors = capture(|| drop((shared(), named(), hidden()))).records.errors;
    let types: Vec<_> = errors.iter().map(|error| &*error.failure.error_type).collect();
    assert_eq!(types, ["not_there", "ParseIntError", "ParseIntError"]);
}

#[test]
fn kinds_are_the_variants_in_snake_case() {
    let kinds =
        [LoadError::Timeout { seconds: 1 }, LoadError::BadRow(1), LoadError::NotThere].map(|error| error.error_kind());
    assert_eq!(kinds, ["timeout", "bad_row", "not_there"]);
}

#[test]
fn a_resumed_panic_does_not_get_the_message_of_an_earlier_one() {
    #[with_error_tracking]
    fn resumes() {
        let payload = std::thread::spawn(|| panic!("elsewhere")).join().unwrap_err();
        std::panic::resume_unwind(payload)
    }
    let captured = capture(|| {
        let _ = catch_unwind(|| panic!("earlier"));
        let _ = catch_unwind(resumes);
    });
    let [first, error] = &captured.records.errors[..] else { panic!("{:?}", captured.records.errors) };
    assert!(first.panic && first.failure.message.starts_with("earlier at "), "{first:?}");
    assert!(error.panic && error.failure.message == "panicked", "{error:?}");
}

#[derive(Debug)]
struct BadRow(u64);

impl std::fmt::Display for BadRow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "row {} is bad", self.0)
    }
}

impl std::error::Error for BadRow {}

#[test]
fn capture_error_takes_every_form_of_an_error_as_it_is() {
    type Boxed = Box<dyn std::error::Error + Send + Sync>;
    let captured = capture(|| {
        capture_error(&BadRow(1));
        let by_reference: &BadRow = &BadRow(2);
        capture_error(by_reference);
        capture_error(&by_reference);
        capture_error(&Arc::new(BadRow(3)));
        capture_error(&Box::new(BadRow(4)));
        capture_error(&anyhow::Error::new(BadRow(5)));
        capture_error(&eyre::Report::new(BadRow(6)));
        capture_error(&Boxed::from(BadRow(7)));
        let local: Box<dyn std::error::Error> = Box::new(BadRow(8));
        capture_error(&local);
        capture_error(&*local);
        let shared: Arc<dyn std::error::Error + Send + Sync> = Arc::new(BadRow(9));
        capture_error(&shared);
        capture_error(&anyhow::Error::new(BadRow(10)).context("loading"));
    });
    let errors = &captured.records.errors;
    let messages: Vec<_> = errors.iter().map(|error| &*error.failure.message).collect();
    let rows = [1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 9].map(|row| format!("row {row} is bad"));
    assert_eq!(messages[..11], rows);
    assert_eq!((messages[11], &*errors[11].failure.sources), ("loading", &["row 10 is bad".to_owned().into()][..]));
    for error in errors {
        assert_eq!(error.failure.error_type, "BadRow", "{error:?}");
    }
}

#[test]
fn words_alone_do_not_make_two_errors_one() {
    #[with_error_tracking]
    fn looks_up() -> Result<(), String> {
        Err("not found".to_owned())
    }
    #[with_error_tracking]
    fn handles_and_fails_otherwise() -> Result<(), String> {
        let _ = looks_up();
        Err("invoice 17: customer not found in billing".to_owned())
    }
    let errors = capture(|| handles_and_fails_otherwise().is_err()).records.errors;
    assert_eq!(errors.len(), 2, "{errors:#?}");
    assert!(errors.iter().all(|error| error.failure.sources.is_empty()), "{errors:#?}");
}

#[test]
fn a_box_that_is_returned_after_hundreds_of_others_is_one_error() {
    type Boxed = Box<dyn std::error::Error + Send + Sync>;
    #[with_error_tracking]
    fn fails(row: u32) -> Result<(), Boxed> {
        Err(format!("row {row}").into())
    }
    #[with_error_tracking]
    fn returns_the_first() -> Result<(), Boxed> {
        let mut errors: Vec<_> = (0..300).filter_map(|number| fails(number).err()).collect();
        Err(errors.swap_remove(0))
    }
    let errors = capture(|| returns_the_first().is_err()).records.errors;
    assert_eq!(errors.len(), 300);
    let of_first: Vec<_> = errors.iter().filter(|error| error.failure.message == "row 0").collect();
    assert_eq!(of_first.len(), 1, "{of_first:#?}");
}
