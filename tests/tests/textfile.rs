//! The textfile: sums over runs and concurrent writers, damaged files and failing folders.

use std::os::unix::fs::symlink;
use std::path::Path;

use obs_tests::exposition::Samples;
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

fn textfile(folder: &Path) -> Samples {
    Samples::read(&folder.join("job.prom"))
}

#[test]
fn eight_concurrent_writers_lose_and_duplicate_nothing() {
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
    let textfile = textfile(folder.path());
    let total = f64::from(WRITERS * RUNS * 100);
    for name in [
        "operation_success_total",
        "operation_duration_seconds_count",
        "short_lived_rows_total",
        "short_lived_batch_rows_count",
    ] {
        assert_eq!(textfile.sum(name, &[]), Some(total), "{name}");
    }
    assert_eq!(textfile.sum("cli_command_success_total", &[]), Some(f64::from(WRITERS * RUNS)));
    // 0 + 1 + … + 99 for each run.
    assert_eq!(textfile.sum("short_lived_batch_rows_sum", &[]), Some(f64::from(WRITERS * RUNS * 4950)));
}

#[test]
fn a_damaged_file_is_renamed_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
    let file = folder.path().join("job.prom");
    let whole = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let ended = run(folder.path());
    assert_eq!(ended.stderr.matches("was damaged").count(), 1, "{ended:?}");
    assert_eq!(textfile(folder.path()).sum("operation_success_total", &[]), Some(100.0));
    let kept = std::fs::read_to_string(folder.path().join("job.prom.damaged")).unwrap();
    assert_eq!(kept, whole[..whole.len() / 2], "its content is kept");
    assert_eq!(run(folder.path()).stderr, "");
}

#[test]
fn a_full_disk_leaves_the_old_file_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
    symlink(full_disk(), folder.path().join("job.prom.tmp")).unwrap();
    let ended = run(folder.path());
    assert_eq!(ended.stderr.matches("failed to flush exporter textfile").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("PROMETHEUS_TEXTFILE_DIR") && ended.stderr.contains("No space left"), "{ended:?}");
    // The flush of the command fails and removes the incomplete file, so the flush of the guard succeeds.
    assert_eq!(textfile(folder.path()).sum("operation_success_total", &[]), Some(200.0));
}

#[test]
fn a_read_only_folder_is_warned_of_once_and_the_job_succeeds() {
    let ended = run(read_only_folder());
    assert_eq!(ended.stderr.matches("failed to flush exporter textfile").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("PROMETHEUS_TEXTFILE_DIR") && ended.stderr.contains("fdinfo"), "{ended:?}");
}
