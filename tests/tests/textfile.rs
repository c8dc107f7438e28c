//! The textfile adds up over runs, whoever writes it at the same time, and outlives what is wrong with its folder.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;

use obs_tests::faults::{full_disk, read_only_folder};
use obs_tests::process::{Finished, Process};

const WRITERS: u32 = 8;
const RUNS: u32 = 100;

fn job(folder: &Path) -> Process {
    Process::new(env!("CARGO_BIN_EXE_short-lived"))
        .args(&["return"])
        .env("SERVICE_NAME", "job")
        .env("LOG_LEVEL", "WARNING")
        .env("METRICS_ENABLED", "true")
        .env("PROMETHEUS_PORT", "0")
        .env("PROMETHEUS_TEXTFILE_DIR", folder)
        .env("OBS_FLUSH_TIMEOUT", "50s")
}

fn run(folder: &Path) -> Finished {
    let ended = job(folder).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    ended
}

/// The sums of the textfile's metrics.
fn sums(folder: &Path) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(folder.join("job.prom")).unwrap();
    let mut sums = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        *sums.entry(series.split('{').next().unwrap().to_owned()).or_default() += value.parse::<f64>().unwrap();
    }
    sums
}

#[test]
fn eight_processes_that_write_at_once_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                for _ in 0..RUNS {
                    let ended = run(folder.path());
                    assert_eq!(ended.stderr, "", "{ended:?}");
                }
            });
        }
    });
    let sums = sums(folder.path());
    let total = f64::from(WRITERS * RUNS * 100);
    for name in [
        "operation_success_total",
        "operation_duration_seconds_count",
        "short_lived_rows_total",
        "short_lived_batch_rows_count",
    ] {
        assert_eq!(sums.get(name), Some(&total), "{name}");
    }
    assert_eq!(sums["cli_command_success_total"], f64::from(WRITERS * RUNS));
    // 0 + 1 + … + 99 in each run.
    assert_eq!(sums["short_lived_batch_rows_sum"], f64::from(WRITERS * RUNS * 4950));
}

#[test]
fn a_damaged_file_is_set_aside_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
    let file = folder.path().join("job.prom");
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let ended = run(folder.path());
    assert_eq!(ended.stderr.matches("was damaged").count(), 1, "{ended:?}");
    assert_eq!(sums(folder.path())["operation_success_total"], 100.0);
    let kept = std::fs::read_to_string(folder.path().join("job.prom.damaged")).unwrap();
    assert_eq!(kept, whole[..whole.len() / 2], "nothing of it is lost");
    assert_eq!(run(folder.path()).stderr, "");
}

#[test]
fn a_full_disk_leaves_the_old_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
    symlink(full_disk(), folder.path().join("job.prom.tmp")).unwrap();
    let ended = run(folder.path());
    assert_eq!(ended.stderr.matches("failed to flush exporter textfile").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("PROMETHEUS_TEXTFILE_DIR") && ended.stderr.contains("No space left"), "{ended:?}");
    // The command's flush has met the full disk, and removed what was half written; the guard's has not.
    assert_eq!(sums(folder.path())["operation_success_total"], 200.0);
}

#[test]
fn a_read_only_folder_is_told_of_once_and_harms_nobody() {
    let ended = run(read_only_folder());
    assert_eq!(ended.stderr.matches("failed to flush exporter textfile").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("PROMETHEUS_TEXTFILE_DIR") && ended.stderr.contains("fdinfo"), "{ended:?}");
}
