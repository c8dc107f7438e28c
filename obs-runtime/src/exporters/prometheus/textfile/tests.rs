use std::borrow::Cow;

use tempfile::TempDir;

use super::*;
use crate::base::clock;
use crate::metrics::catalogue;
use crate::metrics::catalogue::Family;
use crate::metrics::snapshot::{Labels, Snapshot, SnapshotBuilder};

const CONSTANT: [(&str, &str); 2] = [("service", "etl"), ("environment", "test")];

fn soon() -> Instant {
    clock::deadline(Instant::now(), Duration::from_secs(10))
}

fn labels(labels: &[(&'static str, &str)]) -> Labels {
    labels.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned((*value).to_owned()))).collect()
}

fn exposed(snapshot: Snapshot) -> Exposition {
    Exposition::new(snapshot, &CONSTANT)
}

fn numbers(numbers: &[(&'static Family, &str, f64)]) -> Snapshot {
    let mut builder = SnapshotBuilder::default();
    for (family, value, number) in numbers {
        builder.number(family, labels(&[(family.labels[0], value)]), *number);
    }
    builder.finish()
}

fn durations(counts: &[(usize, u64)], sum: f64) -> Snapshot {
    let mut all = vec![0; catalogue::SECONDS.len() + 1];
    for &(bucket, count) in counts {
        all[bucket] = count;
    }
    let mut builder = SnapshotBuilder::default();
    builder.histogram(
        &catalogue::OPERATION_DURATION_SECONDS,
        labels(&[("operation", "load"), ("outcome", "ok")]),
        &all,
        sum,
    );
    builder.finish()
}

fn success(number: f64) -> Snapshot {
    numbers(&[(&catalogue::OPERATION_SUCCESS, "load", number)])
}

/// The lines of the file that begin so.
fn lines(file: &Textfile, beginning: &str) -> Vec<String> {
    let text = fs::read_to_string(file.path()).unwrap();
    text.lines().filter(|line| line.starts_with(beginning)).map(str::to_owned).collect()
}

const SUCCESS: &str = r#"operation_success_total{operation="load",service="etl",environment="test"}"#;

#[test]
fn counters_of_runs_are_added_up_and_a_flush_adds_only_the_growth() {
    let folder = TempDir::new().unwrap();
    let first = Textfile::new(folder.path().join("made/if/missing"), "etl");
    first.write(exposed(success(3.0)), soon()).unwrap();
    first.write(exposed(success(3.0)), soon()).unwrap();
    first.write(exposed(success(5.0)), soon()).unwrap();
    assert_eq!(lines(&first, "operation_success"), [format!("{SUCCESS} 5")]);

    let second = Textfile::new(folder.path().join("made/if/missing"), "etl");
    second.write(exposed(success(0.5)), soon()).unwrap();
    assert_eq!(lines(&second, "operation_success"), [format!("{SUCCESS} 5.5")]);
}

#[test]
fn histograms_are_added_up_bucket_by_bucket() {
    let folder = TempDir::new().unwrap();
    for sum in [1.5, 2.25] {
        let file = Textfile::new(folder.path(), "etl");
        file.write(exposed(durations(&[(0, 1), (29, 1)], sum)), soon()).unwrap();
        file.write(exposed(durations(&[(0, 2), (3, 4), (29, 1)], sum * 2.0)), soon()).unwrap();
    }
    let file = Textfile::new(folder.path(), "etl");
    let (first, last) = (r#"le="0.005"} 4"#, r#"le="+Inf"} 14"#);
    let buckets = lines(&file, "operation_duration_seconds_bucket");
    assert_eq!(buckets.len(), 15);
    assert!(buckets[0].ends_with(first) && buckets[14].ends_with(last), "{buckets:?}");
    assert!(lines(&file, "operation_duration_seconds_sum")[0].ends_with(" 7.5"));
    assert!(lines(&file, "operation_duration_seconds_count")[0].ends_with(" 14"));
}

#[test]
fn changed_buckets_lose_no_observation() {
    let folder = TempDir::new().unwrap();
    let file = Textfile::new(folder.path(), "etl");
    let old = "# HELP operation_duration_seconds h\n# TYPE operation_duration_seconds histogram\n".to_owned()
        + "operation_duration_seconds_bucket{operation=\"load\",outcome=\"ok\",le=\"0.007\"} 2\n"
        + "operation_duration_seconds_bucket{operation=\"load\",outcome=\"ok\",le=\"+Inf\"} 3\n"
        + "operation_duration_seconds_sum{operation=\"load\",outcome=\"ok\"} 9\n"
        + "operation_duration_seconds_count{operation=\"load\",outcome=\"ok\"} 3\n"
        + END;
    fs::write(file.path(), old).unwrap();
    file.write(Exposition::new(durations(&[(0, 1)], 1.0), &[]), soon()).unwrap();
    let buckets = lines(&file, "operation_duration_seconds_bucket");
    assert!(buckets[0].ends_with("le=\"0.005\"} 1") && buckets[1].ends_with("le=\"0.025\"} 3"), "{buckets:?}");
    assert!(buckets[13].ends_with("} 3") && buckets[14].ends_with("} 4"), "{buckets:?}");
}

#[test]
fn gauges_are_replaced() {
    let folder = TempDir::new().unwrap();
    let gauge = |check: &str, value| numbers(&[(&catalogue::DATA_QUALITY_CHECK_VALUE, check, value)]);
    for (check, value) in [("nulls", 7.0), ("twins", 1.0), ("nulls", 2.0)] {
        Textfile::new(folder.path(), "etl").write(exposed(gauge(check, value)), soon()).unwrap();
    }
    let expected = [
        r#"data_quality_check_value{check="nulls",service="etl",environment="test"} 2"#,
        r#"data_quality_check_value{check="twins",service="etl",environment="test"} 1"#,
    ];
    assert_eq!(lines(&Textfile::new(folder.path(), "etl"), "data_quality_check_value"), expected);
}

#[test]
fn a_check_that_has_errored_loses_its_status() {
    let folder = TempDir::new().unwrap();
    let (status, errored) = (&catalogue::DATA_QUALITY_CHECK_STATUS, &catalogue::DATA_QUALITY_CHECK_ERRORED);
    let run = |series: &[(&'static Family, &str, f64)]| {
        Textfile::new(folder.path(), "etl").write(exposed(numbers(series)), soon()).unwrap();
        lines(&Textfile::new(folder.path(), "etl"), "data_quality_check_status{").len()
    };
    assert_eq!(run(&[(status, "nulls", 1.0), (errored, "nulls", 0.0), (status, "twins", 1.0)]), 2);
    assert_eq!(run(&[(errored, "nulls", 0.0)]), 2, "a run without the check");
    assert_eq!(run(&[(errored, "nulls", 1.0)]), 1);
    assert_eq!(run(&[(errored, "nulls", 1.0), (status, "nulls", 0.0)]), 2, "it has run again since it errored");
}

#[test]
fn nothing_grows_with_deploys() {
    let folder = TempDir::new().unwrap();
    let file = Textfile::new(folder.path(), "etl");
    for version in ["1", "2", "3"] {
        let mut builder = SnapshotBuilder::default();
        builder.number(&catalogue::OBS_BUILD_INFO, labels(&[("version", version), ("commit", "c")]), 1.0);
        Textfile::new(folder.path(), "etl").write(exposed(builder.finish()), soon()).unwrap();
    }
    let other = Exposition::new(numbers(&[(&catalogue::OBS_BUILD_INFO, "9", 1.0)]), &[("service", "x")]);
    Textfile::new(folder.path(), "etl").write(other, soon()).unwrap();
    let expected = [
        r#"obs_build_info{version="3",commit="c",service="etl",environment="test"} 1"#,
        r#"obs_build_info{version="9",service="x"} 1"#,
    ];
    assert_eq!(lines(&file, "obs_build_info{"), expected, "one for each service and environment");
    assert!(lines(&file, "# HELP").is_empty());
}

#[test]
fn the_versions_of_an_earlier_layout_are_added_up_once() {
    let folder = TempDir::new().unwrap();
    let file = Textfile::new(folder.path(), "etl");
    let duration = |success: bool, version: u8| {
        let labels =
            format!(r#"command="load",success="{success}",service="etl",environment="test",version="{version}""#);
        format!(
            "cli_command_duration_seconds_bucket{{{labels},le=\"1\"}} 2\n\
             cli_command_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 3\n\
             cli_command_duration_seconds_sum{{{labels}}} 9\n\
             cli_command_duration_seconds_count{{{labels}}} 3\n"
        )
    };
    let earlier = [
        "# HELP cli_command_duration_seconds h\n# TYPE cli_command_duration_seconds histogram\n".to_owned(),
        duration(false, 1) + &duration(true, 1) + &duration(true, 2),
        "# HELP operation_success_total h\n# TYPE operation_success_total counter\n".to_owned(),
        r#"operation_success_total{operation="load",service="etl",environment="test",version="1.0",tag_version="x"} 7"#
            .to_owned()
            + "\n",
        r#"operation_success_total{operation="load",service="etl",environment="test",version="1.0"} 40"#.to_owned()
            + "\n",
        r#"operation_success_total{operation="load",service="etl",environment="test",version="1.1"} 2"#.to_owned()
            + "\n",
    ];
    fs::write(file.path(), earlier.concat() + END).unwrap();
    for _ in 0..2 {
        Textfile::new(folder.path(), "etl").write(exposed(success(1.0)), soon()).unwrap();
    }
    let tagged = SUCCESS.replace('}', r#",tag_version="x"} 7"#);
    assert_eq!(lines(&file, "operation_success"), [format!("{SUCCESS} 44"), tagged]);
    let counts = lines(&file, "cli_command_duration_seconds_count");
    let count = |outcome: &str, count: u32| {
        format!(
            r#"cli_command_duration_seconds_count{{command="load",outcome="{outcome}",service="etl",environment="test"}} {count}"#
        )
    };
    assert_eq!(counts, [count("error", 3), count("ok", 6)]);
    assert!(!fs::read_to_string(file.path()).unwrap().contains(" h\n"), "HELP lines are gone");
}

#[test]
fn other_metrics_in_the_file_are_kept() {
    let folder = TempDir::new().unwrap();
    let hostile = "a\\b\"c\nd,le=\"0.5\"} 1 é";
    let snapshot = numbers(&[
        (&catalogue::OPERATION_ERROR, hostile, 0.1 + 0.2),
        (&catalogue::CLI_COMMAND_LAST_EXIT_CODE, hostile, f64::NAN),
        (&catalogue::BIGQUERY_TOTAL_COST_USD, hostile, 1e300),
    ]);
    let file = Textfile::new(folder.path(), "etl");
    file.write(exposed(snapshot), soon()).unwrap();
    let before = fs::read_to_string(file.path()).unwrap();
    assert!(before.contains("0.30000000000000004") && before.contains("NaN") && before.contains("1e300"), "{before}");
    Textfile::new(folder.path(), "etl").write(exposed(Snapshot::default()), soon()).unwrap();
    assert_eq!(fs::read_to_string(file.path()).unwrap(), before);
}

#[test]
fn values_before_the_start_are_not_added() {
    let folder = TempDir::new().unwrap();
    let file = Textfile::new(folder.path(), "etl");
    file.start_from(exposed(success(40.0)));
    file.write(exposed(success(42.0)), soon()).unwrap();
    assert_eq!(lines(&file, "operation_success"), [format!("{SUCCESS} 2")]);
}

#[test]
fn values_that_are_not_finite_are_not_added() {
    let folder = TempDir::new().unwrap();
    for number in [2.0, f64::NAN, f64::INFINITY, 3.0] {
        Textfile::new(folder.path(), "etl").write(exposed(success(number)), soon()).unwrap();
    }
    assert_eq!(lines(&Textfile::new(folder.path(), "etl"), "operation_success"), [format!("{SUCCESS} 5")]);
}

#[test]
fn a_damaged_file_is_renamed_and_reported() {
    let folder = TempDir::new().unwrap();
    let file = Textfile::new(folder.path(), "etl");
    file.write(exposed(durations(&[(0, 1)], 1.0)), soon()).unwrap();
    let whole = fs::read(file.path()).unwrap();
    let gauge = b"# HELP operation_success_total h\n# TYPE operation_success_total gauge\n# EOF\n";
    let twice = [&whole[..whole.len() - END.len()], &whole].concat();
    let cases: [(&[u8], &str); 7] = [
        (b"", "truncated"),
        (&whole[..whole.len() / 2], "truncated"),
        (b"\xff\xfe# EOF\n", "not UTF-8"),
        (b"hello\n# EOF\n", "line 1: expected a TYPE line"),
        (b"# HELP a h\n# TYPE a counter\na{b=\"c} 1\n# EOF\n", "line 3: not a sample of a"),
        (gauge, "operation_success_total is a gauge in the file and a counter now"),
        (&twice, "line 19: duplicate metric"),
    ];
    for (index, (content, reason)) in cases.into_iter().enumerate() {
        fs::write(file.path(), content).unwrap();
        let error = Textfile::new(folder.path(), "etl").write(exposed(success(1.0)), soon()).unwrap_err();
        let TextfileError::Damaged { kept, reason: given, .. } = &error else { panic!("{error}") };
        assert_eq!(given, reason);
        let name = if index == 0 { "etl.prom.damaged".to_owned() } else { format!("etl.prom.{}.damaged", index + 1) };
        assert_eq!(kept, &folder.path().join(name));
        assert_eq!(fs::read(kept).unwrap(), content);
        assert_eq!(lines(&file, "operation_success"), [format!("{SUCCESS} 1")]);
    }
}

#[test]
fn a_lock_that_is_held_is_waited_for_until_the_deadline() {
    let folder = TempDir::new().unwrap();
    let file = Textfile::new(folder.path(), "etl");
    let lock = file.lock(soon()).unwrap();
    let begun = Instant::now();
    let error = file.write(exposed(success(1.0)), begun + Duration::from_millis(50)).unwrap_err();
    let TextfileError::Locked { pending: Some(pending), .. } = &error else { panic!("{error}") };
    assert!(begun.elapsed() >= Duration::from_millis(30), "some of the time is left for keeping the growth");
    assert!(pending.exists() && error.to_string().contains("the next run adds"), "{error}");
    drop(lock);
    // Also after this process has ended.
    Textfile::new(folder.path(), "etl").write(exposed(success(2.0)), soon()).unwrap();
    assert_eq!(lines(&file, "operation_success"), [format!("{SUCCESS} 3")]);
    file.write(exposed(success(1.0)), soon()).unwrap();
    assert_eq!(lines(&file, "operation_success"), [format!("{SUCCESS} 3")], "it was added already");
    assert!(!pending.exists());
}

#[test]
fn of_a_hundred_writers_at_once_that_do_not_wait_none_is_lost() {
    let folder = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                let result = Textfile::new(folder.path(), "etl").write(exposed(success(1.0)), Instant::now());
                assert!(matches!(result, Ok(_) | Err(TextfileError::Locked { pending: Some(_), .. })), "{result:?}");
            });
        }
    });
    let file = Textfile::new(folder.path(), "etl");
    assert_eq!(lines(&file, "operation_success"), [format!("{SUCCESS} 100")], "the last one adds what the others kept");
}

#[test]
fn a_folder_that_cannot_be_created_is_named() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = Textfile::new(folder.path().join("file/folder"), "etl")
        .write(Exposition::new(success(1.0), &[]), soon())
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("PROMETHEUS_TEXTFILE_DIR: cannot create the folder") && text.contains("file/folder"),
        "{text}"
    );
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let folder = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..25 {
                    Textfile::new(folder.path(), "etl").write(exposed(success(2.0)), soon()).unwrap();
                }
            });
        }
    });
    let file = Textfile::new(folder.path(), "etl");
    assert_eq!(lines(&file, "operation_success"), [format!("{SUCCESS} 400")]);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the file and its lock: {names:?}");
}

