//! Every place at which something leaves the process gets the whole corpus of secrets, and shows none of it.
//!
//! [`PLACES`] lists all of them. A new exporter, command or protocol gets a row.

use std::fmt::Write as _;
use std::path::Path;

use obs_runtime::{Observability, Secret};
use obs_tests::corpus;
use obs_tests::dogstatsd::Agent;
use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::http;
use obs_tests::process::{Finished, Process};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, ScriptedBigQuery};
use obs_tests::servers::{OtlpServer, SentryServer};

/// What leaves at a place, by the part of it.
type Outputs = Vec<(&'static str, String)>;

/// The name of a place, and what gives it the corpus.
type Place = (&'static str, fn() -> Outputs);

const PLACES: &[Place] = &[
    ("events: log lines, a log file, a textfile and DogStatsD", events),
    ("names, label names, label values and HELP of the program's metrics", metrics),
    ("OTLP: traces, metrics and logs", otlp),
    ("Sentry: envelopes", sentry),
    ("Sentry: attachments", attachments),
    ("Sentry: what the state folder keeps in an outage", spool),
    ("a sink of the program's own", sink),
    ("names, items, messages and details of checks: tables, JSON, JUnit, OpenLineage", checks),
    ("names, messages and details of checks: answers to probes", probes),
    ("lists for operators: checks, catalogue, status, configuration", lists),
    ("what a command that fails says at a terminal and to its log", failures),
    ("variables for child processes and headers for servers", propagation),
    ("errors of the configuration", configuration),
    ("errors and debug output of secrets", secrets),
    ("BigQuery: errors with escaped literals, and log lines of queries", bigquery_errors),
    ("BigQuery: labels of jobs", bigquery_labels),
];

#[test]
fn no_place_shows_a_secret() {
    let failed = |(name, outputs): &Place| {
        let all = std::panic::catch_unwind(|| {
            let all = outputs();
            assert!(!all.is_empty());
            for (part, output) in all {
                let place = format!("{name}: {part}");
                // Some protocols have neither brackets nor capitals.
                let is_redacted = output.to_lowercase().contains("redacted");
                assert!(is_redacted, "nothing was redacted in {place}: {output:.2000}");
                corpus::assert_nothing_left(&place, &output);
            }
        });
        all.is_err()
    };
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let threads: Vec<_> = PLACES.iter().map(|place| (place.0, scope.spawn(move || failed(place)))).collect();
        threads.into_iter().filter_map(|(name, thread)| thread.join().unwrap().then_some(name)).collect()
    });
    assert!(failed.is_empty(), "secrets, or nothing redacted, in {failed:#?}");
}

fn program() -> Process {
    Process::new(env!("CARGO_BIN_EXE_every-place")).env("PROMETHEUS_PORT", "0").env("OBS_FLUSH_TIMEOUT", "60s")
}

fn leaker() -> Process {
    Process::new(env!("CARGO_BIN_EXE_leaker")).env("PROMETHEUS_PORT", "0").env("OBS_FLUSH_TIMEOUT", "60s")
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// The textfiles of a folder.
fn textfiles(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    files.filter(|file| file.extension().is_some_and(|end| end == "prom")).map(|file| read(&file)).collect()
}

fn packets(agent: &Agent) -> String {
    agent.packets().iter().map(|packet| String::from_utf8_lossy(packet).into_owned() + "\n").collect()
}

/// Some of the samples: all exporters get the events of one redactor, to which `tests/secrets.rs` gives the whole corpus.
fn some_events() -> Process {
    leaker().args(&["100", "120"])
}

fn events() -> Outputs {
    let (folder, agent) = (tempfile::tempdir().unwrap(), Agent::udp());
    let ended = some_events()
        .env("LOG_LEVEL", "trace")
        .env("LOG_FILE", folder.path().join("run.jsonl"))
        .env("PROMETHEUS_TEXTFILE_DIR", folder.path())
        .env("DATADOG_ENABLED", "true")
        .env("DD_DOGSTATSD_URL", agent.url())
        .run();
    assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
    let file = read(&folder.path().join("run.jsonl"));
    vec![
        ("lines", ended.stderr),
        ("file", file),
        ("textfile", textfiles(folder.path())),
        ("DogStatsD", packets(&agent)),
    ]
}

fn metrics() -> Outputs {
    let (folder, agent, server) = (tempfile::tempdir().unwrap(), Agent::udp(), OtlpServer::start());
    let running = program()
        .args(&["metrics"])
        .env("PROMETHEUS_TEXTFILE_DIR", folder.path())
        .env("DATADOG_ENABLED", "true")
        .env("DD_DOGSTATSD_URL", agent.url())
        .env("OTEL_METRICS_EXPORTER", "otlp")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url())
        .start();
    let address = running.wait_for_output("the address", |line| Some(line.strip_prefix("metrics at ")?.to_owned()));
    let page = http::get(&format!("http://{address}/metrics"), &[]).unwrap();
    assert!(page.matches("# HELP").count() > 10, "{page}");
    assert_eq!(running.finish().code(), Some(0));
    let bodies = bodies(&server);
    vec![("page", page), ("textfile", textfiles(folder.path())), ("DogStatsD", packets(&agent)), ("OTLP", bodies)]
}

