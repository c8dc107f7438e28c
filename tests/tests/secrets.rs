//! Promise 6: no secret and no personal data leaves. Arguments are recorded only when named, and every exporter gets redacted
//! events.

use std::collections::BTreeSet;

use obs_runtime::testing::{capture, capture_with};
use obs_runtime::{Config, LogContext, Observability, Secret, track_performance};
use obs_tests::corpus::{self, NAMED};
use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::http;
use obs_tests::leaks::{Failed, leak_everywhere, leak_the_corpus};
use obs_tests::process::Process;
use obs_tests::servers::{API_KEY, DatadogApi, OtlpServer, SentryServer};
use serde_json::Value;

#[test]
fn the_corpus_covers_many_kinds_of_secrets() {
    let kinds: BTreeSet<&str> = corpus::samples().map(|sample| sample.kind).collect();
    let secrets = corpus::samples().count() + NAMED.len();
    let look_alikes = corpus::look_alikes().count();
    assert!(secrets >= 300 && kinds.len() >= 40 && look_alikes >= 150, "{secrets} {look_alikes} {kinds:?}");
    // Each in at least fourteen places.
    assert!(corpus::places("a").len() >= 14);
    // It finds each secret in an unredacted text.
    for sample in corpus::samples() {
        assert!(!corpus::left_in(sample.text).is_empty(), "{sample:?}");
        // A short hexadecimal part could occur in an id by chance.
        let is_chance = sample.part.len() < 12 && sample.part.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(!is_chance, "{sample:?}");
    }
}

#[test]
fn secrets_are_redacted_in_every_place() {
    for sample in corpus::samples() {
        let captured = capture(|| leak_everywhere(sample.text));
        assert!(captured.records.errors.len() > 1 && captured.records.logs.len() > 4, "{:?}", captured.records);
        let output = format!("{:?}\n{:?}", captured.records, captured.metrics);
        assert!(output.contains("[REDACTED]"), "{sample:?}: {output}");
        corpus::assert_nothing_left(sample.kind, &output);
    }
}

#[test]
fn arguments_that_are_not_named_are_not_recorded() {
    #[track_performance]
    fn quiet(first: &str, second: u64) -> usize {
        first.len() + usize::try_from(second).unwrap_or_default()
    }
    let captured = capture(|| quiet("a first argument", 987_654_321));
    let output = format!("{:?} {:?}", captured.records, captured.metrics);
    assert!(output.contains("quiet"), "{output}");
    assert!(!output.contains("a first argument") && !output.contains("987654321"), "{output}");
}

#[test]
fn similar_texts_are_not_redacted() {
    for text in corpus::look_alikes() {
        let captured = capture(|| {
            tracing::warn!(detail = text, "seen: {text}");
            obs_runtime::capture_error(&Failed::new(text));
            LogContext::new().user(text).field("note", text.to_owned()).scope(|| tracing::warn!("in a scope"));
        });
        let [line, scoped] = &captured.records.logs[..] else { panic!("{:?}", captured.records) };
        assert_eq!(line.message, format!("seen: {text}"));
        assert!(line.fields.contains(&("detail".to_owned(), text.to_owned())), "{line:?}");
        assert_eq!(captured.records.errors[0].failure.message, format!("cannot use {text}"));
        assert_eq!((scoped.scope.user.as_deref(), scoped.scope.fields[0].1.as_str()), (Some(text), text));
    }
}

