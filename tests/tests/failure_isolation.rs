//! Promise 7: telemetry never breaks the job.

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use obs_runtime::testing::capture;
use obs_runtime::{Observability, track_performance, tracked_command, with_error_tracking};
use obs_tests::logs::{self, MemoryLog};
use serde_json::Value;

/// A value whose formatting fails.
struct Broken;

impl fmt::Debug for Broken {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("Debug panics")
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

impl std::error::Error for Broken {}

#[tracked_command(args(value))]
#[with_error_tracking(context(value = value))]
#[track_performance(tags(value = value))]
fn with_broken(value: &Broken) -> Result<(), Broken> {
    tracing::info!(%value, ?value, "still here");
    Err(Broken)
}

/// A value that logs while it is formatted.
struct Logging;

impl fmt::Display for Logging {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!("formatted");
        nested();
        formatter.write_str("logging")
    }
}

#[track_performance]
fn nested() {}

#[track_performance(args(value))]
fn with_logging(value: &Logging) {
    tracing::info!(%value, "outer");
}

#[test]
fn a_value_whose_formatting_fails_loses_only_its_text() {
    let captured = capture(|| with_broken(&Broken).is_err());
    assert!(captured.value);
    assert_eq!(captured.records.errors.len(), 1);
    assert_eq!(captured.records.logs[0].message, "still here");
    assert_eq!(captured.records.calls.len(), 2);
}

#[test]
fn a_value_may_log_while_it_is_formatted() {
    let captured = capture(|| with_logging(&Logging));
    assert!(captured.records.logs.iter().any(|line| line.message == "outer"), "{:?}", captured.records);
    assert!(captured.records.calls.iter().any(|call| call.name == "with_logging"));
}

#[test]
fn calls_and_log_lines_of_an_ending_thread_are_recorded() {
    #[track_performance]
    fn called_at_thread_end() {}
    struct CallsOnDrop;
    impl Drop for CallsOnDrop {
        fn drop(&mut self) {
            called_at_thread_end();
            tracing::info!("the thread ends");
        }
    }
    thread_local! {
        static LAST: RefCell<Option<CallsOnDrop>> = const { RefCell::new(None) };
    }
    let log = MemoryLog::default();
    let builder = Observability::builder().without_environment().prometheus_port(0).log_output(log.output());
    let guard = builder.init().unwrap();
    let thread = std::thread::spawn(|| {
        LAST.with(|last| *last.borrow_mut() = Some(CallsOnDrop));
        called_at_thread_end();
    });
    thread.join().unwrap();
    let calls = obs_runtime::metrics().value("operation.success", &[("operation", "called_at_thread_end")]);
    drop(guard);
    assert_eq!(calls, Some(2.0));
    let lines = log.take();
    let ends = lines.iter().filter(|line| line["message"] == "the thread ends").count();
    assert_eq!(ends, 1, "{lines:?}");
}

#[test]
fn annotated_functions_work_before_initialisation() {
    nested();
    assert!(with_broken(&Broken).is_err());
}

fn short_job() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_short-job"));
    command.arg("return").env_clear().env("PROMETHEUS_PORT", "0");
    command
}

#[test]
fn a_job_succeeds_with_a_full_or_closed_standard_error() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = short_job().stderr(full).output().unwrap();
    assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"done\n"[..]));
    let closed = Command::new("/bin/sh")
        .args(["-c", "exec \"$0\" return 2>&-", env!("CARGO_BIN_EXE_short-job")])
        .env("PROMETHEUS_PORT", "0")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!((closed.status.code(), &*closed.stdout), (Some(0), &b"done\n"[..]));
}

#[test]
fn a_job_succeeds_and_warns_when_its_textfile_cannot_be_written() {
    for folder in ["/proc/no/such/folder", "/dev/null"] {
        let output = short_job().env("PROMETHEUS_TEXTFILE_DIR", Path::new(folder)).output().unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"done\n"[..]), "{folder}");
        let log = logs::parse(std::str::from_utf8(&output.stderr).unwrap());
        let names_the_folder = |line: &Value| line["message"].as_str().is_some_and(|message| message.contains(folder));
        assert!(log.iter().any(|line| line["level"] == "WARNING" && names_the_folder(line)), "{log:?}");
    }
}
