//! The commands that a program embeds: their output, exit codes and report formats.

mod quality;

use obs_tests::process::{Finished, Process, Running};
use obs_tests::programs;
use serde_json::Value;

fn start(arguments: &[&str], environment: &[&str]) -> Running {
    let process = Process::new(programs::program("embedded")).args(arguments).env("LOG_LEVEL", "off");
    environment.iter().fold(process, |process, name| process.env(name, "1")).start()
}

fn run(arguments: &[&str], environment: &[&str]) -> Finished {
    start(arguments, environment).finish()
}

/// The rows of a table, split at white space.
fn rows(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn the_exit_code_of_health_is_the_status() {
    for (environment, code, status) in
        [(vec![], 0, "healthy"), (vec!["TEST_LAGS"], 1, "degraded"), (vec!["TEST_DOWN", "TEST_LAGS"], 2, "unhealthy")]
    {
        let text = run(&["health", "--group", "ready"], &environment);
        assert_eq!((text.code(), text.stdout.lines().next()), (Some(code), Some(status)), "{text:?}");
        let found = run(&["health", "--format", "json", "--group", "ready"], &environment);
        assert_eq!((found.code(), found.json()["status"].as_str()), (Some(code), Some(status)));
    }
    let down = run(&["health", "--timeout", "20s"], &["TEST_DOWN"]);
    let table = rows(&down.stdout);
    assert_eq!(table[2], ["check", "status", "critical", "seconds", "message"]);
    assert_eq!(table[3][..3], ["database", "unhealthy", "critical"]);
    assert_eq!(table[5][..2], ["replica", "skipped"], "{down:?}");
    assert!(!down.stdout.contains("hunter2") && !down.stdout.contains('\u{1b}'), "{down:?}");
    assert_eq!(run(&["health", "--group", "no-such-group"], &[]).code(), Some(3));
}

#[test]
fn a_command_that_only_prints_does_not_count_as_a_guard_that_was_not_kept() {
    let program = programs::program("embedded");
    for arguments in
        [&["catalogue"][..], &["config"], &["status"], &["dq", "list"], &["dq", "run", "nosuch"], &["budget", "list"]]
    {
        let ended = Process::new(program.clone()).args(arguments).run();
        assert!(ended.code().is_some() && !ended.stderr.contains("was shut down"), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn the_error_for_duplicate_check_names_has_both_locations() {
    for arguments in [vec!["catalogue"], vec!["health"]] {
        let twice = run(&arguments, &["TEST_TWICE"]);
        assert_eq!(twice.code(), Some(3), "{twice:?}");
        assert!(twice.stderr.contains("2 health checks are named `database`: "), "{twice:?}");
        assert_eq!(twice.stderr.matches("embedded.rs:").count(), 2, "{twice:?}");
    }
}

#[test]
fn config_and_status_do_not_show_secrets() {
    let process = Process::new(programs::program("embedded")).args(&["config"]).env("LOG_LEVEL", "off");
    let config = process.env("OBS_REDACTION_KEY", "hunter2").run();
    assert_eq!(config.code(), Some(0));
    assert!(!config.stdout.contains("hunter2"), "{config:?}");
    let row = rows(&config.stdout).into_iter().find(|row| row.first() == Some(&"LOG_LEVEL")).unwrap().join(" ");
    assert_eq!(row, "LOG_LEVEL off environment");
    let allowed = run(&["config", "--help-values"], &[]);
    assert!(allowed.stdout.contains("1 to 65535"), "{allowed:?}");
    let status = run(&["status", "--format", "json"], &[]);
    assert_eq!((status.code(), &status.json()["initialised"]), (Some(0), &true.into()));
    assert!(run(&["status"], &[]).stdout.lines().any(|line| line.starts_with("log ")));
}

#[test]
fn config_shows_what_is_wrong_although_obs_is_not_initialised() {
    let process = |arguments: &[&str]| {
        let process = Process::new(programs::program("embedded")).args(arguments);
        process.env("LOG_FORMAT", "jsno").env("OBS_MAX_SERIES", "none").env("SERVICE_NAME", "orders")
    };
    let config = process(&["config"]).run();
    assert_eq!(config.code(), Some(3), "{config:?}");
    for problem in ["LOG_FORMAT: `jsno`", "OBS_MAX_SERIES: `none`"] {
        assert!(config.stderr.contains(problem), "{config:?}");
    }
    let table: Vec<_> = rows(&config.stdout).into_iter().map(|row| row.join(" ")).collect();
    assert!(table.contains(&"SERVICE_NAME orders environment".to_owned()), "{config:?}");
    assert!(table.contains(&"LOG_FORMAT json default".to_owned()), "{config:?}");
    // What needs obs does not run without it.
    let load = process(&["load"]).run();
    assert_eq!(load.code(), Some(1), "{load:?}");
    assert!(load.stderr.contains("LOG_FORMAT: `jsno`"), "{load:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_a_failure_and_a_closed_pipe_is_not() {
    let program = programs::program("embedded");
    let shell = |redirected: &str| {
        let script = format!("'{}' {redirected}", program.display());
        Process::new("/bin/bash").args(&["-o", "pipefail", "-c", &script]).env("LOG_LEVEL", "off").run()
    };
    for command in ["catalogue", "config", "status", "dq list", "dq run", "catalogue --format json"] {
        let full = shell(&format!("{command} >/dev/full"));
        assert_eq!(full.code(), Some(74), "{command}: {full:?}");
        assert!(full.stderr.contains("standard output cannot be written: "), "{command}: {full:?}");
        let closed = shell(&format!("{command} | true"));
        assert_eq!((closed.code(), &*closed.stderr), (Some(0), ""), "{command}");
    }
    assert_eq!(shell("health --group ready >/dev/full").code(), Some(3));
    let closed = shell("health --group ready | true");
    assert_eq!((closed.code(), &*closed.stderr), (Some(0), ""));
}

/// The program on a terminal of its own.
#[cfg(target_os = "linux")]
fn on_terminal(arguments: &str, environment: &[(&str, &str)]) -> Process {
    let command = format!("'{}' {arguments}", programs::program("embedded").display());
    let terminal = Process::on_a_terminal(&command).env("LOG_LEVEL", "off");
    environment.iter().fold(terminal, |terminal, (name, value)| terminal.env(name, value))
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_gets_colours_and_a_progress_bar_unless_no_color_is_set() {
    const GREEN: &str = "\u{1b}[32mhealthy\u{1b}[0m";
    let coloured = on_terminal("health --group ready", &[]).run();
    assert!(coloured.code() == Some(0) && coloured.stdout.starts_with(GREEN), "{coloured:?}");
    let red = on_terminal("health --group ready", &[("TEST_DOWN", "1")]).run();
    assert!(red.code() == Some(2) && red.stdout.contains("\u{1b}[31m\u{1b}[1munhealthy\u{1b}[0m"), "{red:?}");
    // Control characters in a check's message do not reach the terminal.
    assert!(!red.stdout.contains("out\u{1b}[31m"), "{red:?}");
    let plain = on_terminal("health --group ready", &[("NO_COLOR", "1")]).run();
    assert!(plain.code() == Some(0) && plain.stdout.starts_with("healthy\r\n"), "{plain:?}");
    assert!(!plain.stdout.contains('\u{1b}'), "{plain:?}");

    let watching = on_terminal("health --watch 10ms --group ready", &[]).start();
    watching.wait_for_outputs("the screen is cleared twice", |output| output.matches("\u{1b}[2J").count() > 1);

    // The bar is drawn while checks run and removed before the table. Log lines are on lines of their own.
    let folder = tempfile::tempdir().unwrap();
    let release = folder.path().join("release");
    let environment = [("TEST_WAIT_FOR", release.to_str().unwrap()), ("LOG_LEVEL", "warning")];
    let running = on_terminal("dq run", &environment).start();
    running.wait_for_outputs("four of five checks are done", |output| output.contains(" 4/5 "));
    std::fs::write(&release, "").unwrap();
    let run = running.finish();
    let (drawn, table) = run.stdout.split_once("\u{1b}[1mcheck\u{1b}[0m").expect("a table");
    assert!(run.code() == Some(0) && drawn.ends_with("\u{1b}[2K"), "{run:?}");
    assert!(!table.contains("/5 ") && table.contains("\u{1b}[32mpassed\u{1b}[0m"), "{run:?}");
    let lines: Vec<_> = drawn.split("\r\n").filter_map(|line| line.rsplit_once("\r\u{1b}[2K{")).collect();
    assert_eq!(lines.len(), 2, "{run:?}");
    for (_, line) in lines {
        assert!(serde_json::from_str::<Value>(&format!("{{{line}")).is_ok(), "{line}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_failed_command_prints_one_line_on_a_terminal() {
    let failed = on_terminal("load", &[("TEST_DOWN", "1"), ("OBS_CORRELATION_ID", "run-7")]).run();
    let line = "load: users.csv: token=[REDACTED] is\\nnot taken (correlation id run-7)\r\n";
    assert_eq!((failed.code(), &*failed.stdout), (Some(1), &*format!("\u{1b}[1;31merror:\u{1b}[0m {line}")));
    let plain = on_terminal("load", &[("TEST_DOWN", "1"), ("OBS_CORRELATION_ID", "run-7"), ("NO_COLOR", "1")]).run();
    assert_eq!(plain.stdout, format!("error: {line}"));
    let logged = on_terminal("load", &[("TEST_DOWN", "1"), ("LOG_LEVEL", "error"), ("LOG_FORMAT", "text")]).run();
    let lines: Vec<_> = logged.stdout.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].contains("load finished: error in ") && lines[1].contains(" load: "),
        "{lines:?}"
    );
    assert_eq!(on_terminal("load", &[]).run().stdout, "");
    // Without a terminal only the log has it, so that every line stays JSON.
    let piped = run(&["load"], &["TEST_DOWN"]);
    assert_eq!((piped.code(), &*piped.stderr), (Some(1), ""));
}

#[test]
fn watch_prints_reports_until_it_is_ended() {
    let watching = start(&["health", "--watch", "10ms", "--format", "json"], &[]);
    watching.wait_for_outputs("a third report", |output| output.lines().count() > 2);
    let first = watching.wait_for_output("a report in one line", |line| serde_json::from_str::<Value>(line).ok());
    assert_eq!(first["status"], "healthy");
}

#[test]
#[cfg(feature = "real")]
fn bigquery_is_checked_when_it_is_configured() {
    let emulator = obs_tests::servers::BigQueryEmulator::start();
    let found = |host: &str| {
        let process = Process::new(programs::program("embedded")).env("LOG_LEVEL", "off");
        let process = process.args(&["health", "--group", "telemetry", "--format", "json"]);
        let report = process.env("BIGQUERY_EMULATOR_HOST", host).env("GOOGLE_CLOUD_PROJECT", "p").run().json();
        report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "obs.bigquery").unwrap().clone()
    };
    let healthy = found(&emulator.host());
    assert_eq!((&healthy["status"], &healthy["details"]["project"]), (&"healthy".into(), &"p".into()), "{healthy}");
    let unreachable = found(&format!("127.0.0.1:{}", obs_tests::ports::free()));
    assert_eq!(unreachable["status"], "unhealthy", "{unreachable}");
    let not_configured = run(&["health", "--group", "telemetry", "--format", "json"], &[]).json();
    assert!(!not_configured.to_string().contains("obs.bigquery"), "{not_configured}");
}