#[test]
fn no_secret_is_in_log_lines_files_or_metrics() {
    for format in ["json", "text"] {
        let folder = tempfile::tempdir().unwrap();
        let program = Process::new(env!("CARGO_BIN_EXE_leaker"))
            .env("LOG_FORMAT", format)
            .env("LOG_LEVEL", "trace")
            .env("LOG_FILE", folder.path().join("run.jsonl"))
            .env("PROMETHEUS_PORT", "0")
            .env("PROMETHEUS_TEXTFILE_DIR", folder.path())
            .env("SERVICE_NAME", "of ann.lee+x@example.com")
            .env("ENVIRONMENT", "password=hunter2");
        let running = program.start();
        let address = running.wait_for_output("the address", |line| Some(line.strip_prefix("metrics at ")?.to_owned()));
        let exposition = http::get(&format!("http://{address}/metrics"), &[]).unwrap();
        let ended = running.finish();
        assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
        let outputs = [("console".to_owned(), ended.stderr), ("/metrics".to_owned(), exposition)];
        let paths = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        // Some of the textfile's auxiliary files are empty.
        let files = paths
            .map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap()))
            .filter(|(_, text)| !text.is_empty());
        let outputs: Vec<(String, String)> = outputs.into_iter().chain(files).collect();
        let redacted = outputs.iter().filter(|(_, output)| output.len() > 1000 && output.contains("[REDACTED]"));
        // The console, /metrics, the log file and the textfile.
        assert!(redacted.count() >= 4, "{outputs:?}");
        for (place, output) in outputs {
            corpus::assert_nothing_left(&place, &output);
        }
    }
}

#[test]
fn no_secret_is_sent_to_sentry() {
    // A call site may send twenty events at once, so each run leaks fewer.
    const EACH: usize = 15;
    let server = SentryServer::start();
    // Each run is a process with hundreds of events: every fourth group of samples. All go through the same redaction.
    let groups: Vec<usize> = (0..corpus::samples().count()).step_by(4 * EACH).collect();
    let samples = groups.iter().map(|from| corpus::samples().skip(*from).take(EACH).count()).sum::<usize>();
    for from in groups {
        let program = Process::new(env!("CARGO_BIN_EXE_leaker")).args(&[&from.to_string(), &(from + EACH).to_string()]);
        let ended = program
            .env("LOG_LEVEL", "off")
            .env("PROMETHEUS_PORT", "0")
            .env("OBS_FLUSH_TIMEOUT", "30s")
            .env("SENTRY_ENABLED", "true")
            .env("SENTRY_DSN", server.dsn())
            .env("SENTRY_ENVIRONMENT", "password=hunter2")
            .run();
        assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
    }
    // A message, a captured error, a returned error and a panic for each sample.
    let events = server.wait_for("event", 4 * samples);
    assert_eq!(events.len(), 4 * samples);
    let crumbs = |event: &Value| event["breadcrumbs"]["values"].as_array().is_some_and(|crumbs| !crumbs.is_empty());
    assert!(events.iter().all(crumbs), "{events:?}");
    let bodies = server.bodies().join("\n");
    assert!(bodies.contains("[REDACTED]"));
    corpus::assert_nothing_left("the envelopes", &bodies);
}

#[test]
fn no_secret_is_kept_for_the_next_run_of_sentry() {
    let state = tempfile::tempdir().unwrap();
    let server = FaultyServer::start(Fault::Refuse);
    let ended = Process::new(env!("CARGO_BIN_EXE_leaker"))
        .args(&["0", "15"])
        .env("LOG_LEVEL", "off")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_STATE_DIR", state.path())
        .env("SENTRY_ENABLED", "true")
        .env("SENTRY_DSN", format!("http://0123456789abcdef@{}/42", server.address()))
        .run();
    assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
    let project = std::fs::read_dir(state.path().join("sentry")).unwrap().next().unwrap().unwrap().path();
    let files = std::fs::read_dir(project).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let files: Vec<_> = files.collect();
    assert!(files.len() >= 40 && files.iter().any(|file| file.contains("[REDACTED]")), "{}", files.len());
    corpus::assert_nothing_left("the kept envelopes", &files.join("\n"));
}

