//! Readers of log lines: jq reads each of 10,000 hostile lines, and lnav its time and level (one test, because a process has one log
//! file); and other layouts by the definitions of their readers.

#[path = "log_readers/layouts.rs"]
mod layouts;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use obs_runtime::{Level, LogContext, LogOutput, Observability, with_error_tracking};
use obs_tests::tools::program;
use proptest::prelude::{Strategy, any, prop, prop_oneof};
use proptest::strategy::{Just, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

const LINES: usize = 10_000;

/// A value that may be hard to log.
#[derive(Clone, Debug)]
enum Hostile {
    Text(String),
    Bytes(Vec<u8>),
    Float(f64),
    Whole(i64),
    Huge(usize),
    Panics,
    Fails,
}

impl fmt::Display for Hostile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Bytes(bytes) => fmt::Debug::fmt(&path(bytes), formatter),
            Self::Float(number) => number.fmt(formatter),
            Self::Whole(number) => number.fmt(formatter),
            Self::Huge(length) => (0..*length / 8).try_for_each(|_| formatter.write_str("\u{7}\"\\\u{1f427}x")),
            Self::Panics => {
                formatter.write_str("half a")?;
                panic!("in Display")
            }
            Self::Fails => Err(fmt::Error),
        }
    }
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    OsStr::new(&*String::from_utf8_lossy(bytes)).into()
}

fn hostile() -> impl Strategy<Value = Hostile> {
    let controls = prop::collection::vec(
        prop_oneof![0..0x20_u32, 0x7f..0xa0_u32, 0x2028..0x202f_u32, 0xd7f0..0x1_0000_u32],
        0..20,
    );
    let controls = controls.prop_map(|codes| codes.into_iter().filter_map(char::from_u32).collect());
    prop_oneof![
        24 => any::<String>().prop_map(Hostile::Text),
        24 => controls.prop_map(Hostile::Text),
        8 => "[\\{\\}\\[\\]\"'\\\\,:\n\r\t ]{0,30}".prop_map(Hostile::Text),
        // Half a surrogate pair, as Windows and Java write it, and other invalid UTF-8.
        16 => prop::collection::vec(prop_oneof![any::<u8>(), Just(0xed), Just(0xa0), Just(0x80)], 0..30).prop_map(Hostile::Bytes),
        12 => any::<f64>().prop_map(Hostile::Float),
        8 => any::<i64>().prop_map(Hostile::Whole),
        4 => Just(Hostile::Panics),
        4 => Just(Hostile::Fails),
        1 => (60_000..70_000_usize).prop_map(Hostile::Huge),
    ]
}

/// The fields of each line, from a fixed seed.
fn values() -> impl Iterator<Item = (Hostile, Hostile, String)> {
    let generator = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), generator);
    let each = (hostile(), hostile(), any::<String>());
    let random = move |_| each.new_tree(&mut runner).expect("there are values").current();
    let huge = (Hostile::Huge(10 << 20), Hostile::Panics, "huge".to_owned());
    std::iter::once(huge).chain((1..LINES).map(random))
}

#[with_error_tracking(severity = "critical")]
fn fails_critically() -> Result<(), String> {
    Err("out of space".to_owned())
}

fn log(number: usize, first: &Hostile, second: &Hostile) {
    match number % 5 {
        0 => tracing::trace!(number, first = %first, level = %second, "{first}"),
        1 => tracing::debug!(number, first = %first, timestamp = %second, "line {number}"),
        2 => tracing::info!(number, first = %first, fields = %second, "line {number}"),
        3 => {
            let Hostile::Bytes(bytes) = second else {
                return tracing::warn!(number, float = f64::NAN, "line {number}");
            };
            tracing::warn!(number, path = ?path(bytes), first = %first, "line {number}");
        }
        _ => tracing::error!(number, first = %first, line = %second, r#type = "odd", "line {number}"),
    }
}

fn query(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(obs_tests::tools::program(&[program])).args(arguments).output().expect("it starts");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it writes UTF-8")
}

fn read_by_lnav(folder: &Path, file: &Path) -> Vec<Value> {
    let formats = folder.join("formats/obs");
    std::fs::create_dir_all(&formats).unwrap();
    std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/lnav/obs.json"), formats.join("obs.json")).unwrap();
    let select = ";select log_time, log_level, log_body, correlation_id from obs_log";
    let lnav = Command::new(program(&["lnav"]))
        .args(["-n", "-I"])
        .arg(folder)
        .args(["-c", select, "-c", ":write-json-to -"])
        .arg(file)
        .env("HOME", folder)
        .output()
        .expect("it starts");
    assert!(lnav.status.success() && lnav.stderr.is_empty(), "{}", String::from_utf8_lossy(&lnav.stderr));
    serde_json::from_slice(&lnav.stdout).unwrap()
}

#[test]
fn ten_thousand_hostile_lines_are_read_by_jq_and_lnav() {
    std::panic::set_hook(Box::new(|_| {}));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl");
    let guard = Observability::builder()
        .without_environment()
        .log_level(Level::Trace)
        .log_output(LogOutput::new(|_| Ok(())))
        .log_file(&file)
        // Nothing else logs, however long the test takes: a late flush would be a line.
        .metrics_enabled(false)
        .health_check_enabled(false)
        .flush_timeout(Duration::from_mins(1))
        .init()
        .unwrap();
    for (number, (first, second, name)) in values().enumerate() {
        let scope = LogContext::new().correlation_id(format!("run-{}", number / 100)).field(name.clone(), name);
        scope.scope(|| log(number, &first, &second));
    }
    assert!(fails_critically().is_err());
    drop(guard);
    // The panics of hostile values are over; those of assertions are printed.
    drop(std::panic::take_hook());

    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().all(|line| line.len() < 400_000));
    let jq = query("jq", &["-c", "[.number, .level, .timestamp, .correlation_id]", &file.to_string_lossy()]);
    let mut lines: Vec<Value> = jq.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let others = text.lines().filter(|line| !line.contains("\"number\":")).collect::<Vec<_>>();
    assert_eq!(lines.len(), LINES + 1, "{others:?}");
    for (number, line) in lines[..LINES].iter().enumerate() {
        let level = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"][number % 5];
        assert_eq!((line[0].as_u64(), line[1].as_str()), (Some(number as u64), Some(level)), "{line}");
        assert_eq!(line[3], format!("run-{}", number / 100));
    }
    assert_eq!(lines[LINES][1], "CRITICAL");

    // lnav sorts by time, which can go backwards.
    lines.sort_by(|left, right| left[2].as_str().cmp(&right[2].as_str()));
    let rows = read_by_lnav(folder.path(), &file);
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(&lines) {
        let (level, time) = (line[1].as_str().unwrap(), line[2].as_str().unwrap());
        assert_eq!(row["log_level"].as_str().unwrap(), level.to_lowercase(), "{row} {line}");
        // lnav shows milliseconds.
        assert_eq!(row["log_time"].as_str().unwrap(), time[..23].replace('T', " "), "{row} {line}");
        assert_eq!(row["correlation_id"], line[3]);
    }
}
