//! What is particular to `SQLite`: files, types of values, and statements that take too long.

use std::time::Duration;

use obs_runtime::tables::{accepted_values, null_ratio, range, referential_integrity, row_count};
use obs_runtime::{Measured, QualityCheck, QualityStatus, run_dq_checks};
use obs_tests::wait;

use super::{database, now, table};

#[test]
fn a_table_in_another_file_is_refused() {
    let other = database("customers", "CREATE TABLE customers (id INTEGER); INSERT INTO customers VALUES (9);");
    let error = now(referential_integrity(&table("orders"), "customer", &other, "id").measure()).unwrap_err();
    assert!(error.to_string().contains("different files"), "{error}");
}

#[test]
fn numbers_are_not_compared_with_text() {
    let prices = database("prices", "CREATE TABLE prices (price TEXT); INSERT INTO prices VALUES ('5'), ('20000000');");
    let error = now(range(&prices, "price", 0..=9).measure()).unwrap_err();
    assert!(error.to_string().contains("are not numbers"), "{error}");
    assert!(now(accepted_values(&prices, "price", [5]).measure()).is_err());
    assert!(now(range(&table("orders"), "amount", "0".."9").measure()).is_err());
    let as_number = range(&prices, "price", 0..=9).as_number().sampled();
    assert_eq!(now(as_number.measure()).unwrap(), Measured::ratio(1, 2).with_sample(["20000000"]));
    let dirty = database("dirty", "CREATE TABLE dirty (price TEXT); INSERT INTO dirty VALUES (' 5 '), ('-'), (NULL);");
    assert_eq!(now(range(&dirty, "price", 0..=9).as_number().measure()).unwrap(), Measured::ratio(1, 2));
}

#[test]
fn values_are_arrays_vectors_slices_and_tuples() {
    let orders = table("orders");
    let of = |check: obs_runtime::tables::TableCheck<'_, _>| now(check.measure()).unwrap().of;
    let (day, ids) = ("2026-11-25".to_owned(), vec![1_u64, 2]);
    assert_eq!(of(null_ratio(&orders, "state").only("customer IS NULL", [])), Some(1));
    assert_eq!(of(null_ratio(&orders, "state").only("day = ?", [&day])), Some(2));
    assert_eq!(of(null_ratio(&orders, "state").only("day = ? AND id > ?", (&day, 1_u64))), Some(1));
    assert_eq!(of(null_ratio(&orders, "state").only("id IN (?, ?)", &ids)), Some(3));
    assert_eq!(now(accepted_values(&orders, "id", &ids).measure()).unwrap(), Measured::ratio(3, 6));
    assert_eq!(now(accepted_values(&orders, "id", [usize::MAX]).measure()).unwrap(), Measured::ratio(6, 6));
}

#[test]
fn a_check_that_exceeds_its_time_limit_stops_its_statement() {
    let endless = database(
        "endless",
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n;",
    );
    let check = QualityCheck::new_async("endless", move || {
        let endless = endless.clone();
        async move { row_count(&endless).measure().await }
    });
    let registered = check.dataset("endless").fail_below(1.0).timeout(Duration::from_millis(100)).register();
    let report = run_dq_checks().dataset("endless").wait();
    assert_eq!(report.results[0].status, QualityStatus::Errored);
    registered.unregister();
    // Each thread of this process has a folder with its name.
    let works = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|name| matches!(name.trim(), "obs-check" | "obs-sqlite")).count() > 0
    };
    wait::until_true("the statement is interrupted", || !works());
}
