//! SIGTERM and SIGINT: what a job recorded is sent before it ends, and it ends as it would have without obs.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use obs_tests::process::{Finished, Process, Running};
use serde_json::Value;

const SIGNALS: [(&str, i32); 2] = [("TERM", 15), ("INT", 2)];

fn start(way: &str, folder: &Path) -> Running {
    let process = Process::new(env!("CARGO_BIN_EXE_interrupted")).args(&[way]).env("PROMETHEUS_PORT", "0");
    let running = process.env("SERVICE_NAME", "interrupted").env("PROMETHEUS_TEXTFILE_DIR", folder).start();
    wait_until_ready(&running);
    running
}

/// Waits for its word, and says its process' number.
fn wait_until_ready(running: &Running) -> String {
    running.wait_for_output("it is ready", |line| line.strip_prefix("ready ").map(str::to_owned))
}

fn textfile(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("interrupted.prom")).unwrap_or_default()
}

/// The value of the only series of a family with that label.
fn value(text: &str, family: &str, label: &str) -> Option<f64> {
    let series = |line: &&str| line.starts_with(&format!("{family}{{")) && line.contains(label);
    text.lines().find(series)?.rsplit_once(' ')?.1.parse().ok()
}

fn lines(ended: &Finished) -> Vec<Value> {
    ended.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_first_signal_flushes_and_then_ends_the_process_as_it_would_have() {
    for (name, number) in SIGNALS {
        let folder = tempfile::tempdir().unwrap();
        let running = start("as-is", folder.path());
        running.signal(name);
        let ended = running.finish();
        assert_eq!(ended.status.signal(), Some(number), "{ended:?}");
        let text = textfile(folder.path());
        assert_eq!(value(&text, "operation_success_total", "step"), Some(100.0), "{name}: {text}");
        for command in ["\"interrupted\"", "\"inner\""] {
            let failed = value(&text, "cli_command_failure_total", &format!("command={command}"));
            assert_eq!(failed, Some(1.0), "{name}: {text}");
            let exit_code = value(&text, "cli_command_last_exit_code", &format!("command={command}"));
            assert_eq!(exit_code, Some(f64::from(128 + number)), "{name}: {text}");
        }
        let lines = lines(&ended);
        let cancelled: Vec<_> = lines.iter().filter(|line| line["outcome"] == "cancelled").collect();
        assert_eq!(cancelled.len(), 2, "one line for each command: {lines:?}");
        let said = lines.iter().filter(|line| line["level"] == "WARNING").any(|line| {
            let message = line["message"].as_str().unwrap_or_default();
            message.contains(&format!("SIG{name}")) && message.contains("inner, interrupted")
        });
        assert!(said, "{lines:?}");
    }
}

#[test]
fn a_shell_sees_143_and_130() {
    for (name, number) in SIGNALS {
        let script = "\"$0\" as-is; echo status $?";
        let shell = Process::new("/bin/sh").args(&["-c", script, env!("CARGO_BIN_EXE_interrupted")]);
        let running = shell.env("PROMETHEUS_PORT", "0").start();
        let process = wait_until_ready(&running);
        let sent = std::process::Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        let ended = running.finish();
        assert!(ended.stdout.contains(&format!("status {}", 128 + number)), "{ended:?}");
    }
}

#[test]
fn a_program_that_keeps_its_signals_is_ended_by_them_at_once() {
    for way in ["own", "unguarded"] {
        for (name, number) in SIGNALS {
            let folder = tempfile::tempdir().unwrap();
            let running = start(way, folder.path());
            running.signal(name);
            let ended = running.finish();
            assert_eq!(ended.status.signal(), Some(number), "{way}: {ended:?}");
            assert_eq!(value(&textfile(folder.path()), "operation_success_total", "step"), None, "{way}");
        }
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' INT; exec \"$0\" as-is";
    let shell = Process::new("/bin/sh").args(&["-c", script, env!("CARGO_BIN_EXE_interrupted")]);
    let running = shell.env("PROMETHEUS_PORT", "0").env("PROMETHEUS_TEXTFILE_DIR", folder.path()).start();
    wait_until_ready(&running);
    running.signal("INT");
    running.signal("TERM");
    assert_eq!(running.finish().status.signal(), Some(15), "SIGINT did not end it");
}
#[test]
fn the_second_signal_ends_the_process_at_once() {
    // Another process holds the textfile, so that the flush would wait for its whole deadline.
    let folder = tempfile::tempdir().unwrap();
    let held = std::fs::File::create(folder.path().join("interrupted.prom.lock")).unwrap();
    held.lock().unwrap();
    let process = Process::new(env!("CARGO_BIN_EXE_interrupted")).args(&["as-is"]).env("PROMETHEUS_PORT", "0");
    let process = process.env("SERVICE_NAME", "interrupted").env("OBS_FLUSH_TIMEOUT", "1h");
    let running = process.env("PROMETHEUS_TEXTFILE_DIR", folder.path()).start();
    wait_until_ready(&running);
    running.signal("TERM");
    running.wait_for_error("it flushes", |line| line.contains("SIGTERM: the process ends").then_some(()));
    running.signal("TERM");
    assert_eq!(running.finish().status.signal(), Some(15));
}