fn bodies(server: &OtlpServer) -> String {
    server.bodies().iter().map(|body| String::from_utf8_lossy(body).into_owned() + "\n").collect()
}

fn otlp() -> Outputs {
    let server = OtlpServer::start();
    let ended = some_events()
        .env("TRACING_ENABLED", "true")
        .env("TRACING_SAMPLE_RATE", "1")
        .env("OTEL_METRICS_EXPORTER", "otlp")
        .env("OTEL_LOGS_EXPORTER", "otlp")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url())
        .run();
    assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
    assert!(!server.spans().is_empty() && !server.logs().is_empty() && !server.metrics().is_empty());
    vec![("bodies", bodies(&server))]
}

fn sentry() -> Outputs {
    let server = SentryServer::start();
    let ended = some_events().env("SENTRY_ENABLED", "true").env("SENTRY_DSN", server.dsn()).run();
    assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
    assert!(!server.items("event").is_empty());
    vec![("envelopes", server.bodies().join("\n"))]
}

/// Numbers of samples from which on a run attaches as many as are sent at once.
fn attached() -> impl Iterator<Item = String> {
    (0..corpus::samples().count()).step_by(200).map(|from| from.to_string())
}

fn attachments() -> Outputs {
    let server = SentryServer::start();
    for from in attached() {
        let ended =
            program().args(&["attachments", &from]).env("SENTRY_ENABLED", "true").env("SENTRY_DSN", server.dsn()).run();
        assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
    }
    assert_eq!(server.items("attachment").len(), corpus::samples().count());
    vec![("envelopes", server.bodies().join("\n"))]
}

/// What the folder keeps of events to a server that refuses connections.
fn spool() -> Outputs {
    let server = FaultyServer::start(Fault::Refuse);
    let dsn = format!("http://0123456789abcdef0123456789abcdef@{}/42", server.address());
    let programs = attached().map(|from| program().args(&["attachments", &from])).chain([some_events()]);
    let kept = programs.map(|program| {
        let state = tempfile::tempdir().unwrap();
        let program = program.env("SENTRY_ENABLED", "true").env("SENTRY_DSN", &dsn);
        let ended = program.env("OBS_STATE_DIR", state.path()).env("OBS_FLUSH_TIMEOUT", "4s").run();
        assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
        let kept = envelopes(state.path());
        assert!(!kept.is_empty(), "{}", ended.stderr);
        kept.concat()
    });
    let kept: String = kept.collect();
    assert_eq!(kept.matches("\"type\":\"attachment\"").count(), corpus::samples().count());
    vec![("files", kept)]
}

/// The envelopes in the folders of a state folder.
fn envelopes(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let kept_in = |path: std::path::PathBuf| match path.extension() {
        _ if path.is_dir() => envelopes(&path),
        Some(end) if end == "envelope" => vec![read(&path)],
        _ => Vec::new(),
    };
    entries.flat_map(kept_in).collect()
}

fn sink() -> Outputs {
    vec![("events", program().args(&["sink"]).run().stdout)]
}

fn both(ended: Finished) -> String {
    ended.stdout + &ended.stderr
}

fn checks() -> Outputs {
    [
        ("table", &["dq", "run"][..]),
        ("JSON", &["dq", "run", "--format", "json"]),
        ("JUnit", &["dq", "run", "--format", "junit"]),
        ("OpenLineage", &["dq", "run", "--format", "openlineage"]),
        ("health as a table", &["health"]),
        ("health as JSON", &["health", "--format", "json"]),
        ("health as JUnit", &["health", "--format", "junit"]),
    ]
    .map(|(name, arguments)| (name, both(program().args(arguments).run())))
    .into()
}

fn probes() -> Outputs {
    vec![("answers", both(program().args(&["probes"]).run()))]
}

