//! Keys of failing rows that are kept in a table or a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use obs_runtime::tables::{SqliteTable, TableError, query, range, required_values, row_count, rows_where};
use obs_runtime::testing::capture;
use obs_runtime::{LogContext, Measured, QualityCheck, QualityStatus, run_dq_checks};
use obs_tests::corpus;
use rusqlite::Connection;

use super::{file, now};

const NUMBERS: &str = "
CREATE TABLE numbers AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
    SELECT i AS id, i % 10 AS value, 'person' || i || '@example.com' AS email FROM n;
CREATE TABLE other (id INTEGER);";

/// What is kept in a table of the database at this path: run, check, table and keys.
fn kept(path: &Path, name: &str) -> Vec<[String; 4]> {
    let connection = Connection::open(path).unwrap();
    let sql = format!("SELECT run_id, check_name, table_name, keys FROM {name} ORDER BY rowid");
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A table in a file whose path is known.
fn numbers() -> (PathBuf, SqliteTable) {
    let folder = tempfile::tempdir_in(file().parent().unwrap()).unwrap().keep();
    let path = folder.join("numbers.sqlite");
    Connection::open(&path).unwrap().execute_batch(NUMBERS).unwrap();
    (path.clone(), SqliteTable::new(path, "numbers"))
}

/// Runs the check under the name and the correlation id.
fn run(
    name: &'static str,
    id: &str,
    check: impl Fn() -> Result<Measured, TableError> + Send + Sync + 'static,
) -> obs_runtime::QualityResult {
    let registered = QualityCheck::new(name, check).dataset("stores").fail_above(0.05).register();
    let report = LogContext::new().correlation_id(id).scope(|| run_dq_checks().only([name]).wait());
    registered.unregister();
    report.results.into_iter().next().unwrap()
}

#[test]
fn keys_are_kept_in_a_table_with_their_run_and_the_oldest_runs_go() {
    let (path, numbers) = numbers();
    let check = move |limit: i64| {
        let numbers = numbers.clone();
        move || now(range(&numbers, "value", ..limit).keys(["id", "email"]).store("dq_failures", 45).measure())
    };
    let first = run("kept", "run-1", check(8));
    assert_eq!((first.status, first.count, first.sample.len()), (QualityStatus::Failed, Some(20.0), 10), "{first:?}");
    assert_eq!(first.message.as_deref(), Some("20 keys kept in dq_failures, run run-1"));
    let rows = kept(&path, "dq_failures");
    assert_eq!(rows.len(), 20);
    let ids: BTreeSet<&str> = rows.iter().map(|[.., keys]| &**keys).collect();
    assert_eq!(ids.len(), 20, "each row has a key of its own");
    assert_eq!(rows[0], ["run-1", "kept", "numbers", "{\"email\":\"[REDACTED]\",\"id\":\"18\"}"]);

    let of = |name: &str| {
        let rows = kept(&path, "dq_failures");
        rows.into_iter().filter(|row| row[1] == name).map(|[run, ..]| run).collect::<Vec<_>>()
    };
    run("kept", "run-2", check(8));
    run("another", "run-2", check(8));
    assert_eq!(of("kept").len(), 40);
    // A check that passes keeps nothing.
    let passed = run("kept", "run-3", check(10));
    assert_eq!((passed.status, passed.message, of("kept").len()), (QualityStatus::Passed, None, 40));
    run("kept", "run-4", check(9));
    assert_eq!(of("kept"), [vec!["run-2"; 20], vec!["run-4"; 10]].concat());
    // More than are kept at all.
    run("kept", "run-5", check(4));
    assert_eq!(of("kept"), vec!["run-5"; 45]);
    assert_eq!(of("another"), vec!["run-2"; 20], "each check for itself");
}

#[test]
fn keys_are_kept_in_a_file() {
    let (path, numbers) = numbers();
    let lines = path.with_file_name("failures.jsonl");
    let store = lines.clone();
    let check = move || now(rows_where(&numbers, "value < 9").keys(["id"]).store(&*store, 15).measure());
    let first = run("filed", "run-1", check.clone());
    assert!(first.message.unwrap().starts_with("10 keys kept in /"));
    run("filed", "run-2", check);
    let text = std::fs::read_to_string(&lines).unwrap();
    let read: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read.len(), 10);
    assert!(read.iter().all(|line| line["run_id"] == "run-2" && line["check_name"] == "filed"), "{text}");
    assert_eq!((&read[0]["table_name"], &read[0]["keys"]["id"]), (&"numbers".into(), &"19".into()));
}

