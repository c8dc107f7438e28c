//! Promise 7: telemetry never breaks the job, whatever the job or the world does.

use std::cell::RefCell;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use obs_runtime::testing::capture;
use obs_runtime::{track_performance, tracked_command, with_error_tracking};

/// Cannot even be shown.
struct Broken;

impl fmt::Debug for Broken {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("cannot be shown")
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

/// Logs while it is shown.
struct Chatty;

impl fmt::Display for Chatty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!("being shown");
        nested();
        formatter.write_str("chatty")
    }
}

#[track_performance]
fn nested() {}

#[track_performance(args(value))]
fn with_chatty(value: &Chatty) {
    tracing::info!(%value, "outer");
}

#[test]
fn values_that_cannot_be_shown_cost_their_text_only() {
    let captured = capture(|| with_broken(&Broken).is_err());
    assert!(captured.value);
    assert_eq!(captured.records.errors.len(), 1);
    assert_eq!(captured.records.logs[0].message, "still here");
    assert_eq!(captured.records.calls.len(), 2);
}

#[test]
fn a_value_that_logs_while_it_is_shown_ends() {
    let captured = capture(|| with_chatty(&Chatty));
    assert!(captured.records.logs.iter().any(|line| line.message == "outer"), "{:?}", captured.records);
    assert!(captured.records.calls.iter().any(|call| call.name == "with_chatty"));
}

#[test]
fn calls_from_a_thread_that_is_ending_are_counted() {
    struct CallsAtEnd;
    impl Drop for CallsAtEnd {
        fn drop(&mut self) {
            nested();
            tracing::info!("ending");
        }
    }
    thread_local! {
        static LAST: RefCell<Option<CallsAtEnd>> = const { RefCell::new(None) };
    }
    let thread = std::thread::spawn(|| {
        LAST.with(|last| *last.borrow_mut() = Some(CallsAtEnd));
        nested();
    });
    assert!(thread.join().is_ok());
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
fn a_closed_or_full_standard_error_harms_nobody() {
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
fn a_textfile_that_cannot_be_written_is_warned_of_and_harms_nobody() {
    for folder in ["/proc/no/such/folder", "/dev/null"] {
        let output = short_job().env("PROMETHEUS_TEXTFILE_DIR", Path::new(folder)).output().unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"done\n"[..]), "{folder}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.lines().any(|line| line.contains("WARNING") && line.contains(folder)), "{said}");
    }
}
