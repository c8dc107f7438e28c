//! `bq-query-cost` as a process: its output and exit codes.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use obs_tests::programs;

const CHEAP: &str = "SELECT word_count FROM `bigquery-public-data.samples.shakespeare`";
const LARGE: &str = "SELECT * FROM `bigquery-public-data.samples.gsod`";

fn command() -> Command {
    let mut command = Command::new(programs::program("bq-query-cost"));
    command.env_remove("COST_ALERT_THRESHOLD_USD").env_remove("BIGQUERY_USD_PER_TIB");
    command
}

fn run(args: &[&str]) -> Output {
    command().args(args).stdin(Stdio::null()).output().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn the_exit_code_is_0_within_the_limit() {
    let output = run(&[CHEAP]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("1,317,248 bytes"), "{}", out(&output));
    assert_eq!(err(&output), "");
}

#[test]
fn json_output_is_the_estimate() {
    let output = run(&["--format", "json", CHEAP]);
    let json: serde_json::Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!(json["processed_bytes"], 1_317_248);
    assert_eq!(json["billed_bytes"], 10_485_760);
    assert_eq!(json["figure"]["kind"], "exact");
    assert_eq!(json["usd_per_tib"], 6.25);
}

#[test]
fn a_query_can_be_read_from_a_file_or_standard_input() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(CHEAP.as_bytes()).unwrap();
    let from_argument = run(&[CHEAP]);
    let from_file = run(&["--file", file.path().to_str().unwrap()]);
    let mut command = command();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(CHEAP.as_bytes()).unwrap();
    let from_input = child.wait_with_output().unwrap();
    assert_eq!(out(&from_file), out(&from_argument));
    assert_eq!(out(&from_input), out(&from_argument));
}

#[test]
fn the_exit_code_is_3_over_the_limit() {
    let output = run(&["--max-usd", "0.01", LARGE]);
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("over the limit of $0.01"), "{}", err(&output));
    assert!(out(&output).contains("upper bound"), "{}", out(&output));
    let from_environment = command().env("COST_ALERT_THRESHOLD_USD", "0.01").arg(LARGE).output();
    assert_eq!(from_environment.unwrap().status.code(), Some(3));
    let mut given = command();
    given.env("COST_ALERT_THRESHOLD_USD", "0.01").args(["--max-usd", "5", LARGE]);
    assert_eq!(given.output().unwrap().status.code(), Some(0));
}

#[test]
fn the_price_comes_from_the_environment() {
    let output = command().env("BIGQUERY_USD_PER_TIB", "0").arg(LARGE).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("$0.000000 at $0 per TiB"), "{}", out(&output));
}

#[test]
fn the_price_is_that_of_the_location() {
    let priced = |location: &str| {
        let prices = "0,europe-west3=1000000";
        command().env("BIGQUERY_USD_PER_TIB", prices).args(["--location", location, LARGE]).output().unwrap()
    };
    assert_eq!(["US", "Europe-West3"].map(|location| priced(location).status.code()), [Some(0), Some(3)]);
    assert!(out(&priced("europe-west3")).contains("at $1000000 per TiB"), "{}", out(&priced("europe-west3")));
}

#[test]
fn in_an_edition_the_cost_is_unknown_and_the_bytes_are_not() {
    let in_edition = |args: &[&str]| command().env("BIGQUERY_PRICING", "edition").args(args).output().unwrap();
    let output = in_edition(&["--max-usd", "0.01", LARGE]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("BIGQUERY_PRICING is edition"), "{}", err(&output));
    assert!(out(&output).contains("processed ") && !out(&output).contains('$'), "{}", out(&output));
    let json: serde_json::Value = serde_json::from_str(out(&in_edition(&["--format", "json", LARGE]))).unwrap();
    assert_eq!(
        (&json["usd"], &json["pricing"], &json["within_limit"]),
        (&serde_json::Value::Null, &"edition".into(), &serde_json::Value::Null)
    );
    assert!(json["processed_bytes"].as_u64() > Some(0), "{json}");
}