/// The known variables, each with this value.
fn with_variables(value: &str) -> Process {
    let settings = Observability::builder().without_environment().settings().unwrap();
    assert!(settings.len() > 60);
    settings.iter().fold(program(), |program, setting| program.env(setting.name, value))
}

fn lists() -> Outputs {
    let values = "postgres://app:hunter2@db.local/app";
    let configured = program()
        .env("SERVICE_NAME", "of ann.lee+x@example.com")
        .env("ENVIRONMENT", "password=hunter2")
        .env("OBS_BUDGETS", "of-ghp_1234567890abcdefghijklmnopqrstuvwxyz12=5USD/day")
        .env("PROMETHEUS_PUSHGATEWAY_URL", "http://user:hunter2@127.0.0.1:9");
    vec![
        ("list of checks", both(program().args(&["dq", "list"]).run())),
        ("list of checks as JSON", both(program().args(&["dq", "list", "--format", "json"]).run())),
        ("catalogue", both(program().args(&["catalogue"]).run())),
        ("configuration", both(configured.args(&["config"]).run())),
        ("configuration that is not accepted", both(with_variables(values).args(&["config"]).run())),
    ]
}

fn failures() -> Outputs {
    let samples = (0..corpus::samples().count()).step_by(10);
    let ends = samples.map(|sample| both(program().args(&["fail", &sample.to_string()]).run()));
    vec![("lines", ends.collect())]
}

fn propagation() -> Outputs {
    vec![("variables", program().args(&["propagation"]).run().stdout)]
}

fn configuration() -> Outputs {
    // Of processes, that is of the kinds of secrets, not of all samples.
    let mut kinds = std::collections::BTreeSet::new();
    let samples = corpus::samples().filter(|sample| kinds.insert(sample.kind) && !sample.text.contains('\0'));
    let errors = samples.map(|sample| both(with_variables(sample.text).args(&["propagation"]).run()));
    vec![("errors", errors.collect())]
}

fn secrets() -> Outputs {
    let mut output = String::new();
    for sample in corpus::samples() {
        let json = serde_json::to_string(sample.text).unwrap();
        let errors = [
            serde_json::from_str::<Secret<u64>>(&json).map(drop).map_err(|error| error.to_string()),
            serde_json::from_str::<Secret<Vec<u8>>>(&json).map(drop).map_err(|error| format!("{error:?}")),
            serde_json::from_value::<Secret<u64>>(sample.text.into()).map(drop).map_err(|error| error.to_string()),
        ];
        assert!(errors.iter().all(Result::is_err));
        let secret = Secret::new(sample.text.to_owned());
        let shown = serde_json::to_string(&secret).unwrap();
        let _ = writeln!(output, "{errors:?} {secret} {secret:?} {secret:#?} {shown}");
    }
    vec![("errors", output)]
}

/// Runs a query for each sample, which fails with its literal in the message. Returns what the program says, and the labels.
fn queries() -> &'static (String, String) {
    static QUERIES: std::sync::OnceLock<(String, String)> = std::sync::OnceLock::new();
    QUERIES.get_or_init(run_queries)
}

fn run_queries() -> (String, String) {
    let server = ScriptedBigQuery::start(Behaviour::default());
    for sample in corpus::samples() {
        let escaped = sample.text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
        let message = format!("Invalid value: '{escaped}' at [1:31]");
        server.change(|behaviour| behaviour.failures.push_back(("invalidQuery".into(), message)));
    }
    let ended = program()
        .args(&["queries"])
        .env("LOG_LEVEL", "trace")
        .env("BIGQUERY_EMULATOR_HOST", server.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .run();
    let requests = server.requests(Call::Insert);
    assert_eq!(requests.len(), corpus::samples().count(), "{}", ended.stderr);
    let labels = requests.iter().map(|request| request.body["configuration"]["labels"].to_string() + "\n");
    (both(ended), labels.collect())
}

fn bigquery_errors() -> Outputs {
    vec![("output", queries().0.clone())]
}

fn bigquery_labels() -> Outputs {
    let labels = &queries().1;
    // Labels are in lower case, without most punctuation.
    let as_label = |letter: char| if letter.is_alphanumeric() || matches!(letter, '_' | '-') { letter } else { '_' };
    for sample in corpus::samples() {
        let part: String = sample.part.chars().flat_map(char::to_lowercase).map(as_label).take(40).collect();
        let line = labels.lines().find(|line| line.contains(&part));
        assert_eq!(line, None, "{sample:?}");
    }
    vec![("labels", labels.clone())]
}
