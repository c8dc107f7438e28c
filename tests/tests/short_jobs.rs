//! Promise 2: a job of a few milliseconds loses nothing, however it ends.

use std::path::Path;

use obs_tests::exposition::{Samples, Series};
use obs_tests::logs;
use obs_tests::process::{Finished, Process};

fn run(way: &[&str], environment: &[(&str, &Path)]) -> Finished {
    let process = Process::new(env!("CARGO_BIN_EXE_short-job")).args(way);
    let process = process.env("PROMETHEUS_PORT", "0").env("SERVICE_NAME", "short-job");
    environment.iter().fold(process, |process, (name, value)| process.env(name, value)).run()
}

fn textfile(folder: &Path) -> Samples {
    Samples::read(&folder.join("short-job.prom"))
}

#[test]
fn no_exit_path_loses_metrics_or_log_lines() {
    for (way, code, outcome) in [
        ("return", 0, "ok"),
        ("error", 1, "error"),
        ("panic", 101, "panic"),
        ("exit", 7, "error"),
        ("exits", 7, "error"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = run(&[way], &[("PROMETHEUS_TEXTFILE_DIR", folder.path())]);
        assert_eq!(output.code(), Some(code), "{way}: {output:?}");
        let metrics = textfile(folder.path());
        let sum = |name: &str, label: (&str, &str)| metrics.sum(name, &[label]);
        let step = ("operation", "step");
        assert_eq!(sum("operation_success_total", step), Some(90.0), "{way}");
        assert_eq!(sum("operation_failure_total", step), Some(10.0), "{way}");
        assert_eq!(sum("operation_duration_seconds_count", ("parity", "even")), Some(50.0), "{way}");
        assert_eq!(sum("operation_error_total", ("error_type", "ParseIntError")), Some(10.0), "{way}");
        assert_eq!(metrics.sum("operation_active", &[]).unwrap_or_default(), 0.0, "{way}");
        let command = ("command", "short-job");
        assert_eq!(sum("cli_command_started_total", command), Some(1.0), "{way}");
        assert_eq!(sum("cli_command_last_exit_code", command), Some(f64::from(code)), "{way}");
        let (ended, label) = match outcome {
            "ok" => ("cli_command_success_total", command),
            _ => ("cli_command_failure_total", ("outcome", outcome)),
        };
        assert_eq!(sum(ended, label), Some(1.0), "{way}");
        let lines = logs::parse_json_lines(&output.stderr);
        let finish = lines.iter().rfind(|line| line["outcome"] == outcome);
        assert!(finish.is_some_and(|line| line["operation"] == "short-job"), "{way}: {output:?}");
    }
}

#[test]
fn later_runs_add_to_the_counters_in_the_textfile() {
    let folder = tempfile::tempdir().unwrap();
    for run_number in 1..=3_u8 {
        run(&["return"], &[("PROMETHEUS_TEXTFILE_DIR", folder.path())]);
        let metrics = textfile(folder.path());
        let success = metrics.sum("operation_success_total", &[("operation", "step")]);
        assert_eq!(success, Some(90.0 * f64::from(run_number)));
        assert_eq!(metrics.sum("operation_duration_seconds_count", &[]), Some(100.0 * f64::from(run_number)));
        assert_eq!(metrics.value("cli_command_last_exit_code", &[]), Some(0.0));
        let series = metrics.into_inner();
        let is_odd_step = |(_, labels): &&Series| labels.get("parity").is_some_and(|parity| parity == "odd");
        let of_step = series.keys().filter(is_odd_step).count();
        assert!((20..=40).contains(&of_step), "one function with two outcomes has {of_step} series");
        assert!(series.len() <= 300, "a small job has {} series", series.len());
    }
}

#[test]
fn log_lines_are_json_with_their_location_and_without_secrets() {
    let output = run(&["return"], &[]);
    assert_eq!(output.stdout, "done\n", "obs does not write to standard output");
    let lines = output.log();
    let done = lines.iter().find(|line| line["message"] == "a hundred steps are done").unwrap();
    assert_eq!((&done["level"], &done["logger"]), (&"INFO".into(), &"short_job".into()));
    assert_eq!((&done["service"], &done["environment"]), (&"short-job".into(), &"dev".into()));
    assert_eq!((&done["operation"], &done["way"]), (&"short-job".into(), &"return".into()));
    assert_eq!(done["api_key"], "[REDACTED]");
    assert!(done["file"].as_str().unwrap().ends_with("short-job.rs") && done["line"].as_u64() > Some(15), "{done}");
    assert!(done["timestamp"].as_str().unwrap().ends_with('Z'));
    let ids: std::collections::BTreeSet<_> = lines.iter().map(|line| line["correlation_id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "one run has one correlation id: {ids:?}");
}

#[test]
fn the_text_format_on_the_console_leaves_the_log_file_json() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not/there/yet/job.log");
    let output = run(&["return"], &[("LOG_FILE", &file), ("LOG_FORMAT", Path::new("text"))]);
    let text = output.stderr;
    let line = text.lines().find(|line| line.contains("a hundred steps are done")).unwrap();
    assert!(line.contains(" INFO ") && line.contains("op=short-job") && line.contains("way=return"), "{line}");
    assert!(!text.contains('\u{1b}'), "no colours without a terminal: {text}");
    assert_eq!(logs::read(&file).len(), text.lines().count());
}

#[test]
fn all_invalid_variables_are_reported_at_once() {
    let wrong = [("LOG_LEVEL", "LOUD"), ("PROMETHEUS_PORT", "99999"), ("OBS_FLUSH_TIMEOUT", "soon")];
    let wrong: Vec<_> = wrong.iter().map(|(name, value)| (*name, Path::new(*value))).collect();
    let output = run(&["return"], &wrong);
    assert_eq!(output.code(), Some(1));
    let error = output.stderr;
    for (name, value) in wrong {
        assert!(error.contains(name) && error.contains(value.to_str().unwrap()), "{name}: {error}");
    }
}

#[test]
fn the_error_for_a_log_file_that_cannot_be_opened_names_it() {
    let output = run(&["return"], &[("LOG_FILE", Path::new("/proc/no/such/file"))]);
    assert_eq!(output.code(), Some(1));
    let error = output.stderr;
    assert!(error.contains("LOG_FILE") && error.contains("/proc/no/such/file"), "{error}");
}

#[test]
fn a_job_succeeds_with_a_log_file_on_a_full_disk() {
    let output = run(&["return"], &[("LOG_FILE", Path::new("/dev/full"))]);
    assert_eq!((output.code(), &*output.stdout), (Some(0), "done\n"), "{output:?}");
}

#[test]
fn a_second_initialisation_is_an_error_value() {
    let output = run(&["return", "twice"], &[]);
    assert!(output.stdout.starts_with("Err(\"obs is already initialised"), "{output:?}");
}

#[test]
fn a_port_in_use_is_warned_of_once_and_the_job_succeeds() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["return"], &[("PROMETHEUS_PORT", Path::new(&port))]);
    assert_eq!(output.code(), Some(0));
    let warnings: Vec<_> = output.log().into_iter().filter(|line| line["level"] == "WARNING").collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let message = warnings[0]["message"].as_str().unwrap();
    assert!(message.contains(&port) && message.contains("PROMETHEUS_PORT"), "{message}");
}

#[test]
fn a_job_without_an_endpoint_has_its_textfile() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("PROMETHEUS_PORT", Path::new("off")), ("PROMETHEUS_TEXTFILE_DIR", folder.path())];
    let output = run(&["return"], &variables);
    assert_eq!(output.code(), Some(0), "{output:?}");
    let warnings: Vec<_> = output.log().into_iter().filter(|line| line["level"] == "WARNING").collect();
    assert!(warnings.is_empty(), "{warnings:?}");
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(files.filter(|file| file.extension().is_some_and(|end| end == "prom")).count(), 1);
}

#[test]
fn a_secret_in_the_service_name_is_redacted() {
    let folder = tempfile::tempdir().unwrap();
    let name = Path::new("postgres://ada:hunter2pass@db/users");
    let output = run(&["return"], &[("SERVICE_NAME", name), ("PROMETHEUS_TEXTFILE_DIR", folder.path())]);
    assert_eq!(output.code(), Some(0), "{output:?}");
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let written: Vec<_> = files.map(|file| (std::fs::read_to_string(&file).unwrap_or_default(), file)).collect();
    assert!(!format!("{output:?}{written:?}").contains("hunter2pass"), "{output:?}{written:?}");
}
