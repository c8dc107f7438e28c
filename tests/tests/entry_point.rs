//! How a program starts: `#[tracked_command(init)]` on `main`, and ways of initialising that would give nothing.

use std::path::PathBuf;
use std::sync::OnceLock;

use obs_tests::exposition::Samples;
use obs_tests::process::{Finished, Process};
use obs_tests::strangers::{Stranger, target};
use serde_json::Value;

const MANIFEST: &str = "edition = \"2024\"\n[dependencies]\nobs-runtime = { path = \"{obs}\" }\n\
                        tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }\ntracing = \"0.1\"\nmetrics = \"0.24\"";

const SOURCES: [(&str, &str); 6] = [
    ("bin/sync.rs", include_str!("../strangers/entry_point/sync.rs")),
    ("bin/lenient.rs", include_str!("../strangers/entry_point/lenient.rs")),
    ("bin/tokio_above.rs", include_str!("../strangers/entry_point/tokio_above.rs")),
    ("bin/tokio_below.rs", include_str!("../strangers/entry_point/tokio_below.rs")),
    ("bin/late.rs", include_str!("../strangers/entry_point/late.rs")),
    ("bin/guards.rs", include_str!("../strangers/entry_point/guards.rs")),
];

fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let _ = Stranger::new("entry-points", MANIFEST, &SOURCES).build("sync");
    });
    target().join("debug").join(name)
}

fn run(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    let process = Process::new(program(name)).args(arguments).env("PROMETHEUS_PORT", "0");
    environment.iter().fold(process, |process, (name, value)| process.env(name, value)).run()
}

fn warnings(finished: &Finished) -> Vec<String> {
    let lines = finished.log().into_iter().filter(|line| line["level"] == "WARNING");
    lines.filter_map(|line| line["message"].as_str().map(str::to_owned)).collect()
}

#[test]
fn main_is_a_command_with_the_name_and_version_of_its_crate() {
    let folder = tempfile::tempdir().unwrap();
    let finished = run("sync", &["users"], &[("PROMETHEUS_TEXTFILE_DIR", folder.path().to_str().unwrap())]);
    assert_eq!((finished.code(), &*finished.stdout), (Some(0), "done\n"), "{finished:?}");
    let lines = finished.log();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in &lines {
        assert_eq!((&line["service"], &line["version"]), (&"entry-points".into(), &"0.1.0".into()));
        assert_eq!(line["operation"], "sync");
        assert!(line["correlation_id"].is_string());
    }
    assert_eq!(lines[1]["outcome"], "ok");
    let metrics = Samples::read(&folder.path().join("entry-points.prom"));
    let command = [("command", "sync"), ("kind", "full")];
    assert_eq!(metrics.sum("cli_command_success_total", &command), Some(1.0));
    assert_eq!(metrics.sum("operation_success_total", &[("operation", "load")]), Some(1.0));
}

#[test]
fn the_environment_overrides_the_name_of_the_crate() {
    let finished = run("sync", &["users"], &[("SERVICE_NAME", "ours")]);
    assert_eq!(finished.log()[0]["service"], "ours");
}

#[test]
fn an_error_of_main_is_on_the_finish_line_and_gives_exit_code_1() {
    let finished = run("sync", &["empty"], &[]);
    assert_eq!((finished.code(), &*finished.stdout), (Some(1), ""), "{finished:?}");
    // All of standard error is log lines: the standard library's `Error: …` is not among them.
    let lines = finished.log();
    let finish = lines.last().unwrap();
    assert_eq!((&finish["outcome"], &finish["level"]), (&"error".into(), &"ERROR".into()));
    assert!(finish.to_string().contains("no rows in empty"), "{finish}");
}

#[test]
fn an_error_that_the_log_leaves_out_is_printed_once() {
    for level in ["off", "CRITICAL"] {
        let finished = run("sync", &["empty"], &[("LOG_LEVEL", level)]);
        assert_eq!((finished.code(), &*finished.stderr), (Some(1), "error: NoRows(\"empty\")\n"));
    }
}