#[test]
fn what_cannot_be_kept_is_an_error_or_a_warning() {
    let (_, numbers) = numbers();
    for (check, why) in [
        (range(&numbers, "value", ..8).store("x", 9), "needs the keys"),
        (range(&numbers, "value", ..8).keys(["id"]).store("x", 0), "keeps nothing"),
        (row_count(&numbers).keys(["id"]).store("x", 9), "without failing rows"),
    ] {
        let error = now(check.measure()).unwrap_err();
        assert!(matches!(error, TableError::Unusable { .. }) && error.to_string().contains(why), "{error}");
    }
    // A table with other columns.
    let captured = capture(|| now(range(&numbers, "value", ..8).keys(["id"]).store("other", 9).measure()).unwrap());
    assert_eq!((captured.value.value, captured.value.message.as_deref()), (20.0, None));
    let warning = captured
        .records
        .logs
        .iter()
        .find(|line| line.message.contains("keeping its failing keys in other failed"))
        .unwrap();
    assert!(warning.message.contains("no column named run_id"), "{}", warning.message);
    let filed = captured.value.keys.len();
    assert_eq!(filed, 10, "the result has its keys all the same");
    // A query keeps its keys in the same database.
    let (path, numbers) = self::numbers();
    let high = query(&numbers, "SELECT id FROM numbers WHERE value > ?", [8]);
    now(rows_where(&high, "id < ?").with([0]).keys(["id"]).store("dq `x`", 99).measure()).unwrap();
    assert_eq!(kept(&path, "`dq ``x```").len(), 10);
}

#[test]
fn no_secret_is_kept_or_sampled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE notes (note TEXT)").unwrap();
    for sample in corpus::samples() {
        connection.execute("INSERT INTO notes VALUES (?)", [sample.text]).unwrap();
    }
    let mut names = Vec::<&str>::new();
    let values: Vec<&str> = corpus::NAMED
        .iter()
        .filter(|(name, _)| {
            let is_new = !names.iter().any(|other| other.eq_ignore_ascii_case(name));
            if is_new {
                names.push(name);
            }
            is_new
        })
        .map(|(_, value)| *value)
        .collect();
    let columns: Vec<String> = names.iter().map(|name| format!("\"{name}\" TEXT")).collect();
    connection.execute_batch(&format!("CREATE TABLE named ({})", columns.join(", "))).unwrap();
    let insert = format!("INSERT INTO named VALUES ({})", vec!["?"; values.len()].join(", "));
    connection.execute(&insert, rusqlite::params_from_iter(&values)).unwrap();

    let lines = folder.path().join("failures.jsonl");
    let mut shown = Vec::new();
    for (table, keys) in [("notes", vec!["note"]), ("named", names.clone())] {
        let table = SqliteTable::new(&path, table);
        let check = rows_where(&table, "FALSE").keys(keys);
        shown.push(format!("{:?}", now(check.clone().store("dq_failures", 10_000).measure()).unwrap()));
        shown.push(format!("{:?}", now(check.store(&*lines, 10_000).measure()).unwrap()));
    }
    let secret = SqliteTable::new(&path, "named");
    for (name, value) in names.iter().zip(&values) {
        let missing = required_values(&secret, *name, [format!("{value}-too")]);
        shown.push(format!("{:?}", now(missing.measure()).unwrap()));
    }
    let notes = SqliteTable::new(&path, "notes");
    for sample in corpus::samples() {
        let missing = required_values(&notes, "note", [format!("{} ", sample.text)]);
        shown.push(format!("{:?}", now(missing.measure()).unwrap()));
    }
    let stored = kept(&path, "dq_failures");
    assert_eq!(stored.len(), corpus::samples().count() + 1);
    shown.push(format!("{stored:?}"));
    shown.push(std::fs::read_to_string(&lines).unwrap());
    let shown = shown.join("\n");
    corpus::assert_nothing_left("the keys of failing rows", &shown);
    assert!(shown.contains(names[0]) && values.len() > 10, "{names:?}");
}
