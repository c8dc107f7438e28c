//! Stack traces of programs with debug information, without it as in Cargo's release profile, and stripped.

use std::path::{Path, PathBuf};
use std::process::Command;

use obs_tests::process::Process;
use obs_tests::sentry_relay;
use obs_tests::servers::SentryServer;
use serde_json::Value;

use super::reporting_to;

const FUNCTIONS: [&str; 20] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "from_str",
];

/// The program: that of the tests, or one that was built in another profile.
fn program() -> PathBuf {
    std::env::var_os("STACKS_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_stacks").into(), PathBuf::from)
}

/// The events of a program: twenty errors of functions, one of a call, a panic, and one of an `async` function.
fn events(program: &Path) -> Vec<Value> {
    let server = SentryServer::start();
    let ended = reporting_to(&server, Process::new(program)).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let events = server.items("event");
    assert_eq!(events.len(), FUNCTIONS.len() + 3, "{ended:?}");
    assert_eq!(sentry_relay::remarks(&events), Vec::<String>::new());
    events
}

/// The frames of an event, innermost first.
fn frames(event: &Value) -> Vec<Value> {
    let exception = event["exception"]["values"].as_array().unwrap().last().unwrap();
    exception["stacktrace"]["frames"].as_array().unwrap().iter().rev().cloned().collect()
}

fn function(frame: &Value) -> &str {
    frame["function"].as_str().unwrap()
}

/// The program after a tool of binutils has removed something from it.
fn without(folder: &Path, removed: &str) -> PathBuf {
    let path = folder.join(format!("stacks{removed}"));
    let tool = Command::new("strip").args([removed, "-o"]).arg(&path).arg(program()).status().unwrap();
    assert!(tool.success());
    path
}

/// The top frame of each event names the function and is marked as the program's.
#[track_caller]
fn assert_tops(events: &[Value], source_of_captures: bool) {
    let tops: Vec<_> = events.iter().map(|event| frames(event).swap_remove(0)).collect();
    for (top, expected) in tops.iter().zip(FUNCTIONS.into_iter().chain(["captures", "panics", "fails_later"])) {
        let is_known = function(top).split("::").last() == Some(expected) && function(top).contains("stacks::");
        assert!(is_known && top["in_app"] == true, "{expected}: {top:#}");
        if source_of_captures || FUNCTIONS.contains(&expected) {
            assert!(top["filename"] == "stacks.rs" && top["lineno"].as_u64() > Some(1), "{expected}: {top:#}");
        }
    }
}

#[test]
fn the_top_of_a_stack_is_the_function_that_failed() {
    assert_tops(&events(&program()), true);
    let folder = tempfile::tempdir().unwrap();
    assert_tops(&events(&without(folder.path(), "--strip-debug")), true);
}

#[test]
fn names_are_readable_and_a_library_can_be_the_programs_own() {
    let events = events(&program());
    let frames = frames(events.last().unwrap());
    for frame in &frames {
        let name = function(frame);
        assert!(!name.contains("{{closure}}") && name.len() < 200, "{name}");
    }
    let own = |frame: &&Value| function(frame).starts_with("tokio::runtime::");
    assert!(frames.iter().any(|frame| own(&frame)), "{frames:#?}");
    assert!(frames.iter().filter(own).all(|frame| frame["in_app"] == true), "{frames:#?}");
}

/// What a tool of binutils prints.
fn printed(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).output().unwrap();
    assert!(output.status.success(), "{tool}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn number(hexadecimal: &Value) -> u64 {
    u64::from_str_radix(hexadecimal.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

#[test]
fn a_stripped_program_can_be_symbolicated_by_its_images() {
    let folder = tempfile::tempdir().unwrap();
    let stripped = without(folder.path(), "--strip-all");
    let events = events(&stripped);
    for (event, function_name) in events.iter().zip(FUNCTIONS) {
        let top = frames(event).swap_remove(0);
        assert!(function(&top).ends_with(function_name) && top["in_app"] == true, "{function_name}: {top:#}");
    }
    let unstripped = program();
    let unstripped = unstripped.to_str().unwrap();
    let notes = printed("readelf", &["--notes", unstripped]);
    let id = notes.lines().find_map(|line| line.trim().strip_prefix("Build ID: ")).unwrap().to_owned();
    let images = events[0]["debug_meta"]["images"].as_array().unwrap();
    assert!(images.len() > 1, "{images:#?}");
    let image = images.iter().find(|image| image["code_id"] == *id).unwrap_or_else(|| panic!("{id}: {images:#?}"));
    assert!(image["name"].as_str().is_some_and(|path| path.ends_with("stacks--strip-all")), "{image:#}");
    // The first sixteen bytes as a GUID, whose first three fields are little-endian.
    let byte = |index: usize| &id[2 * index..2 * index + 2];
    let guid = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(byte).concat();
    assert_eq!(image["id"].as_str().unwrap().replace('-', ""), guid, "{image:#}");
    let (start, size) = (number(&image["image_addr"]), image["image_size"].as_u64().unwrap());
    // What Sentry does with the debug file: each function is among those of its event's addresses.
    for (index, (event, function_name)) in events.iter().zip(FUNCTIONS).enumerate().take(18) {
        let addresses: Vec<_> = frames(event)
            .iter()
            .filter(|frame| !frame["instruction_addr"].is_null())
            .map(|frame| number(&frame["instruction_addr"]))
            .collect();
        let inside = addresses.iter().filter(|address| (start..start + size).contains(address));
        let inside: Vec<_> = inside.map(|address| format!("{:x}", address - start - 1)).collect();
        let arguments: Vec<_> = ["-fiCe", unstripped].into_iter().chain(inside.iter().map(String::as_str)).collect();
        let names = printed("addr2line", &arguments);
        // Of an inlined function, the tool names the one that it is in.
        let function = if index % 2 == 0 { function_name } else { "main" };
        assert!(names.contains(&format!("stacks::{function}")), "{function_name}: {names}");
    }
}
