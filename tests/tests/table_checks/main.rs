//! Ready-made checks of tables on `SQLite`: what they measure, how they are judged, and hostile names and values.

mod groups;
mod partitions;
mod samples;
#[cfg(target_os = "linux")]
mod sqlite;
mod stores;
mod values;

use std::future::Future;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use obs_runtime::tables::{
    SqliteTable, Table, TableError, TableValue, accepted_values, freshness, null_ratio, range, referential_integrity,
    row_count, schema_equality, uniqueness,
};
use obs_runtime::testing::capture;
use obs_runtime::{Measured, QualityStatus, Verdict, dq_check, run_dq_checks};
use rusqlite::Connection;

const ROWS: &str = "
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO customers VALUES (1, 'ada'), (2, 'ben'), (3, NULL);
CREATE TABLE orders (id INTEGER, customer INTEGER, state TEXT, amount REAL, at TEXT, seconds INTEGER, day DATE);
INSERT INTO orders VALUES
    (1, 1, 'open', 12.5, datetime('now', '-1 hour'), unixepoch() - 7200, '2026-11-25'),
    (2, 1, 'paid', -3,   datetime('now', '-2 hours'), unixepoch() - 9000, '2026-11-25'),
    (2, 9, 'lost', 0,    datetime('now', '-9 hours'), NULL, '2026-11-26'),
    (3, 8, 'ada@example.com', 1000.5, NULL, NULL, '2026-11-26'),
    (3, 8, NULL, NULL, NULL, NULL, '2026-11-26'),
    (3, NULL, 'paid', 5, NULL, NULL, NULL),
    (NULL, 2, 'paid', 6, NULL, NULL, NULL);
CREATE TABLE \"nothing\" (id INTEGER, at TEXT);
CREATE TABLE \"a `b\"\"; DROP TABLE orders; --\" (\"x`\"\" ]' y\" TEXT, \"select\" TEXT);
INSERT INTO \"a `b\"\"; DROP TABLE orders; --\" VALUES ('it''s', 'a'), (NULL, '?'), ('b\"`', NULL);
";

/// The databases that were made.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A database that exists while the tests of this process run.
fn file() -> PathBuf {
    static FILE: std::sync::LazyLock<(tempfile::TempDir, PathBuf)> = std::sync::LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("warehouse.sqlite");
        Connection::open(&file).unwrap().execute_batch(ROWS).unwrap();
        (folder, file)
    });
    FILE.1.clone()
}

fn table(name: &str) -> SqliteTable {
    SqliteTable::new(file(), name)
}

/// A table of that name in a database of its own, which exists while the tests of this process run.
fn database(name: &str, rows: &str) -> SqliteTable {
    let file = file().with_file_name(format!("{name}-{}.sqlite", COUNT.fetch_add(1, Ordering::Relaxed)));
    Connection::open(&file).unwrap().execute_batch(rows).unwrap();
    SqliteTable::new(file, name)
}

fn now<F: Future>(future: F) -> F::Output {
    futures_executor::block_on(future)
}

/// Seconds from a Unix time until now.
fn seconds_since(unix: f64) -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() - unix
}

#[test]
fn rows_nulls_and_duplicates_are_counted() {
    let orders = table("orders");
    assert_eq!(now(row_count(&orders).measure()).unwrap(), Measured::number(7.0));
    assert_eq!(now(row_count(&table("nothing")).measure()).unwrap(), Measured::number(0.0));
    assert_eq!(now(null_ratio(&orders, "customer").measure()).unwrap(), Measured::ratio(1, 7));
    assert_eq!(now(null_ratio(&table("nothing"), "id").measure()).unwrap(), Measured::ratio(0, 0));
    let repeated = now(uniqueness(&orders, ["id"]).sampled().measure()).unwrap();
    assert_eq!(repeated, Measured::ratio(3, 6).with_sample(["2", "3"]));
    assert_eq!(now(uniqueness(&orders, ["id", "customer"]).measure()).unwrap(), Measured::ratio(1, 5));
    assert_eq!(now(uniqueness(&table("customers"), ["id"]).sampled().measure()).unwrap(), Measured::ratio(0, 3));
}

