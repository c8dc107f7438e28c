//! Issues in Sentry, told by a real Bugsink that refuses what its schema does not allow, and by Sentry's own Relay.

mod checks;
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
    checks::whether_events_are_taken_is_known(&bugsink);
    checks::a_cost_over_its_threshold_is_a_message(&bugsink);
}
