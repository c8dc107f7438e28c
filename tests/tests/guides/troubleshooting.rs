//! Every entry of the chapter on troubleshooting: its symptom, and the message that leads there.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use obs_runtime::testing::{Captured, capture, capture_with};
use obs_runtime::{
    Config, Guard, Observability, ObservabilityBuilder, Secret, set_user, track_performance, tracked_command,
};
use obs_tests::{exclusive, logs};
use serde_json::Value;

const PAGE: &str = include_str!("../../../obs-runtime/docs/troubleshooting.md");

/// The names of the entries.
fn entries() -> BTreeSet<&'static str> {
    PAGE.lines().filter_map(|line| line.strip_prefix("## ")).collect()
}

/// The lines of a program that is initialised, runs this and ends.
pub(super) fn lines(
    change: impl FnOnce(ObservabilityBuilder) -> ObservabilityBuilder,
    run: impl FnOnce(&Guard),
) -> Vec<Value> {
    let _exclusive = exclusive::lock();
    let log = logs::MemoryLog::default();
    let builder = Observability::builder().without_environment().log_output(log.output()).signals(false);
    let guard = change(builder.prometheus_port(0)).init().unwrap();
    run(&guard);
    drop(guard);
    log.take()
}

/// The message of the line that leads to an entry.
#[track_caller]
pub(super) fn led_to(entry: &str, lines: &[Value]) -> String {
    assert!(entries().contains(entry), "no entry {entry}");
    let found: Vec<_> = lines.iter().filter(|line| line["help"] == entry).collect();
    assert!(!found.is_empty(), "nothing leads to {entry}: {lines:#?}");
    found[0]["message"].as_str().unwrap().to_owned()
}

/// The same of what was captured.
#[track_caller]
pub(super) fn captured_to<R>(entry: &str, captured: &Captured<R>) -> String {
    assert!(entries().contains(entry), "no entry {entry}");
    captured.logs().with("help", entry).exist()[0].message.clone()
}

/// Asserts that an entry says these words, which a message has.
#[track_caller]
pub(super) fn says(entry: &str, message: &str, words: &str) {
    assert!(message.contains(words), "{message}");
    let text = PAGE.split("\n## ").find_map(|text| text.strip_prefix(entry)?.strip_prefix('\n')).unwrap();
    assert!(text.contains(words), "{entry} does not say {words:?}");
}

pub(super) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[track_performance]
fn work() {}

