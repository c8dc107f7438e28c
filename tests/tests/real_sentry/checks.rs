//! What is told of costs, and whether events are taken at all.

use std::io::Write as _;

use obs_tests::process::Process;
use obs_tests::programs;
use obs_tests::servers::Bugsink;
use obs_tests::servers::scripted_bigquery::{Behaviour, ScriptedBigQuery};
use serde_json::{Value, json};

pub fn a_cost_over_its_threshold_is_a_message(bugsink: &Bugsink) {
    const TIB: u64 = 1 << 40;
    let behaviour = Behaviour { estimated_bytes: TIB, billed_bytes: TIB, ..Behaviour::default() };
    let (server, project) = (ScriptedBigQuery::start(behaviour), bugsink.project());
    let state = tempfile::tempdir().unwrap();
    let mut job = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .env("OBS_BUDGETS", "shared=1000USD/month")
        .env("OBS_STATE_DIR", state.path())
        .env("BIGQUERY_EMULATOR_HOST", server.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("COST_ALERT_THRESHOLD_USD", "5")
        .env("METRICS_ENABLED", "false")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("SENTRY_ENABLED", "true")
        .env("SENTRY_DSN", bugsink.dsn(&project))
        .start();
    // It is told once, however often the threshold is passed.
    job.stdin.as_mut().unwrap().write_all(b"limited\nlimited\n").unwrap();
    let ended = job.finish();
    assert_eq!((ended.code(), ended.stdout.matches("ok 6.25").count()), (Some(0), 2), "{ended:?}");
    let events = bugsink.events(&project, 1);
    let said: Vec<_> = events.iter().map(|event| &event["logentry"]["message"]).collect();
    let expected = json!("limited costs 6.250000 USD, over its threshold of 5 USD");
    assert_eq!((said[0], &events[0]["level"]), (&expected, &json!("warning")), "{events:#?}");
}

pub fn whether_events_are_taken_is_known(bugsink: &Bugsink) {
    let found = |dsn: &str| {
        let process = Process::new(programs::program("embedded"));
        let process = process.args(&["health", "--group", "telemetry", "--format", "json"]);
        let process = process.env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "off").env("SENTRY_ENABLED", "true");
        let ended = process.env("SENTRY_DSN", dsn).run();
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "obs.sentry").unwrap().clone()
    };
    let dsn = bugsink.dsn(&bugsink.project());
    let well = found(&dsn);
    assert_eq!(well["status"], "healthy", "{well}\n{}", bugsink.log());
    let (before, project) = dsn.rsplit_once('/').unwrap();
    let (scheme, key) = before.split_once("://").unwrap();
    let (_, host) = key.split_once('@').unwrap();
    let stranger = found(&format!("{scheme}://{:032x}@{host}/{project}", 7));
    assert_eq!(stranger["status"], "unhealthy", "{stranger}");
    assert!(stranger["message"].as_str().unwrap().contains("does not accept the DSN"), "{stranger}");
    let full = found(&bugsink.dsn(&bugsink.project_without_quota()));
    assert_eq!(full["status"], "degraded", "{full}");
}
