//! Issues in Sentry, told by a real Bugsink that refuses what its schema does not allow, and by Sentry's own Relay.

mod endings;
mod shape;

use std::path::Path;

use obs_tests::process::{Finished, Process};
use obs_tests::servers::{Bugsink, Project};

/// A run of the job, on the way to that project.
fn job(dsn: &str, way: &str) -> Process {
    let process = Process::new(Path::new(env!("CARGO_BIN_EXE_errors-job"))).args(&[way]);
    process
        .env("PROMETHEUS_PORT", "0")
        .env("SENTRY_ENABLED", "true")
        .env("SENTRY_DSN", dsn)
        .env("ENVIRONMENT", "test")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("SENTRY_TRACES_SAMPLE_RATE", "0")
}

fn run(bugsink: &Bugsink, way: &str) -> (Finished, Project) {
    let project = bugsink.project();
    (job(&bugsink.dsn(&project), way).run(), project)
}

#[test]
fn a_real_bugsink_shows_what_happened() {
    // One server for all of it, as it takes long to start.
    let bugsink = Bugsink::start();
    shape::everything_is_on_the_event(&bugsink);
    endings::every_ending_sends_each_event_once(&bugsink);
    endings::a_used_up_quota_is_honoured(&bugsink);
    the_health_check_tells_whether_events_are_taken(&bugsink);
}

fn the_health_check_tells_whether_events_are_taken(bugsink: &Bugsink) {
    let found = |dsn: &str| {
        let program = obs_tests::programs::program("embedded");
        let process = Process::new(program).args(&["health", "--group", "telemetry", "--format", "json"]);
        let process = process.env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "off").env("SENTRY_ENABLED", "true");
        let ended = process.env("SENTRY_DSN", dsn).run();
        let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
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
