//! A panic is one redacted line of the log, in any thread and task, and the standard library writes nothing beside it.
#![cfg(unix)]

use std::io::pipe;
use std::os::unix::process::ExitStatusExt as _;

use obs_tests::process::{Finished, Process};
use serde_json::{Value, json};

fn program(arguments: &[&str]) -> Process {
    Process::new(env!("CARGO_BIN_EXE_panicking")).args(arguments).env("PROMETHEUS_PORT", "0").env("RUST_BACKTRACE", "0")
}

/// The lines about panics. Panics when standard error has anything but JSON.
fn panics(ended: &Finished) -> Vec<Value> {
    ended.log().into_iter().filter(|line| line["panic"] == true).collect()
}

fn only(ended: &Finished) -> Value {
    let mut panics = panics(ended);
    assert_eq!(panics.len(), 1, "{ended:#?}");
    panics.remove(0)
}

#[test]
fn a_panic_anywhere_is_one_structured_line() {
    for (place, thread, code) in [
        ("main", "main", 101),
        ("command", "main", 101),
        ("thread", "loader", 0),
        ("task", "worker", 0),
        ("spawned", "worker", 0),
    ] {
        let ended = program(&[place]).run();
        assert_eq!(ended.code(), Some(code), "{place}: {ended:?}");
        let line = only(&ended);
        assert_eq!((&line["level"], &line["thread"]), (&json!("ERROR"), &json!(thread)), "{place}: {line}");
        let message = line["message"].as_str().unwrap();
        let said = format!("panicked: asked to panic in {place} for [REDACTED] at ");
        assert!(message.starts_with(&said), "{place}: {line}");
        assert!(line["file"].as_str().is_some_and(|file| file.ends_with("panicking.rs")), "{place}: {line}");
        assert!(line["line"].as_u64() > Some(0) && line.get("backtrace").is_none(), "{place}: {line}");
        assert!(!ended.stderr.contains("ada@example.com"), "{place}: {ended:?}");
        let in_command = (place == "command").then_some("grace");
        assert_eq!(line["user"].as_str(), in_command, "{place}: the line has the context of the panic");
    }
}

#[test]
fn the_backtrace_is_there_when_it_is_asked_for() {
    for style in ["1", "full"] {
        let ended = program(&["thread"]).env("RUST_BACKTRACE", style).run();
        let line = only(&ended);
        let backtrace = line["backtrace"].as_str().unwrap_or_default();
        assert!(backtrace.contains("panicking::fail") && !backtrace.contains("panic_watcher"), "{style}: {backtrace}");
    }
    let text = program(&["thread"]).env("RUST_BACKTRACE", "1").env("LOG_FORMAT", "text").run().stderr;
    let mut lines = text.lines();
    let panic = lines.next().unwrap_or_default();
    assert!(panic.contains(" ERROR ") && panic.contains("asked to panic in thread for [REDACTED]"), "{text}");
    let frames: Vec<_> = lines.collect();
    assert!(frames.len() > 4 && frames.iter().all(|frame| frame.starts_with("    ")), "{text}");
    assert!(frames.iter().any(|frame| frame.contains("panicking::fail")), "{text}");
}

#[test]
fn both_panics_of_an_abort_have_a_line() {
    let ended = program(&["twice"]).run();
    assert_eq!(ended.status.signal(), Some(6), "{ended:?}");
    let panics: Vec<_> = ended.stderr.lines().filter(|line| line.contains(r#""panic":true"#)).collect();
    let says = |text: &str| panics.iter().filter(|line| line.contains(text)).count();
    assert_eq!((says("panic in twice"), says("panic in drop"), says("panic in a destructor")), (1, 1, 1), "{ended:#?}");
    assert!(!ended.stderr.contains("ada@example.com"), "{ended:?}");
}

#[test]
fn a_hook_of_the_program_runs_too() {
    for (hook, in_thread, in_command) in [("before", 1, 1), ("chained", 1, 1), ("instead", 0, 1)] {
        for (place, lines) in [("thread", in_thread), ("command", in_command)] {
            let ended = program(&[place, hook]).run();
            assert_eq!(ended.stdout.matches("own hook").count(), 1, "{hook}: {ended:?}");
            assert_eq!(panics(&ended).len(), lines, "{hook}: {ended:?}");
            let finished = ended.log().iter().filter(|line| line["outcome"] == "panic").count();
            assert_eq!(finished, usize::from(place == "command"), "{hook}: {ended:?}");
        }
    }
    // The hook of obs is not called: the command that the panic unwinds through writes the line, with its own place.
    let ended = program(&["command", "instead"]).run();
    let [line] = &panics(&ended)[..] else { panic!("{ended:?}") };
    assert_eq!(line["message"], "panicked: asked to panic in command for [REDACTED]", "{line}");
    assert_eq!((&line["operation"], &line["user"]), (&json!("in-command"), &json!("grace")), "{line}");
}

#[test]
fn the_message_of_the_standard_library_stays_where_no_line_is_written() {
    let ended = program(&["thread"]).env("LOG_LEVEL", "off").run();
    assert!(ended.stderr.contains("asked to panic in thread"), "a panic is never silent: {ended:?}");
}

#[test]
fn a_standard_error_that_is_not_read_does_not_stop_panics() {
    for format in ["json", "text"] {
        let (reader, writer) = pipe().unwrap();
        let ended = program(&["many"]).env("LOG_FORMAT", format).stderr(writer).run();
        assert_eq!((ended.code(), &*ended.stdout), (Some(0), "done\n"), "{format}: {ended:?}");
        drop(reader);
    }
}
