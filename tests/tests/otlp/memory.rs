//! The memory of a process whose collector is dead.

use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::process::Process;

/// How much the peak may grow in KiB. The queue is full long before the first measurement.
const GROWTH: u64 = 8 * 1024;

#[test]
fn a_million_spans_that_nobody_takes_use_no_more_memory_than_some() {
    for fault in [Fault::Refuse, Fault::Hang] {
        let server = FaultyServer::start(fault.clone());
        let ended = Process::new(env!("CARGO_BIN_EXE_spans"))
            .args(&["flood"])
            .env("LOG_LEVEL", "ERROR")
            .env("PROMETHEUS_PORT", "0")
            .env("OBS_FLUSH_TIMEOUT", "100ms")
            .env("TRACING_ENABLED", "true")
            .env("TRACING_SAMPLE_RATE", "1")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url(""))
            .run();
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        let peaks = ended.stdout.lines().filter_map(|line| line.strip_prefix("peak ")?.parse().ok());
        let peaks: Vec<u64> = peaks.collect();
        let [some, all] = *peaks else { panic!("{ended:?}") };
        assert!(some > 0 && all <= some + GROWTH, "{fault:?}: {peaks:?}");
    }
}