#[test]
fn a_program_with_obs_off_runs_as_if_it_was_not_initialised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let log = folder.path().join("log");
    // The other variables are not even checked.
    let settings = [
        ("OBS_ENABLED", "off"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FILE", log.to_str().unwrap()),
        ("PROMETHEUS_TEXTFILE_DIR", path),
        ("OBS_STATE_DIR", path),
    ];
    let finished = run("sync", &["users"], &settings);
    assert_eq!((finished.code(), &*finished.stderr), (Some(0), ""), "{finished:?}");
    let failed = run("sync", &["empty"], &settings);
    assert_eq!((failed.code(), &*failed.stderr), (Some(1), "error: NoRows(\"empty\")\n"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file was written");
    let unclear = run("sync", &["users"], &[("OBS_ENABLED", "offf")]);
    assert_eq!(unclear.code(), Some(1));
    assert!(unclear.stderr.contains("OBS_ENABLED: `offf` is not allowed"), "{unclear:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_person_at_a_terminal_reads_one_line() {
    let command = format!("{} empty", program("sync").display());
    let process = Process::on_a_terminal(&command).env("LOG_LEVEL", "off").env("NO_COLOR", "1");
    let finished = process.env("PROMETHEUS_PORT", "0").run();
    assert_eq!(finished.code(), Some(1));
    let lines: Vec<_> = finished.stdout.lines().collect();
    assert_eq!(lines.len(), 1, "{finished:?}");
    assert!(lines[0].starts_with("error: sync: no rows in empty (correlation id "), "{finished:?}");
}

#[test]
fn a_panic_of_main_flushes_and_gives_exit_code_101() {
    let folder = tempfile::tempdir().unwrap();
    let finished = run("sync", &["panic"], &[("PROMETHEUS_TEXTFILE_DIR", folder.path().to_str().unwrap())]);
    assert_eq!(finished.code(), Some(101));
    let metrics = Samples::read(&folder.path().join("entry-points.prom"));
    assert_eq!(metrics.sum("cli_command_failure_total", &[("outcome", "panic")]), Some(1.0));
}

#[test]
fn an_invalid_configuration_is_printed_with_all_problems_and_nothing_runs() {
    let finished = run("sync", &["users"], &[("LOG_LEVEL", "LOUD"), ("LOG_FORMAT", "jsno")]);
    assert_eq!((finished.code(), &*finished.stdout), (Some(1), ""));
    assert!(finished.stderr.starts_with("error: sync: invalid configuration:\n"), "{finished:?}");
    assert!(finished.stderr.contains("LOUD") && finished.stderr.contains("jsno"), "{finished:?}");
}

#[test]
fn a_lenient_main_warns_once_of_all_problems_and_runs_with_the_defaults() {
    let wrong = [
        ("LOG_FORMAT", "jsno"),
        ("OBS_MAX_SERIES", "0"),
        ("LOG_FILE", "/proc/no/such/file"),
        ("SENTRY_ENABLED", "maybe"),
    ];
    let finished = run("lenient", &[], &wrong);
    assert_eq!(finished.code(), Some(3), "{finished:?}");
    let [warning] = warnings(&finished).try_into().unwrap();
    for (name, value) in wrong {
        assert!(warning.contains(name) && warning.contains(value), "{name}: {warning}");
    }
    let lines = finished.log();
    assert!(lines.iter().any(|line| line["operation"] == "patient" && line["outcome"] == "error"), "{lines:?}");
    // Without a problem there is no warning.
    assert!(warnings(&run("lenient", &[], &[])).is_empty());
}

#[test]
fn the_attribute_of_a_runtime_may_stand_above_or_below() {
    for name in ["tokio_above", "tokio_below"] {
        let finished = run(name, &[], &[]);
        assert_eq!(finished.code(), Some(1), "{finished:?}");
        let lines = finished.log();
        let finish: Vec<&Value> = lines.iter().filter(|line| line["outcome"] == "error").collect();
        assert_eq!((finish.len(), &finish[0]["operation"]), (1, &name.replace('_', "-").into()), "{lines:?}");
        assert!(finish[0].to_string().contains("not today"));
    }
}

#[test]
fn initialising_inside_of_a_running_command_warns_and_gives_further_lines_their_context() {
    for (arguments, name) in [(&[][..], "main"), (&["async"], "asynchronous")] {
        let finished = run("late", arguments, &[]);
        assert_eq!(finished.code(), Some(0), "{finished:?}");
        let [warning] = warnings(&finished).try_into().unwrap();
        assert!(warning.contains("#[tracked_command(init)]") && warning.contains("main"), "{warning}");
        let lines = finished.log();
        let inside = lines.iter().find(|line| line["message"] == "inside").unwrap();
        assert!(inside["correlation_id"].is_string(), "{inside}");
        assert_eq!(inside["operation"], if arguments.is_empty() { name } else { "asynchronous" }, "{inside}");
    }
}

#[test]
fn a_guard_that_is_dropped_at_once_warns_once() {
    let finished = run("guards", &["dropped"], &[]);
    let [warning] = warnings(&finished).try_into().unwrap();
    assert!(warning.contains("let _guard") && warning.contains("let _ ="), "{warning}");
}

#[test]
fn a_short_job_does_not_warn_of_its_guard() {
    for way in ["call", "command", "line", "counter", "gauge", "histogram"] {
        let finished = run("guards", &[way], &[]);
        assert_eq!(finished.code(), Some(0));
        assert!(!finished.stderr.contains("let _guard"), "{way}: {finished:?}");
    }
}
