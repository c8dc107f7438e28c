//! Events as a real Bugsink, which rejects violations of its schema, and Sentry's own Relay get them.

mod checks;
mod event_fields;
mod exit_paths;
mod pairs;

use std::path::Path;
use std::time::Duration;

use obs_tests::process::{Finished, Process};
use obs_tests::servers::{Bugsink, Project};

/// The flush deadline of the job.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// A run of the job that reports to this DSN.
fn job(dsn: &str, way: &str) -> Process {
    let process = Process::new(Path::new(env!("CARGO_BIN_EXE_errors-job"))).args(&[way]);
    process
        .env("PROMETHEUS_PORT", "0")
        .env("SENTRY_ENABLED", "true")
        .env("SENTRY_DSN", dsn)
        .env("ENVIRONMENT", "test")
        .env("OBS_FLUSH_TIMEOUT", format!("{}s", FLUSH_TIMEOUT.as_secs()))
        .env("SENTRY_TRACES_SAMPLE_RATE", "0")
}

fn run(bugsink: &Bugsink, way: &str) -> (Finished, Project) {
    let project = bugsink.project();
    (job(&bugsink.dsn(&project), way).run(), project)
}

#[test]
fn bugsink_accepts_and_shows_all_events() {
    // One server for all tests, because it takes long to start.
    let bugsink = Bugsink::start();
    event_fields::events_have_all_their_fields(&bugsink);
    exit_paths::every_exit_path_sends_each_event_once(&bugsink);
    exit_paths::an_exhausted_quota_is_honoured(&bugsink);
    checks::the_health_check_detects_rejected_events(&bugsink);
    checks::a_cost_over_its_threshold_is_a_message(&bugsink);
    pairs::one_bug_is_one_issue_in_every_build(&bugsink);
}
