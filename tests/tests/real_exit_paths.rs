//! Promise 2 against real servers: however a job of a few milliseconds ends, its metrics arrive completely and once.

use std::os::unix::process::ExitStatusExt;

use obs_tests::exposition::Samples;
use obs_tests::process::Process;
use obs_tests::servers::{Pushgateway, StatsdExporter};

/// How the job ends, and the exit code or signal of the process.
const WAYS: [(&str, Result<i32, i32>); 8] = [
    ("return", Ok(0)),
    ("error", Ok(1)),
    ("panic", Ok(101)),
    ("exit", Ok(7)),
    ("process-exit", Ok(7)),
    ("thread-exit", Ok(7)),
    ("TERM", Err(15)),
    ("INT", Err(2)),
];

const RUNS: usize = 20;

/// The metrics of one run and their sums.
const COUNTED: [(&str, f64); 4] = [
    ("operation_success_total", 100.0),
    ("operation_duration_seconds_count", 100.0),
    ("short_lived_rows_total", 100.0),
    ("short_lived_batch_rows_count", 100.0),
];

#[test]
fn no_exit_path_of_a_short_job_loses_or_duplicates_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Pushgateway::start();
    let exporter = StatsdExporter::start(folder.path());
    let program = env!("CARGO_BIN_EXE_short-lived");
    for (way, end) in WAYS {
        for run in 0..RUNS {
            let job = format!("{way}-{run}");
            let ended = Process::new(program)
                .args(&[way])
                .env("SERVICE_NAME", &job)
                .env("LOG_LEVEL", "WARNING")
                .env("PROMETHEUS_PORT", "0")
                .env("PROMETHEUS_TEXTFILE_DIR", folder.path())
                .env("PROMETHEUS_PUSHGATEWAY_URL", gateway.url())
                .env("OBS_FLUSH_TIMEOUT", "30s")
                .env("DATADOG_ENABLED", "true")
                .env("DD_DOGSTATSD_URL", format!("unix://{}", exporter.socket().display()))
                .run();
            let status = ended.status.code().ok_or(ended.status.signal().unwrap_or_default());
            assert_eq!(status, end, "{job}: {ended:?}");
            assert!(!ended.stderr.contains("failed to flush"), "{job}: {ended:?}");
            let textfile = Samples::read(&folder.path().join(format!("{job}.prom")));
            for (name, expected) in COUNTED {
                assert_eq!(textfile.sum(name, &[]), Some(expected), "{job}: {name} in the textfile");
            }
        }
    }
    // The exporter reads packets in order, so the last run arrives last.
    exporter.wait_for("operation_success", &[("service", &*format!("INT-{}", RUNS - 1))], 100.0);
    let (pushed, sent) = (gateway.samples(), exporter.samples());
    for (way, _) in WAYS {
        for run in 0..RUNS {
            let job = format!("{way}-{run}");
            for (name, expected) in COUNTED {
                assert_eq!(pushed.sum(name, &[("job", &job)]), Some(expected), "{job}: {name} in the Pushgateway");
            }
            let service = [("service", &*job)];
            for name in ["operation_success", "operation_duration_seconds_count"] {
                assert_eq!(sent.sum(name, &service), Some(100.0), "{job}: {name} in statsd_exporter");
            }
        }
    }
    assert_eq!(exporter.errors(), []);
}
