//! The Sentry exporter against a server that checks every item: command runs, rate limits, traces and aborting panics.
#![cfg(unix)]

mod command_runs;
mod connections;
mod panic_abort;
mod precedence;
mod rate_limits;
mod rejections;
mod scenes;
mod spool;
mod stacks;
mod traces;

use std::path::Path;

use obs_tests::process::Process;
use obs_tests::servers::SentryServer;

/// A run of the job that reports to this server.
fn job(server: &SentryServer, way: &str) -> Process {
    reporting_to(server, Process::new(Path::new(env!("CARGO_BIN_EXE_errors-job"))).args(&[way]))
}

/// A program that reports to this server.
fn reporting_to(server: &SentryServer, process: Process) -> Process {
    process
        .env("LOG_LEVEL", "off")
        .env("PROMETHEUS_PORT", "0")
        .env("ENVIRONMENT", "test")
        .env("SENTRY_ENABLED", "true")
        .env("SENTRY_DSN", server.dsn())
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("SENTRY_TRACES_SAMPLE_RATE", "0")
}
