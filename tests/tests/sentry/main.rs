//! What a server that checks each item sees of a program: its runs, its limits, its traces, and its end where panics abort.
#![cfg(unix)]

mod aborts;
mod limits;
mod runs;
mod traces;

use std::path::Path;

use obs_tests::process::Process;
use obs_tests::servers::SentryServer;

/// A run of the job, on the way to that server.
fn job(server: &SentryServer, way: &str) -> Process {
    watched(server, Process::new(Path::new(env!("CARGO_BIN_EXE_errors-job"))).args(&[way]))
}

/// A program, on the way to that server.
fn watched(server: &SentryServer, process: Process) -> Process {
    process
        .env("LOG_LEVEL", "off")
        .env("PROMETHEUS_PORT", "0")
        .env("ENVIRONMENT", "test")
        .env("SENTRY_ENABLED", "true")
        .env("SENTRY_DSN", server.dsn())
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("SENTRY_TRACES_SAMPLE_RATE", "0")
}
