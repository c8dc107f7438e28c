//! A job whose telemetry goes to an endpoint, and what it says of an exporter of OTLP.

use std::time::Duration;

use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::process::{Finished, Process};
use serde_json::Value;

/// The flush deadline of a [`job`]. It is long enough that a busy machine is not mistaken for a wait.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// A job that ends in this way and prints its status. Nothing is exported by OTLP unless further variables say so.
pub fn job(way: &str, endpoint: &str) -> Process {
    Process::new(env!("CARGO_BIN_EXE_ending"))
        .args(&[way])
        .env("LOG_LEVEL", "WARNING")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "10s")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
}

/// Runs the job with each faulty endpoint. It ends well and in time, warns of what to do, and its status knows of no success.
/// `check` is given the fault, the first warning and the status.
pub fn each_fault_is_warned_of(
    exporter: &str,
    job: impl Fn(&str) -> Process + Sync,
    check: impl Fn(&Fault, &str, &Value) + Sync,
) {
    let run_with = |fault: Fault| {
        let server = FaultyServer::start(fault.clone());
        let ended = job(&server.url("")).run();
        assert_eq!(ended.code(), Some(0), "{fault:?}: {ended:?}");
        let warnings = warnings(&ended, exporter);
        assert!(!warnings.is_empty(), "{fault:?}: {ended:?}");
        let status = status(&ended, exporter);
        assert!(status["last_success"].is_null() && status["failure"].is_string(), "{fault:?}: {status}");
        check(&fault, &warnings[0], &status);
        let limit = if fault.hangs() { 2 * DEADLINE } else { DEADLINE };
        assert!(ended.duration < limit, "{fault:?} took {:?}", ended.duration);
    };
    std::thread::scope(|scope| {
        for fault in Fault::all() {
            let run_with = &run_with;
            scope.spawn(move || run_with(fault));
        }
    });
}

/// Whether a warning names the variable to change, or the server.
pub fn says_what_to_do(warning: &str) -> bool {
    warning.contains("OTEL_EXPORTER_OTLP_") || warning.contains("server")
}

/// The status of the exporter, from the line that the job prints.
pub fn status(ended: &Finished, exporter: &str) -> Value {
    let line =
        ended.stdout.lines().find_map(|line| line.strip_prefix("status ")).unwrap_or_else(|| panic!("{ended:?}"));
    let status: Value = serde_json::from_str(line).unwrap();
    status["sinks"].as_array().unwrap().iter().find(|sink| sink["name"] == exporter).cloned().unwrap()
}

/// The lines that name the exporter.
pub fn warnings(ended: &Finished, exporter: &str) -> Vec<String> {
    let messages = ended.log().into_iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned());
    messages.filter(|message| message.contains(exporter)).collect()
}