#[test]
fn the_error_for_an_invalid_variable_names_it_and_what_is_allowed() {
    for variable in ["COST_ALERT_THRESHOLD_USD", "BIGQUERY_USD_PER_TIB"] {
        for value in ["a lot", "-1", "inf", "NaN"] {
            let output = command().env(variable, value).arg(CHEAP).output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let expected = format!("{variable}: `{value}` is not allowed; allowed: a number of US dollars");
            assert!(err(&output).contains(&expected), "{}", err(&output));
            assert_eq!(out(&output), "");
        }
    }
}

#[test]
fn the_exit_code_is_1_when_the_cost_is_unknown() {
    for (args, expected) in [
        (&["SELEC 1"][..], "cannot be parsed"),
        (&["SELECT x FROM `p.d.nowhere`"], "the cost of this query is unknown"),
        (&["SELECT nope FROM `bigquery-public-data.samples.gsod`"], "the cost of this query is unknown"),
        (&["--file", "nowhere.sql"], "nowhere.sql"),
        (&["--catalogue", "nowhere.json", CHEAP], "nowhere.json: cannot be read"),
        (&["--max-usd", "a lot", CHEAP], "what is allowed is a number"),
        (&["--no-such-option"], "--no-such-option"),
        (&[CHEAP, "--file", "x.sql"], "cannot be used with"),
        (&[], "0 statements"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(expected), "{args:?}: {}", err(&output));
    }
    let unknown = run(&["SELECT x FROM `p.d.nowhere`"]);
    assert!(out(&unknown).contains("not in the catalogue"), "{}", out(&unknown));
}

#[test]
fn help_exits_with_0() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).contains("--max-usd"), "{}", out(&output));
}

/// A table of two days, whose sizes were read on the second one.
const DAYS: &str = r#"{ "tables": [ { "name": "p.d.days", "as_of": "2026-01-10T12:00:00Z", "rows": 2000000000, "partition_column": "day",
    "partitions": [ { "id": "20260109", "rows": 1000000000, "bytes": 16000000000 }, { "id": "20260110", "rows": 1000000000, "bytes": 16000000000 } ],
    "sources": { "rows": "made up", "columns": "made up" },
    "columns": [ { "name": "day", "type": "DATE", "mode": "REQUIRED" }, { "name": "v", "type": "INT64", "mode": "REQUIRED" } ] } ] }"#;

#[test]
fn days_after_the_catalogue_are_not_free() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tables.json");
    std::fs::write(&file, DAYS).unwrap();
    let run = |args: &[&str]| {
        let mut all = vec!["--catalogue", file.to_str().unwrap(), "--max-usd", "0.001", "--project", "p"];
        all.extend(args);
        run(&all)
    };
    let later = run(&["--now", "2026-01-21", "SELECT v FROM p.d.days WHERE day = '2026-01-20'"]);
    assert_eq!(later.status.code(), Some(3), "{}", out(&later));
    assert!(out(&later).contains("16,000,000,000 bytes"), "{}", out(&later));
    for said in ["1 partitions of p.d.days may be newer than the catalogue", "2026-01-10T12:00:00Z, 10 days ago"] {
        assert!(out(&later).contains(said), "{said}: {}", out(&later));
    }
    let before = run(&["--now", "2026-01-21", "SELECT v FROM d.days WHERE day = '2026-01-01'"]);
    assert_eq!(before.status.code(), Some(0), "{}", err(&before));
    // The values of functions of the moment and of parameters.
    for (args, code) in [
        (&["--now", "2026-01-10T12:00:00Z", "SELECT v FROM d.days WHERE day = CURRENT_DATE() - 3"][..], 0),
        (&["--now", "2026-01-10T12:00:00Z", "SELECT v FROM d.days WHERE day = CURRENT_DATE() - 1"], 3),
        (&["--param", "day=2025-12-31", "SELECT v FROM d.days WHERE day = @day"], 0),
        (&["--param", "@day=2026-01-09", "SELECT v FROM d.days WHERE day = @day"], 3),
        // Sizes that are too old are not used.
        (&["--now", "2026-01-12", "--max-age", "7d", "SELECT v FROM d.days WHERE day = '2026-01-01'"], 0),
        (&["--now", "2026-02-12", "--max-age", "7d", "SELECT v FROM d.days WHERE day = '2026-01-01'"], 1),
        (&["--now", "tomorrow", "SELECT 1"], 1),
        (&["--param", "day", "SELECT 1"], 1),
    ] {
        let ended = run(args);
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {}{}", out(&ended), err(&ended));
    }
}
