//! Promise 2 against real servers: a job of a few milliseconds, ended in every way, is there whole: nothing is missing and
//! nothing is there twice.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use obs_tests::process::Process;
use obs_tests::servers::pushgateway::{Pushgateway, sum};
use obs_tests::servers::{StatsdExporter, statsd_exporter};

/// The ways, each with the exit code or the signal that the process ends by.
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

/// What a run counts: every metric and its sum.
const COUNTED: [(&str, f64); 4] = [
    ("operation_success_total", 100.0),
    ("operation_duration_seconds_count", 100.0),
    ("short_lived_rows_total", 100.0),
    ("short_lived_batch_rows_count", 100.0),
];

/// The sums of a textfile's metrics.
fn sums(file: &Path) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut sums = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        *sums.entry(name.to_owned()).or_default() += value.parse::<f64>().unwrap();
    }
    sums
}

#[test]
fn a_short_lived_job_loses_nothing_and_doubles_nothing_however_it_ends() {
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
            let textfile = sums(&folder.path().join(format!("{job}.prom")));
            for (name, expected) in COUNTED {
                assert_eq!(textfile.get(name), Some(&expected), "{job}: {name} in the textfile");
            }
        }
    }
    // What was sent first is read first.
    exporter.wait_for("operation_success", &[("service", &*format!("INT-{}", RUNS - 1))], 100.0);
    let (pushed, sent) = (gateway.series(), exporter.series());
    for (way, _) in WAYS {
        for run in 0..RUNS {
            let job = format!("{way}-{run}");
            for (name, expected) in COUNTED {
                assert_eq!(sum(&pushed, &job, name), expected, "{job}: {name} in the Pushgateway");
            }
            let service = [("service", &*job)];
            for name in ["operation_success", "operation_duration_seconds_count"] {
                assert_eq!(statsd_exporter::sum(&sent, name, &service), 100.0, "{job}: {name} in statsd_exporter");
            }
        }
    }
    assert!(exporter.errors().is_empty(), "{:?}", exporter.errors());
}