#[test]
fn values_are_checked_against_a_list_a_range_and_another_table() {
    let orders = table("orders");
    let unknown = accepted_values(&orders, "state", ["open", "paid"]).sampled();
    assert_eq!(now(unknown.measure()).unwrap(), Measured::ratio(2, 6).with_sample(["[REDACTED]", "lost"]));
    assert_eq!(now(accepted_values(&orders, "state", []).measure()).unwrap(), Measured::ratio(6, 6));
    assert_eq!(now(accepted_values(&orders, "customer", [1, 2, 8, 9]).measure()).unwrap(), Measured::ratio(0, 6));
    assert_eq!(now(range(&orders, "amount", 0.0..=1000.0).measure()).unwrap(), Measured::ratio(2, 6));
    assert_eq!(now(range(&orders, "amount", -3.0..).measure()).unwrap(), Measured::ratio(0, 6));
    let above = (Bound::Excluded(-3.0), Bound::Unbounded);
    assert_eq!(now(range(&orders, "amount", above).measure()).unwrap(), Measured::ratio(1, 6));
    assert_eq!(now(range(&orders, "amount", ..=-4.0).measure()).unwrap(), Measured::ratio(6, 6));
    assert_eq!(now(range(&orders, "amount", ..-3.0).measure()).unwrap(), Measured::ratio(6, 6));
    assert_eq!(now(range::<_, f64>(&orders, "amount", ..).measure()).unwrap(), Measured::ratio(0, 6));
    let sampled = range(&orders, "amount", 0..=100).only("day = ?", [TableValue::Date("2026-11-25".into())]).sampled();
    assert_eq!(now(sampled.measure()).unwrap(), Measured::ratio(1, 2).with_sample(["-3.0"]));

    let orphans = referential_integrity(&orders, "customer", &table("customers"), "id").sampled();
    assert_eq!(now(orphans.measure()).unwrap(), Measured::ratio(3, 6).with_sample(["8", "9"]));
    let of_a_day = orphans.clone().only("id > ? AND day = ?", ["2", "2026-11-26"]);
    assert_eq!(now(of_a_day.measure()).unwrap(), Measured::ratio(2, 2).with_sample(["8"]));
}

#[test]
fn freshness_is_the_age_of_the_latest_value() {
    let orders = table("orders");
    let age = |column| now(freshness(&orders, column).measure()).unwrap().value;
    for (column, seconds) in [("at", 3600.0), ("seconds", 7200.0)] {
        // The process created the database a moment ago.
        assert!((seconds - 1.0..seconds + 600.0).contains(&age(column)), "{column}: {}", age(column));
    }
    // 26 November 2026, 00:00 UTC.
    let age_of_day = seconds_since(1_795_651_200.0);
    assert!((age_of_day - 600.0..=age_of_day + 600.0).contains(&age("day")), "{} s", age("day"));
    let of_nothing = now(freshness(&table("nothing"), "at").measure()).unwrap();
    assert_eq!((of_nothing.of, of_nothing.message.as_deref()), (Some(0), Some("no row has a value in at")));
    let no_time = now(freshness(&orders, "state").measure()).unwrap_err();
    assert_eq!(no_time.to_string(), "orders: state has no value that is a time");
}

