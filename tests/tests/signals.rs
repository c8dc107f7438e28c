//! SIGTERM and SIGINT: a job sends what it recorded and then ends as it would have without obs.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use obs_tests::exposition::Samples;
use obs_tests::process::{Process, Running};
#[cfg(target_os = "linux")]
use obs_tests::tools;
use serde_json::Value;

const SIGNALS: [(&str, i32); 2] = [("TERM", 15), ("INT", 2)];

fn start(way: &str, folder: &Path) -> Running {
    let process = Process::new(env!("CARGO_BIN_EXE_interrupted")).args(&[way]).env("PROMETHEUS_PORT", "0");
    let running = process.env("SERVICE_NAME", "interrupted").env("PROMETHEUS_TEXTFILE_DIR", folder).start();
    wait_until_ready(&running);
    running
}

/// Waits until it is ready, and returns its process id.
fn wait_until_ready(running: &Running) -> String {
    running.wait_for_output("it is ready", |line| line.strip_prefix("ready ").map(str::to_owned))
}

fn textfile(folder: &Path) -> PathBuf {
    folder.join("interrupted.prom")
}

/// The commands that a signal ends are logged with the context of their start.
fn assert_interrupted_commands(name: &str, lines: &[Value]) {
    let command = |operation: &str, outcome: Option<&str>| {
        let line = |line: &&Value| line["operation"] == operation && line["outcome"].as_str() == outcome;
        let found: Vec<_> = lines.iter().filter(|line| line["call"] == operation).filter(line).collect();
        let [only] = found[..] else { panic!("{name}: {operation} {outcome:?}: {lines:#?}") };
        only
    };
    let (started, finished) = (command("interrupted", None), command("interrupted", Some("cancelled")));
    let id = started["correlation_id"].as_str().expect("a command has a correlation id");
    assert_eq!((&started["table"], &started["user"]), (&"users".into(), &"ada".into()), "{started}");
    assert_eq!((&finished["correlation_id"], &finished["user"]), (&id.into(), &"ada".into()), "{finished}");
    assert!(finished["duration_seconds"].as_f64() > Some(0.0), "{finished}");
    // The inner command runs on a thread of its own and has an id of its own.
    let inner = command("inner", Some("cancelled"));
    assert!(inner["correlation_id"].as_str().is_some_and(|inner| inner != id), "{inner}");
    let step = lines.iter().find(|line| line["message"] == "a hundred steps are done").unwrap();
    assert_eq!(step["correlation_id"], id, "{step}");
    let signal = |line: &&Value| line["message"].as_str().is_some_and(|text| text.starts_with(&format!("SIG{name}")));
    let warning = lines.iter().find(signal).unwrap();
    assert_eq!(warning["level"], "WARNING", "{warning}");
    assert!(warning["message"].as_str().unwrap().contains("inner, interrupted"), "{warning}");
}

#[test]
fn the_first_signal_flushes_and_then_ends_the_process() {
    for (name, number) in SIGNALS {
        let folder = tempfile::tempdir().unwrap();
        let running = start("as-is", folder.path());
        running.signal(name);
        let ended = running.finish();
        assert_eq!(ended.status.signal(), Some(number), "{ended:?}");
        let metrics = Samples::read(&textfile(folder.path()));
        let success = metrics.value("operation_success_total", &[("operation", "step")]);
        assert_eq!(success, Some(100.0), "{name}: {metrics:?}");
        for command in ["interrupted", "inner"] {
            let command = [("command", command)];
            let failures = |outcome| metrics.value("cli_command_failure_total", &[command[0], ("outcome", outcome)]);
            assert_eq!(["cancelled", "error"].map(failures), [Some(1.0), Some(0.0)], "{name}: {metrics:?}");
            let exit_code = metrics.value("cli_command_last_exit_code", &command);
            assert_eq!(exit_code, Some(f64::from(128 + number)), "{name}: {metrics:?}");
        }
        assert_interrupted_commands(name, &ended.log());
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

/// The kernel does not end it by the default action of a signal, and a container runs nothing else.
#[test]
#[cfg(target_os = "linux")]
fn process_1_of_a_container_ends_too() {
    for (name, number) in SIGNALS {
        let folder = tempfile::tempdir().unwrap();
        let container = ["--user", "--map-root-user", "--pid", "--fork", env!("CARGO_BIN_EXE_interrupted"), "as-is"];
        let process = Process::new(tools::program(&["unshare"])).args(&container).env("PROMETHEUS_PORT", "0");
        let running = process.env("SERVICE_NAME", "interrupted").env("PROMETHEUS_TEXTFILE_DIR", folder.path()).start();
        assert_eq!(wait_until_ready(&running), "1");
        let outer = running.id();
        let children = std::fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).unwrap();
        let sent = std::process::Command::new("kill").args(["-s", name, children.trim()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{children}");
        let ended = running.finish();
        assert_eq!(ended.code(), Some(128 + number), "{ended:?}");
        let exit_code =
            Samples::read(&textfile(folder.path())).value("cli_command_last_exit_code", &[("command", "interrupted")]);
        assert_eq!(exit_code, Some(f64::from(128 + number)), "{ended:?}");
    }
}

#[test]
fn a_program_that_handles_its_own_signals_is_ended_at_once() {
    for way in ["own", "unguarded"] {
        for (name, number) in SIGNALS {
            let folder = tempfile::tempdir().unwrap();
            let running = start(way, folder.path());
            running.signal(name);
            let ended = running.finish();
            assert_eq!(ended.status.signal(), Some(number), "{way}: {ended:?}");
            // The drop of the guard flushes before the signal comes; the command flushes its start at most.
            let file = textfile(folder.path());
            if way == "unguarded" {
                assert!(file.exists(), "{ended:?}");
            } else if file.exists() {
                let command = [("command", "interrupted")];
                assert_eq!(Samples::read(&file).value("cli_command_last_exit_code", &command), Some(-1.0));
            }
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
    // The lock of the textfile is held, so that the flush waits for its whole deadline.
    let folder = tempfile::tempdir().unwrap();
    let held = std::fs::File::create(folder.path().join("interrupted.prom.lock")).unwrap();
    held.lock().unwrap();
    let process = Process::new(env!("CARGO_BIN_EXE_interrupted")).args(&["as-is"]).env("PROMETHEUS_PORT", "0");
    let process = process.env("SERVICE_NAME", "interrupted").env("OBS_FLUSH_TIMEOUT", "1h");
    let running = process.env("PROMETHEUS_TEXTFILE_DIR", folder.path()).start();
    wait_until_ready(&running);
    running.signal("TERM");
    running.wait_for_error("the flush begins", |line| line.contains("SIGTERM: flushing and exiting").then_some(()));
    running.signal("TERM");
    assert_eq!(running.finish().status.signal(), Some(15));
}
