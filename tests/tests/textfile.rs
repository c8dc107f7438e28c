//! The textfile: sums over runs and concurrent writers, damaged files and failing folders.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use obs_tests::exposition::Samples;
use obs_tests::faults::read_only_folder;
use obs_tests::process::{Finished, Process};
use obs_tests::servers::Pushgateway;
use obs_tests::wait;

const WRITERS: u32 = 8;
const RUNS: u32 = 100;

fn job(folder: &Path) -> Process {
    configured(Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["return"]), folder)
}

fn configured(process: Process, folder: &Path) -> Process {
    process
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

/// Metrics of deliveries are there once one has ended.
fn is_of_deliveries(name: &str) -> bool {
    name.starts_with("obs_flush_") || name.starts_with("obs_last_")
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
fn every_user_can_read_the_file_and_take_its_lock_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    let shell = ["-c", "umask 077; exec \"$0\" return", env!("CARGO_BIN_EXE_short-lived")];
    let ended = configured(Process::new("sh").args(&shell), folder.path()).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("job.prom"), mode("job.prom.lock")), (0o644, 0o666));
}

#[test]
fn counters_are_zero_before_their_first_step_and_deploys_add_no_series() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
    let first = textfile(folder.path());
    for outcome in ["error", "panic", "cancelled"] {
        let labels = [("outcome", outcome), ("service", "job")];
        assert_eq!(first.sum("cli_command_failure_total", &labels), Some(0.0), "{outcome}");
        assert_eq!(first.sum("operation_failure_total", &labels), Some(0.0), "{outcome}");
        assert_eq!(first.sum("operation_duration_seconds_count", &[("outcome", outcome)]), None, "{outcome}");
    }
    for commit in ["a", "b", "c"] {
        assert_eq!(job(folder.path()).env("OBS_COMMIT", commit).run().code(), Some(0));
    }
    let names = |samples: &Samples| {
        let all = samples.clone().into_inner().into_keys().map(|(name, _)| name);
        all.filter(|name| !is_of_deliveries(name)).collect::<Vec<_>>()
    };
    assert_eq!(names(&textfile(folder.path())), names(&first));
    assert_eq!(textfile(folder.path()).values("obs_build_info", &[("commit", "c")]).collect::<Vec<_>>(), [1.0]);
    let text = std::fs::read_to_string(folder.path().join("job.prom")).unwrap();
    assert!(!text.contains("# HELP"), "{text}");
    assert!(text.lines().filter(|line| line.contains("version=\"")).all(|line| line.starts_with("obs_build_info")));
}

#[test]
fn a_small_job_has_at_most_300_samples_after_30_deploys() {
    let folder = tempfile::tempdir().unwrap();
    let samples = |deploy: usize| {
        // A command with a query, a check of data, a health check and two functions; two outcomes.
        let way = if deploy.is_multiple_of(2) { "ok" } else { "error" };
        let job = Process::new(env!("CARGO_BIN_EXE_alerted-job")).args(&[way]);
        let ended = configured(job, folder.path()).env("OBS_COMMIT", format!("{deploy:040x}")).run();
        assert_eq!(ended.code(), Some(i32::from(way == "error")), "{ended:?}");
        textfile(folder.path()).iter().filter(|((name, _), _)| !is_of_deliveries(name)).count()
    };
    let counts: Vec<_> = (0..30).map(samples).collect();
    assert!(counts[29] <= 300, "{counts:?}");
    assert_eq!(counts[2..], [counts[1]; 28], "nothing grows with deploys");
    let all = textfile(folder.path()).iter().count();
    assert!(all <= 300, "{all}");
}

#[test]
fn a_run_that_was_killed_is_known_by_its_start() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
    let before = textfile(folder.path());
    assert_eq!(before.value("cli_command_running", &[]), Some(0.0));
    assert_eq!(before.value("cli_command_last_exit_code", &[]), Some(0.0));
    let hanging = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["hang"]);
    let running = configured(hanging, folder.path()).start();
    running.wait_for_output("its start", |line| (line == "ready").then_some(()));
    wait::until_true("the start is in the textfile", || {
        textfile(folder.path()).value("cli_command_started_total", &[]) == Some(2.0)
    });
    running.signal("KILL");
    assert_eq!(running.finish().code(), None);
    let after = textfile(folder.path());
    let value = |name: &str| after.value(name, &[("command", "short-lived")]);
    assert_eq!((value("cli_command_running"), value("cli_command_last_exit_code")), (Some(1.0), Some(-1.0)));
    let last = |samples: &Samples| samples.value("cli_command_last_start_timestamp_seconds", &[]);
    assert!(last(&after) > last(&before), "{after:?}");
    assert_eq!(
        value("cli_command_last_success_timestamp_seconds"),
        before.value("cli_command_last_success_timestamp_seconds", &[]),
        "the last success stays"
    );
}

#[test]
fn failures_are_counted_over_runs_until_a_success() {
    let folder = tempfile::tempdir().unwrap();
    for (way, failures) in [("error", 1.0), ("panic", 2.0), ("return", 0.0), ("error", 1.0), ("error", 2.0)] {
        let ended = configured(Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&[way]), folder.path()).run();
        let counted = textfile(folder.path()).value("cli_command_consecutive_failures", &[]);
        assert_eq!(counted, Some(failures), "after {way}: {ended:?}");
    }
}

#[test]
fn a_textfile_that_cannot_be_written_is_told_by_the_pushgateway() {
    let gateway = Pushgateway::start();
    let ended = job(read_only_folder()).env("PROMETHEUS_PUSHGATEWAY_URL", gateway.url()).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let samples = gateway.samples();
    assert!(samples.value("obs_flush_failed_total", &[("sink", "textfile")]) > Some(0.0), "{samples:?}");
    assert_eq!(samples.sum("obs_flush_failed_total", &[("sink", "pushgateway")]), Some(0.0));
    assert_eq!(samples.sum("obs_dropped_total", &[]).unwrap_or_default(), 0.0, "nothing is lost yet");
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
    // A limit of 1 KiB acts like a full disk.
    let script = "ulimit -f 1; trap '' XFSZ; exec \"$0\" return";
    let job = Process::new("/bin/bash").args(&["-c", script, env!("CARGO_BIN_EXE_short-lived")]);
    let ended = configured(job, folder.path()).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr.matches("failed to flush exporter textfile").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("PROMETHEUS_TEXTFILE_DIR") && ended.stderr.contains("File too large"), "{ended:?}");
    assert_eq!(textfile(folder.path()).sum("operation_success_total", &[]), Some(100.0));
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.filter(|name| name.contains(".tmp")).count(), 0, "the incomplete files are removed");
    assert_eq!(run(folder.path()).stderr, "");
    assert_eq!(textfile(folder.path()).sum("operation_success_total", &[]), Some(200.0));
}

#[test]
fn a_read_only_folder_is_warned_of_once_and_the_job_succeeds() {
    let ended = run(read_only_folder());
    assert_eq!(ended.stderr.matches("failed to flush exporter textfile").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("PROMETHEUS_TEXTFILE_DIR") && ended.stderr.contains("fdinfo"), "{ended:?}");
}