#[test]
fn the_freshness_of_what_is_no_time_is_an_error_that_names_what_it_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("units.sqlite");
    let units = "
        CREATE TABLE units AS SELECT unixepoch() * 1000 AS ms, unixepoch() * 1000000 AS us, unixepoch() * 1000000000 AS ns,
            unixepoch() / 86400 AS days, CAST(strftime('%Y%m%d') AS INTEGER) AS day, CAST(strftime('%Y') AS INTEGER) AS year,
            '9999-12-31 23:59:59' AS valid_to, datetime('now', '+2 days') AS tomorrow, datetime('now', '+20 hours') AS zone,
            0 AS zero, julianday() AS julian;";
    Connection::open(&file).unwrap().execute_batch(units).unwrap();
    let units = SqliteTable::new(&file, "units");
    for (column, expected) in [
        ("ms", "it looks like milliseconds since 1970 (20"),
        ("us", "it looks like microseconds since 1970 (20"),
        ("ns", "it looks like nanoseconds since 1970 (20"),
        ("days", "it looks like days since 1970 (20"),
        ("day", "it looks like a date written as a number (20"),
        ("year", "it looks like a year"),
        (
            "valid_to",
            "is 9999-12-31T23:59:59Z, more than a day in the future; it looks like the open end of a validity",
        ),
        ("tomorrow", "more than a day in the future"),
        ("zero", "is 1970-01-01T00:00:00Z, in the year 1970"),
        ("julian", "in the year 1970"),
    ] {
        let error = now(freshness(&units, column).measure()).unwrap_err();
        assert!(matches!(&error, TableError::Implausible { .. }), "{error}");
        assert!(error.to_string().contains(&format!("units: the latest time in {column} is ")), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(now(freshness(&units, "zone").measure()).unwrap().value < -70_000.0);
}

#[test]
fn every_difference_of_a_schema_is_reported() {
    let customers = table("customers");
    let same = now(schema_equality(&customers, [("NAME", "text"), ("id", "Integer")])).unwrap();
    assert_eq!(same, Verdict::passed());
    let other = now(schema_equality(&customers, [("id", "TEXT"), ("born", "DATE")])).unwrap();
    let expected = Verdict::failed("id is INTEGER, not TEXT, born is missing, name is new");
    assert_eq!(other, expected.expected("id TEXT, born DATE").seen("id INTEGER, name TEXT"));
    assert!(now(schema_equality(&table("nowhere"), [("id", "TEXT")])).is_err());
}

#[test]
fn hostile_names_and_values_are_not_executed() {
    let hostile = table("a `b\"; DROP TABLE orders; --");
    let column = "x`\" ]' y";
    assert_eq!(now(null_ratio(&hostile, column).measure()).unwrap(), Measured::ratio(1, 3));
    let accepted = accepted_values(&hostile, column, ["it's", "'; DROP TABLE orders; --"]).sampled();
    assert_eq!(now(accepted.measure()).unwrap(), Measured::ratio(1, 2).with_sample(["b\"`"]));
    assert_eq!(now(accepted_values(&hostile, "select", ["?", "a"]).measure()).unwrap(), Measured::ratio(0, 2));
    assert_eq!(now(uniqueness(&hostile, [column, "select"]).measure()).unwrap(), Measured::ratio(0, 1));
    let orphans = referential_integrity(&hostile, column, &hostile, "select");
    assert_eq!(now(orphans.measure()).unwrap(), Measured::ratio(2, 2));
    assert_eq!(now(row_count(&table("orders")).measure()).unwrap().value, 7.0);
    // SQLite takes an unknown name in double quotes for a text, which is never NULL.
    for missing in ["no_such_column", "1 = 1", "*", ""] {
        assert!(now(null_ratio(&hostile, missing).measure()).is_err(), "{missing}");
    }
    assert!(now(row_count(&table("orders; --")).measure()).is_err());
    let statement = accepted.statement();
    assert!(!statement.sql.contains("it's") && statement.values.len() == 2, "{statement:?}");
}

#[dq_check(dataset = "orders", column = "state", severity = "warning", fail_above = 0.1)]
async fn unknown_states() -> Result<Measured, TableError> {
    accepted_values(&table("orders"), "state", ["open", "paid"]).sampled().measure().await
}

#[dq_check(dataset = "orders", fail_below = 1)]
async fn not_there() -> Result<Measured, TableError> {
    row_count(&SqliteTable::new("/no/such/file", "orders")).measure().await
}

#[dq_check(for_each = ["customers", "orders", "nothing"], fail_below = 1)]
async fn has_rows(name: &str) -> Result<Measured, TableError> {
    row_count(&table(name)).measure().await
}

#[test]
fn measures_are_judged_like_any_check() {
    // Other tests of this process register checks meanwhile.
    let names = ["unknown_states", "not_there", "has_rows"];
    let report = capture(|| run_dq_checks().only(names).wait()).value;
    let found = |name: &str| report.results.iter().find(|result| result.check == name).unwrap();
    let states = found("unknown_states");
    assert_eq!((states.status, states.count, states.of), (QualityStatus::Failed, Some(2.0), Some(6)));
    assert_eq!(states.sample, ["[REDACTED]", "lost"], "{states:?}");
    assert_eq!(found("not_there").status, QualityStatus::Errored);
    assert_eq!(found("has_rows[orders]").status, QualityStatus::Passed);
    assert_eq!(found("has_rows[nothing]").why().as_deref(), Some("expected at least 1, seen 0"));
}

/// A table of a custom database.
struct InMemory(Vec<Option<&'static str>>);

impl Table for InMemory {
    fn name(&self) -> &'static str {
        "in memory"
    }

    fn sql_name(&self) -> String {
        "[t]".to_owned()
    }

    fn quoted(&self, column: &str) -> String {
        format!("[{column}]")
    }

    fn seconds_since(&self, sql: &str) -> String {
        format!("AGE({sql})")
    }

    fn as_text(&self, sql: &str) -> String {
        sql.to_owned()
    }

    async fn ask(&self, statement: obs_runtime::tables::Statement) -> Result<Vec<Vec<Option<String>>>, TableError> {
        assert_eq!(statement.sql, "SELECT COUNT(*) - COUNT([a]), COUNT(*) FROM [t]");
        Ok(vec![self.0.iter().map(|value| value.map(str::to_owned)).collect()])
    }

    async fn columns(&self) -> Result<Vec<obs_runtime::tables::Column>, TableError> {
        Ok(Vec::new())
    }
}

#[test]
fn a_custom_table_is_measured_and_malformed_answers_are_errors() {
    let answer = |row: Vec<Option<&'static str>>| now(null_ratio(&InMemory(row), "a").measure());
    assert_eq!(answer(vec![Some("1"), Some("4")]).unwrap(), Measured::ratio(1, 4));
    for nonsense in [vec![], vec![Some("1")], vec![Some("one"), Some("4")], vec![Some("1"), Some("4"), None]] {
        assert!(matches!(answer(nonsense), Err(TableError::Answer { .. })));
    }
}