#[test]
fn no_secret_is_sent_by_otlp() {
    let server = OtlpServer::start();
    let program = Process::new(env!("CARGO_BIN_EXE_leaker"));
    let ended = program
        .env("LOG_LEVEL", "off")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("SERVICE_NAME", "of ann.lee+x@example.com")
        .env("ENVIRONMENT", "password=hunter2")
        .env("TRACING_ENABLED", "true")
        .env("TRACING_SAMPLE_RATE", "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url())
        .run();
    assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
    let spans = server.spans();
    let failed = spans.iter().filter(|span| !span.events.is_empty()).count();
    assert!(spans.len() >= 100 && failed >= corpus::samples().count(), "{} spans, {failed} failed", spans.len());
    let bodies: Vec<_> = server.bodies().iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect();
    let bodies = bodies.join("\n");
    assert!(bodies.contains("[REDACTED]"));
    corpus::assert_nothing_left("the requests", &bodies);
}

#[test]
fn no_secret_is_sent_to_datadogs_api_and_its_key_is_in_a_header_only() {
    let api = DatadogApi::start();
    let ended = Process::new(env!("CARGO_BIN_EXE_leaker"))
        .env("LOG_LEVEL", "off")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("SERVICE_NAME", "of ann.lee+x@example.com")
        .env("ENVIRONMENT", "password=hunter2")
        .env("DATADOG_AGENTLESS", "true")
        .env("DATADOG_API_KEY", API_KEY)
        .env("DD_DD_URL", api.url())
        .run();
    assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
    let requests = api.accepted();
    let bodies: Vec<_> = requests.iter().map(|request| request.body.to_string()).collect();
    let bodies = bodies.join("\n");
    assert!(bodies.contains("REDACTED") && bodies.len() > 10_000, "{} bytes", bodies.len());
    corpus::assert_nothing_left("the requests", &bodies);
    let outputs = [bodies, ended.stdout, ended.stderr];
    assert!(outputs.iter().all(|output| !output.contains(API_KEY)));
    for request in requests {
        let lines = request.head.lines().filter(|line| line.contains(API_KEY));
        assert_eq!(lines.collect::<Vec<_>>(), [format!("dd-api-key: {API_KEY}")]);
    }
}

#[track_performance(args(key = hash, plain = hash, length = len, masked = redact))]
fn with_a_secret(key: &Secret<String>, plain: &str, length: &Secret<String>, masked: &Secret<String>) {
    let _ = (key, plain, length, masked);
}

#[test]
fn a_secret_argument_is_recorded_as_hash_length_or_placeholder() {
    let recorded = |key: &str| {
        let secret = Secret::new(key.to_owned());
        let captured = capture(|| with_a_secret(&secret, key, &secret, &secret));
        captured.records.calls[0].fields.clone()
    };
    let (one, two) = (recorded("hunter2"), recorded("hunter3"));
    let [(_, key), (_, plain), (_, length), (_, masked)] = &one[..] else { panic!("{one:?}") };
    assert_eq!((key, length.as_str(), masked.as_str()), (plain, "7", "[REDACTED]"));
    assert_ne!(one[0], two[0]);
}

#[test]
fn custom_names_and_patterns_are_redacted() {
    let config = Config::default().with(|config| {
        config.redact_names = vec!["iban".to_owned()];
        config.redact_patterns = vec![r"EMP-\d{6}".to_owned()];
    });
    let captured = capture_with(config, || {
        tracing::warn!(iban = "DE02 1203 0000 0000 2020 51", note = "EMP-123456 or EMP-12", "of EMP-654321");
    });
    let line = &captured.records.logs[0];
    assert_eq!(line.message, "of [REDACTED]");
    let values: Vec<_> = line.fields.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["[REDACTED]", "[REDACTED] or EMP-12"]);
    let error = Observability::builder().without_environment().redact_patterns(vec!["(".to_owned()]).config();
    assert_eq!(error.unwrap_err().problems[0].value, "(: unclosed group");
}

#[test]
fn no_secret_is_in_the_records_of_a_capture() {
    let captured = capture(leak_the_corpus);
    corpus::assert_nothing_left("records", &format!("{:?}", captured.records));
    corpus::assert_nothing_left("metrics", &format!("{:?}", captured.metrics));
}
