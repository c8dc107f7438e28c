//! Cost alerts, and the health check of the exporter.

use std::io::Write as _;

use obs_tests::process::Process;
use obs_tests::programs;
use obs_tests::servers::Bugsink;
use obs_tests::servers::scripted_bigquery::{Behaviour, ScriptedBigQuery};
use serde_json::json;

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
    // Each of the two calls exceeds the threshold.
    job.stdin.as_mut().unwrap().write_all(b"limited\nlimited\n").unwrap();
    let ended = job.finish();
    assert_eq!((ended.code(), ended.stdout.matches("ok 6.25").count()), (Some(0), 2), "{ended:?}");
    let events = bugsink.events(&project, 2);
    let messages: Vec<_> = events.iter().map(|event| (&event["logentry"]["message"], &event["level"])).collect();
    let expected = (&json!("limited costs 6.250000 USD, over its threshold of 5 USD"), &json!("warning"));
    assert_eq!(messages, [expected, expected], "{events:#?}");
}

pub fn the_health_check_detects_rejected_events(bugsink: &Bugsink) {
    let found = |dsn: &str| {
        let process = Process::new(programs::program("embedded"));
        let process = process.args(&["health", "--group", "telemetry", "--format", "json"]);
        let process = process.env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "off").env("SENTRY_ENABLED", "true");
        let report = process.env("SENTRY_DSN", dsn).run().json();
        report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "obs.sentry").unwrap().clone()
    };
    let dsn = bugsink.dsn(&bugsink.project());
    let healthy = found(&dsn);
    assert_eq!(healthy["status"], "healthy", "{healthy}\n{}", bugsink.log());
    let (before, project) = dsn.rsplit_once('/').unwrap();
    let (scheme, key) = before.split_once("://").unwrap();
    let (_, host) = key.split_once('@').unwrap();
    let unknown_key = found(&format!("{scheme}://{:032x}@{host}/{project}", 7));
    assert_eq!(unknown_key["status"], "unhealthy", "{unknown_key}");
    assert!(unknown_key["message"].as_str().unwrap().contains("rejects the DSN"), "{unknown_key}");
    let without_quota = found(&bugsink.dsn(&bugsink.project_without_quota()));
    assert_eq!(without_quota["status"], "degraded", "{without_quota}");
}