#[test]
fn a_services_name_becomes_a_safe_file_name() {
    let names = ["etl", "../../etc/passwd", "", "a b/ü", ".hidden"].map(safe_file_name);
    assert_eq!(names, ["etl", "_.._etc_passwd", "obs", "a_b__", "hidden"]);
    assert_eq!(safe_file_name(&"x".repeat(500)).len(), 100);
}

#[test]
fn series_that_no_run_updates_expire() {
    let folder = TempDir::new().unwrap();
    let day = Duration::from_hours(24);
    let file = || Textfile::new(folder.path(), "etl").with_expiry(Some(day));
    let both = numbers(&[(&catalogue::OPERATION_SUCCESS, "old", 1.0), (&catalogue::CLI_FEATURE_USAGE, "gone", 1.0)]);
    file().write(exposed(both), soon()).unwrap();
    file().write(exposed(success(3.0)), soon()).unwrap();
    assert_eq!(lines(&file(), "operation_success_total").len(), 2, "nothing is old yet");

    let ages = folder.path().join("etl.prom.touched");
    let older: String = fs::read_to_string(&ages)
        .unwrap()
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(seconds, series)| (seconds.parse::<u64>().unwrap() - 2 * day.as_secs(), series))
        .fold(String::new(), |text, (seconds, series)| text + &format!("{seconds}\t{series}\n"));
    fs::write(&ages, older + "not a line\n").unwrap();
    file().write(exposed(success(4.0)), soon()).unwrap();
    assert_eq!(lines(&file(), "operation_success_total"), [format!("{SUCCESS} 7")], "a run has had this one");
    assert!(lines(&file(), "# TYPE cli_feature_usage_total").is_empty(), "a metric without series is none");

    fs::remove_file(&ages).unwrap();
    file().write(exposed(numbers(&[(&catalogue::OPERATION_SUCCESS, "new", 1.0)])), soon()).unwrap();
    assert_eq!(lines(&file(), "operation_success_total{").len(), 2, "a series without a known time is kept");
}
