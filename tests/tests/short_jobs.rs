//! Promise 2: a job that lives a few milliseconds loses nothing, however it ends.

use std::collections::BTreeMap;
use std::path::Path;

use obs_tests::process::{Finished, Process};
use serde_json::Value;

fn run(way: &[&str], environment: &[(&str, &Path)]) -> Finished {
    let process = Process::new(env!("CARGO_BIN_EXE_short-job")).args(way);
    let process = process.env("PROMETHEUS_PORT", "0").env("SERVICE_NAME", "short-job");
    environment.iter().fold(process, |process, (name, value)| process.env(name, value)).run()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each series of a text exposition with its value.
fn series(folder: &Path) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(folder.join("short-job.prom")).unwrap();
    let sample = |line: &str| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap()));
    text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect()
}

fn sum(series: &BTreeMap<String, f64>, family: &str, label: &str) -> f64 {
    let of = |name: &&String| name.starts_with(&format!("{family}{{")) && name.contains(label);
    series.keys().filter(of).map(|name| series[name]).sum()
}

#[test]
fn nothing_is_lost_by_any_ending() {
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
        let series = series(folder.path());
        assert_eq!(sum(&series, "operation_success_total", "operation=\"step\""), 90.0, "{way}");
        assert_eq!(sum(&series, "operation_failure_total", "operation=\"step\""), 10.0, "{way}");
        assert_eq!(sum(&series, "operation_duration_seconds_count", "parity=\"even\""), 50.0, "{way}");
        assert_eq!(sum(&series, "operation_error_total", "error_type=\"ParseIntError\""), 10.0, "{way}");
        assert_eq!(sum(&series, "operation_active", ""), 0.0, "{way}");
        assert_eq!(sum(&series, "cli_command_started_total", "command=\"short-job\""), 1.0, "{way}");
        assert_eq!(sum(&series, "cli_command_last_exit_code", ""), f64::from(code), "{way}");
        let ended = if outcome == "ok" { "cli_command_success_total" } else { "cli_command_failure_total" };
        let label = if outcome == "ok" { String::new() } else { format!("outcome=\"{outcome}\"") };
        assert_eq!(sum(&series, ended, &label), 1.0, "{way}");
        let finish = lines(&output.stderr).into_iter().rfind(|line| line["outcome"] == outcome);
        assert!(finish.is_some_and(|line| line["operation"] == "short-job"), "{way}: {output:?}");
    }
}

#[test]
fn a_second_run_adds_to_the_first_ones_counts() {
    let folder = tempfile::tempdir().unwrap();
    for run_number in 1..=3_u8 {
        run(&["return"], &[("PROMETHEUS_TEXTFILE_DIR", folder.path())]);
        let series = series(folder.path());
        assert_eq!(sum(&series, "operation_success_total", "operation=\"step\""), 90.0 * f64::from(run_number));
        assert_eq!(sum(&series, "operation_duration_seconds_count", ""), 100.0 * f64::from(run_number));
        assert_eq!(sum(&series, "cli_command_last_exit_code", ""), 0.0);
    }
}

#[test]
fn log_lines_are_json_with_the_callers_place_and_without_secrets() {
    let output = run(&["return"], &[]);
    assert_eq!(output.stdout, "done\n", "standard output is the program's own");
    let lines = lines(&output.stderr);
    assert_eq!(lines.len(), output.stderr.lines().count(), "{output:?}");
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
fn text_is_for_people_and_the_file_gets_json_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not/there/yet/job.log");
    let output = run(&["return"], &[("LOG_FILE", &file), ("LOG_FORMAT", Path::new("text"))]);
    let text = output.stderr;
    let line = text.lines().find(|line| line.contains("a hundred steps are done")).unwrap();
    assert!(line.contains(" INFO ") && line.contains("op=short-job") && line.contains("way=return"), "{line}");
    assert!(!text.contains('\u{1b}'), "no colour where there is no terminal: {text}");
    let logged = lines(&std::fs::read_to_string(&file).unwrap());
    assert_eq!(logged.len(), text.lines().count());
}

#[test]
fn all_mistakes_of_the_environment_are_told_at_once() {
    let wrong = [("LOG_LEVEL", "LOUD"), ("PROMETHEUS_PORT", "99999"), ("OBS_FLUSH_TIMEOUT", "soon")];
    let wrong: Vec<_> = wrong.iter().map(|(name, value)| (*name, Path::new(*value))).collect();
    let output = run(&["return"], &wrong);
    assert_eq!(output.code(), Some(1));
    let told = output.stderr;
    for (name, value) in wrong {
        assert!(told.contains(name) && told.contains(value.to_str().unwrap()), "{name}: {told}");
    }
}

#[test]
fn a_log_file_that_cannot_be_opened_is_an_error_that_names_it() {
    let output = run(&["return"], &[("LOG_FILE", Path::new("/proc/no/such/file"))]);
    assert_eq!(output.code(), Some(1));
    let told = output.stderr;
    assert!(told.contains("LOG_FILE") && told.contains("/proc/no/such/file"), "{told}");
}

#[test]
fn a_full_disk_harms_nobody() {
    let output = run(&["return"], &[("LOG_FILE", Path::new("/dev/full"))]);
    assert_eq!((output.code(), &*output.stdout), (Some(0), "done\n"), "{output:?}");
}

#[test]
fn a_second_initialisation_is_an_error_value() {
    let output = run(&["return", "twice"], &[]);
    assert!(output.stdout.starts_with("Err(\"obs is initialised already"), "{output:?}");
}

#[test]
fn a_port_that_is_taken_is_one_warning_and_the_job_goes_on() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&["return"], &[("PROMETHEUS_PORT", Path::new(&port))]);
    assert_eq!(output.code(), Some(0));
    let warnings: Vec<_> = lines(&output.stderr).into_iter().filter(|line| line["level"] == "WARNING").collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let message = warnings[0]["message"].as_str().unwrap();
    assert!(message.contains(&port) && message.contains("PROMETHEUS_PORT"), "{message}");
}

#[test]
fn a_secret_in_the_services_name_does_not_leave() {
    let folder = tempfile::tempdir().unwrap();
    let name = Path::new("postgres://ada:hunter2pass@db/users");
    let output = run(&["return"], &[("SERVICE_NAME", name), ("PROMETHEUS_TEXTFILE_DIR", folder.path())]);
    assert_eq!(output.code(), Some(0), "{output:?}");
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let written: Vec<_> = files.map(|file| (std::fs::read_to_string(&file).unwrap_or_default(), file)).collect();
    assert!(!format!("{output:?}{written:?}").contains("hunter2pass"), "{output:?}{written:?}");
}
