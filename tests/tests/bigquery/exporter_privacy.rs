//! No literal of a query leaves the process: by an exporter, a label, an error or the file of budgets.

use std::io::Write as _;
use std::path::Path;

use obs_tests::dogstatsd::Agent;
use obs_tests::process::{Process, Running};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};
use obs_tests::wait;

use crate::support::TIB;

/// The literals, the comment and the parameter of the query that `bigquery-user` runs.
const SECRETS: [&str; 6] = ["Ada Lovelace", "4242424", "1815-12-10", "hunter", "xyzzy", "Grace Hopper"];

/// The path and the content of every file in a folder.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            all.push((path.display().to_string(), content));
        }
    }
    all
}

#[test]
fn no_literal_of_a_query_reaches_an_exporter_or_a_file() {
    // This server only keeps the envelopes.
    let (sentry, agent) = (ScriptedBigQuery::start(Behaviour::default()), Agent::udp());
    let server = ScriptedBigQuery::start(Behaviour::default());
    let folder = tempfile::tempdir().unwrap();
    let mut job = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .env("BIGQUERY_EMULATOR_HOST", server.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("OBS_STATE_DIR", folder.path().join("state"))
        .env("OBS_BUDGETS", "shared=1000USD/month")
        .env("LOG_LEVEL", "TRACE")
        .env("LOG_FILE", folder.path().join("job.log"))
        .env("PROMETHEUS_PORT", "0")
        .env("PROMETHEUS_TEXTFILE_DIR", folder.path().join("metrics"))
        .env("DATADOG_ENABLED", "true")
        .env("DD_DOGSTATSD_URL", agent.url())
        .env("SENTRY_ENABLED", "true")
        // Symbol names of a debug build take long to look up on a busy machine.
        .env("OBS_FLUSH_TIMEOUT", "60s")
        .env("SENTRY_DSN", format!("http://key@{}/1", sentry.host()))
        .start();
    let mut answers = 1;
    let mut report = |job: &mut Running| {
        answers += 1;
        job.stdin.as_mut().unwrap().write_all(b"report\n").unwrap();
        job.wait_for_outputs("an answer", |output| output.lines().count() == answers);
    };
    report(&mut job);
    for (call, message) in [
        (Call::DryRun, "Syntax error: Unexpected string literal 'Ada Lovelace' at [1:8]"),
        (Call::Insert, "Could not cast literal \"1815-12-10\" to type INT64"),
        (Call::Insert, "Invalid parameter value for 'note': Grace Hopper"),
    ] {
        server.next(call, Reply::error(400, "invalidQuery", message));
        report(&mut job);
    }
    for message in ["Bad int64 value: 4242424x", "Query error: Could not parse 'hunter\n2' as a number at [1:2]"] {
        server.change(|behaviour| behaviour.failures.push_back(("invalidQuery".into(), message.into())));
        report(&mut job);
    }
    server.change(|behaviour| behaviour.estimated_bytes = 2 * TIB);
    report(&mut job);
    let ended = job.finish();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(ended.stdout.contains("ok 0.000119") && ended.stdout.contains("refused"), "{ended:?}");

    let files = files(folder.path());
    let of = |part: &str| files.iter().any(|(name, content)| name.contains(part) && !content.is_empty());
    assert!(of("job.log") && of(".prom") && of("budgets.sqlite3"), "{files:?}");
    let envelopes = || sentry.requests(Call::Insert).into_iter().map(|request| request.text);
    let errors = || envelopes().filter(|envelope| envelope.contains("\"type\":\"event\"")).count();
    wait::until_true("Sentry gets the errors", || errors() > 0);
    assert!(agent.names().contains("bigquery.query.count"), "{:?}", agent.names());
    assert!(ended.stderr.contains("cost_usd"), "{ended:?}");
    let labels: String = server
        .requests(Call::Insert)
        .iter()
        .map(|request| request.body["configuration"]["labels"].to_string())
        .collect();
    assert!(labels.contains("\"team\":\"growth\""), "{labels}");
    let mut outputs: Vec<(String, String)> = vec![
        ("standard output".into(), ended.stdout.clone()),
        ("standard error".into(), ended.stderr.clone()),
        ("Sentry".into(), envelopes().collect()),
        ("Datadog".into(), agent.packets().iter().map(|packet| String::from_utf8_lossy(packet).into_owned()).collect()),
        ("labels".into(), labels),
    ];
    outputs.extend(files);
    for (place, everything) in outputs {
        for secret in SECRETS {
            let line = everything.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} is in {place}");
        }
    }
}