#[tracked_command]
fn job() {
    work();
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let inner = folders.iter().flat_map(|folder| rust_files(folder));
    inner.chain(files).filter(|file| file.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Entries whose symptom other tests bring about: the file, the function, and words of its message.
const ELSEWHERE: [(&str, &str, &str, &str); 10] = [
    (
        "no-traces",
        "doctor.rs",
        "fn backends_that_answer_are_ok_and_the_clock_is_compared_with_theirs",
        "% of the traces are sent",
    ),
    (
        "own-metrics-missing",
        "user_metrics.rs",
        "fn an_existing_recorder_is_kept_with_one_warning",
        "a recorder of the metrics crate is installed already",
    ),
    (
        "missing-lines",
        "existing_subscriber.rs",
        "fn obs_and_the_other_layers_of_a_subscriber_get_their_lines",
        "installed already",
    ),
    (
        "lines-dropped",
        "standard_error.rs",
        "fn a_reader_that_does_not_read_stops_nothing_and_gets_whole_lines_when_it_reads_again",
        "standard error",
    ),
    (
        "lost-context",
        "guides/tasks.rs",
        "fn a_debug_build_warns_once_of_a_function_that_has_lost_the_context_of_its_command",
        "runs in a task without context",
    ),
    ("check-not-listed", "linked.rs", "fn checks_of_all_linked_crates_are_registered", "use growth_checks as _;"),
    ("guard-dropped", "entry_point.rs", "fn a_guard_that_is_dropped_at_once_warns_once", "obs was shut down"),
    (
        "init-in-command",
        "entry_point.rs",
        "fn initialising_inside_of_a_running_command_warns_and_gives_further_lines_their_context",
        "obs was initialised inside of the command",
    ),
    (
        "unknown-variable",
        "entry_point.rs",
        "fn a_lenient_main_warns_once_of_all_problems_and_runs_with_the_defaults",
        "unknown variable",
    ),
    ("ended-by-signal", "signals.rs", "fn the_first_signal_flushes_and_then_ends_the_process", "flushing and exiting"),
];

#[test]
fn every_entry_has_a_test_and_every_message_leads_to_an_entry() {
    let own = [include_str!("troubleshooting.rs"), include_str!("troubleshooting_data.rs")].concat();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut tested: BTreeSet<_> = ELSEWHERE.iter().map(|(entry, ..)| *entry).collect();
    for (entry, file, function, words) in ELSEWHERE {
        let text = std::fs::read_to_string(tests.join(file)).unwrap();
        assert!(text.contains(&format!("#[test]\n{function}(")), "{entry}: {file} has no test {function}");
        says(entry, words, words);
    }
    let is_tested = |entry: &&&str| own.contains(&format!("#[test]\nfn {}()", entry.replace('-', "_")));
    let entries = entries();
    assert!(entries.len() >= 25, "{}", entries.len());
    tested.extend(entries.iter().filter(is_tested));
    tested.insert("secret-argument");
    assert_eq!(tested, entries);
    for entry in &entries {
        assert!(PAGE.contains(&format!("[{entry}](#{entry})")), "{entry} is not in the table");
    }
    // Every name that a warning gives is one of an entry.
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../obs-runtime/src");
    let mut named = BTreeSet::new();
    for file in rust_files(&source) {
        let text = std::fs::read_to_string(file).unwrap();
        let calls =
            ["warn_with_help(", "warn_of(", "Field::new(HELP,"].iter().flat_map(|call| text.split(call).skip(1));
        named
            .extend(calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next().map(str::to_owned)));
    }
    assert!(named.len() > 15, "{named:?}");
    let unknown: Vec<_> = named.iter().filter(|name| !entries.contains(&***name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn no_metrics_after_job() {
    let folder = tempfile::tempdir().unwrap();
    let mut address = None;
    let change = |builder: ObservabilityBuilder| builder.service_name("job").prometheus_textfile_dir(folder.path());
    lines(change, |guard| {
        job();
        address = guard.metrics_address();
        assert!(
            obs_tests::http::get(&format!("http://{}/metrics", address.unwrap()), &[])
                .unwrap()
                .contains("cli_command_success_total")
        );
    });
    assert!(std::net::TcpStream::connect(address.unwrap()).is_err(), "the endpoint ends with the process");
    assert!(std::fs::read_to_string(folder.path().join("job.prom")).unwrap().contains("cli_command_success_total"));
}

#[test]
fn port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let message = led_to("port-in-use", &lines(|builder| builder.prometheus_port(port), |_| ()));
    says(
        "port-in-use",
        &message.replace(&port.to_string(), "8000"),
        "cannot listen on 127.0.0.1:8000: the port is in use",
    );
}

/// Runs itself in a process with the variable, as the environment of this one cannot change.
#[test]
fn probes_fail() {
    const VARIABLE: &str = "KUBERNETES_SERVICE_HOST";
    if std::env::var_os(VARIABLE).is_some() {
        let message = led_to("probes-fail", &lines(|builder| builder, |_| ()));
        says(
            "probes-fail",
            &message,
            "PROMETHEUS_BIND is 127.0.0.1: neither Prometheus nor a probe reaches this pod there",
        );
        return;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", "troubleshooting::probes_fail"]).env(VARIABLE, "10.0.0.1").output().unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}

#[track_performance(tags(table = table))]
fn load_number(table: u32) {
    let _ = table;
}

#[test]
fn label_is_other() {
    let message = led_to("label-is-other", &lines(|builder| builder.max_series(3), |_| (0..9).for_each(load_number)));
    says("label-is-other", &message.replace("than 3", "than 1000"), "more than 1000 series");
    let captured =
        capture_with(Config::default().with(|config| config.max_series = 3), || (0..9).for_each(load_number));
    captured.counter("operation.success").with("table", "other").is_at_least(6);
}

mod first {
    #[obs_runtime::track_performance]
    pub(super) fn twice_named() {}
}

mod second {
    #[obs_runtime::track_performance]
    pub(super) fn twice_named() {}
}

#[test]
fn shared_names() {
    let message =
        led_to("shared-names", &lines(|builder| builder, |_| (first::twice_named(), second::twice_named()).0));
    says("shared-names", &message, "and their metrics are added up");
}

#[test]
fn textfile_not_written() {
    let folder = tempfile::NamedTempFile::new().unwrap();
    let lines = lines(|builder| builder.prometheus_textfile_dir(folder.path().join("inside")), |_| job());
    says("textfile-not-written", &led_to("textfile-not-written", &lines), "PROMETHEUS_TEXTFILE_DIR: cannot ");
}

#[test]
fn pushgateway_not_delivered() {
    let url = format!("http://127.0.0.1:{}", closed_port());
    let lines = lines(|builder| builder.prometheus_pushgateway_url(url), |_| job());
    says(
        "pushgateway-not-delivered",
        &led_to("pushgateway-not-delivered", &lines),
        "failed to flush exporter pushgateway: ",
    );
}

#[test]
fn datadog_not_delivered() {
    let address = "unix:///nowhere/dsd.socket".parse().unwrap();
    let lines = lines(|builder| builder.datadog_enabled(true).datadog_agent(address), |_| job());
    says("datadog-not-delivered", &led_to("datadog-not-delivered", &lines), "failed to flush exporter datadog: ");
}

#[test]
fn otlp_not_delivered() {
    let endpoint = format!("http://127.0.0.1:{}", closed_port());
    let lookup = move |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(endpoint.clone().into()),
        "OTEL_METRICS_EXPORTER" => Some("otlp".into()),
        _ => None,
    };
    let config = Config::from_lookup(lookup).unwrap();
    let change = |builder: ObservabilityBuilder| builder.defaults(|known| known.otel = config.otel.clone());
    let message = led_to("otlp-not-delivered", &lines(change, |_| job()));
    says("otlp-not-delivered", &message.replace("failed to flush exporter ", ""), "otlp_metrics: ");
}

struct Failing;

impl obs_runtime::Sink for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn accept(&mut self, _: &obs_runtime::RedactedEvent) -> Result<(), obs_runtime::sink::SinkError> {
        Ok(())
    }

    fn flush(&mut self, _: std::time::Instant) -> Result<(), obs_runtime::sink::SinkError> {
        Err("the disk is full".into())
    }
}

#[test]
fn not_delivered() {
    let message = led_to("not-delivered", &lines(|builder| builder.sink(Failing), |_| job()));
    says("not-delivered", &message, "failed to flush exporter ");
}

#[test]
fn slow_exit() {
    // It accepts connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let change = |builder: ObservabilityBuilder| {
        builder.prometheus_pushgateway_url(url).flush_timeout(Duration::from_millis(1900))
    };
    let message = led_to("pushgateway-not-delivered", &lines(change, |_| job()));
    says("slow-exit", &message, "no answer within 2s (OBS_FLUSH_TIMEOUT)");
}

#[test]
fn no_scope() {
    let message = led_to("no-scope", &lines(|builder| builder, |_| set_user("1815")));
    says("no-scope", &message, "outside of any scope");
}

#[test]
fn value_redacted() {
    let captured = capture(|| tracing::info!(session = "spring", table = "users", "loading"));
    captured.logs().with("session", "[REDACTED]").with("table", "users").once();
}

#[test]
fn invalid_configuration() {
    let error = Observability::builder().without_environment().max_series(0).prometheus_port(0).init().unwrap_err();
    says("invalid-configuration", &error.to_string(), "invalid configuration:");
    led_to("invalid-configuration", &lines(|builder| builder.max_series(0).lenient(), |_| ()));
}

#[test]
fn setting_without_effect() {
    let dsn = Secret::new("https://key@sentry.invalid/1".to_owned());
    let message = led_to("setting-without-effect", &lines(|builder| builder.sentry_dsn(dsn), |_| ()));
    assert!(message.contains("SENTRY_DSN has no effect without SENTRY_ENABLED=true"), "{message}");
}

#[test]
fn log_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let builder = Observability::builder().without_environment().prometheus_port(0);
    let error = builder.log_file(file.path().join("inside")).init().unwrap_err().to_string();
    assert!(error.starts_with("LOG_FILE: ") && error.contains("cannot be opened for appending"), "{error}");
}

#[test]
fn already_initialised() {
    lines(
        |builder| builder,
        |_| {
            let second = Observability::builder().without_environment().prometheus_port(0).init().unwrap_err();
            says("already-initialised", &second.to_string(), "obs is already initialised");
        },
    );
}
