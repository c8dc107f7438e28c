//! Data-quality checks on `BigQuery`: partitions, missing values, and what samples and stores show.

use obs_runtime::tables::{BigQueryTable, null_ratio, query, required_values, row_count, rows_where};
use obs_runtime::{Measured, PartitionUnit, QualityCheck, QualityStatus, run_dq_checks};
use obs_tests::corpus;
use obs_tests::servers::BigQueryEmulator;
use serde_json::json;

use crate::support;

fn create(emulator: &BigQueryEmulator, name: &str, fields: &[(&str, &str)]) {
    let fields: Vec<_> = fields.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect();
    emulator.create_table(&json!({
        "tableReference": {"projectId": "p", "datasetId": "d", "tableId": name}, "schema": {"fields": fields}
    }));
}

/// Registers a check that counts the rows, of which there are as many in each partition.
fn of_partitions(table: &BigQueryTable, column: &'static str, unit: PartitionUnit) -> obs_runtime::Registration {
    let table = table.clone();
    let ask = move || {
        let table = table.clone();
        async move { row_count(&table).in_partition(column).measure().await }
    };
    QualityCheck::new_async(column, ask).dataset("of partitions").partition(unit).fail_below(1.0).register()
}

#[test]
fn a_check_reads_the_rows_of_its_partition_of_a_date_a_time_and_an_instant() {
    let emulator = BigQueryEmulator::start();
    create(&emulator, "visits", &[("id", "INTEGER"), ("day", "DATE"), ("local", "DATETIME"), ("seen", "TIMESTAMP")]);
    let times = [
        "2026-10-31 23:59:59",
        "2026-11-03 00:00:00",
        "2026-11-03 05:30:00",
        "2026-11-03 23:59:59",
        "2026-11-04 00:00:00",
        "2026-12-01 00:00:00",
    ];
    let rows: Vec<_> = (times.iter().enumerate())
        .map(|(id, time)| {
            let local = time.replace(' ', "T");
            json!({"json": {"id": id, "day": &time[..10], "local": local, "seen": format!("{local}Z")}})
        })
        .collect();
    emulator.insert_rows("visits", &rows);
    let captured = support::run(support::config(&emulator), |client| async move {
        let visits = BigQueryTable::new(&client, "d.visits").unwrap();
        let registered = [
            of_partitions(&visits, "day", PartitionUnit::Day),
            of_partitions(&visits, "local", PartitionUnit::Hour),
            of_partitions(&visits, "seen", PartitionUnit::Month),
        ];
        let run = |check: &'static str, partition: &'static str| async move {
            let report = run_dq_checks().only([check]).partition(partition).await;
            let of = |result: &obs_runtime::QualityResult| {
                assert_ne!(result.status, QualityStatus::Errored, "{result:?}");
                (result.partition.clone().unwrap(), result.value.unwrap_or_default())
            };
            report.results.iter().map(of).filter(|(_, rows)| *rows > 0.0).collect::<Vec<_>>()
        };
        let found =
            |all: &[(&str, f64)]| all.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect::<Vec<_>>();
        assert_eq!(run("day", "2026-11-03").await, found(&[("2026-11-03", 3.0)]));
        assert_eq!(run("day", "2026-11").await, found(&[("2026-11-03", 3.0), ("2026-11-04", 1.0)]));
        let hours = [("2026-11-03T00", 1.0), ("2026-11-03T05", 1.0), ("2026-11-03T23", 1.0)];
        assert_eq!(run("local", "2026-11-03").await, found(&hours));
        assert_eq!(run("seen", "2026-11-03").await, found(&[("2026-11", 4.0)]));
        assert_eq!(run("seen", "2026-10").await, found(&[("2026-10", 1.0)]));
        registered.into_iter().for_each(obs_runtime::Registration::unregister);
        let outside = null_ratio(&visits, "id").in_partition("day").measure().await.unwrap_err();
        assert!(outside.to_string().contains("no partition outside of a run"), "{outside}");
    });
    drop(captured);
}

#[test]
fn required_values_that_no_row_has_are_named() {
    let emulator = BigQueryEmulator::start();
    create(
        &emulator,
        "orders",
        &[("market", "STRING"), ("size", "INTEGER"), ("password", "STRING"), ("code", "STRING")],
    );
    let row = |market: &str, size: u8| json!({"json": {"market": market, "size": size, "password": "a", "code": "7"}});
    emulator.insert_rows("orders", &[row("DE", 1), row("DE", 2), row("FR", 2)]);
    support::run(support::config(&emulator), |client| async move {
        let orders = BigQueryTable::new(&client, "d.orders").unwrap();
        let markets = required_values(&orders, "market", ["US", "DE", "it's", "US"]).measure().await.unwrap();
        assert_eq!((markets.value, markets.of, markets.message.as_deref()), (2.0, Some(3), Some("missing: US, it's")));
        let all = required_values(&orders, "size", [1, 2]).measure().await.unwrap();
        assert_eq!(all, Measured::ratio(0, 2));
        let of_fr = required_values(&orders, "size", [1, 2]).only("market = ?", ["FR"]).measure().await.unwrap();
        assert_eq!(of_fr.message.as_deref(), Some("missing: 1"));
        let secret = required_values(&orders, "password", ["a", "hunter2"]).measure().await.unwrap();
        assert_eq!(secret.message.as_deref(), Some("missing: [REDACTED]"));
        let numbers = required_values(&orders, "code", [7, 8]).as_number().measure().await.unwrap();
        assert_eq!((numbers.value, numbers.message.as_deref()), (1.0, Some("missing: 8")));
    });
}

/// The names of columns and their values that only the name tells to be secret.
fn named() -> Vec<(&'static str, &'static str)> {
    let mut named = Vec::<(&str, &str)>::new();
    for (name, value) in corpus::NAMED {
        if !named.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            named.push((*name, *value));
        }
    }
    named
}

#[test]
fn no_secret_is_kept_or_sampled() {
    let emulator = BigQueryEmulator::start();
    create(&emulator, "notes", &[("note", "STRING")]);
    let notes: Vec<_> = corpus::samples().map(|sample| json!({"json": {"note": sample.text}})).collect();
    emulator.insert_rows("notes", &notes);
    let (secrets, count) = (named(), notes.len());
    let columns: Vec<String> = (0..secrets.len()).map(|index| format!("c{index}")).collect();
    let fields: Vec<_> = columns.iter().map(|column| (&**column, "STRING")).collect();
    create(&emulator, "named", &fields);
    let row = columns.iter().zip(&secrets).map(|(column, (_, value))| (column.clone(), json!(value)));
    emulator.insert_rows("named", &[json!({"json": row.collect::<serde_json::Map<_, _>>()})]);

    let captured = support::run(support::config(&emulator), |client| async move {
        let mut shown = Vec::new();
        let [notes, plain] = ["d.notes", "d.named"].map(|name| BigQueryTable::new(&client, name).unwrap());
        let aliases = columns.iter().zip(&secrets).map(|(column, (name, _))| format!("{column} AS `{name}`"));
        let sql = format!("SELECT {} FROM d.named", aliases.collect::<Vec<_>>().join(", "));
        let secret = query(&plain, sql, []);
        let names: Vec<&str> = secrets.iter().map(|(name, _)| *name).collect();
        let kept = rows_where(&notes, "FALSE").keys(["note"]).store("dq_failures", 10_000).measure().await.unwrap();
        assert!(
            kept.message.as_deref().is_some_and(|message| message.contains("keys kept in dq_failures")),
            "{kept:?}"
        );
        shown.push(format!("{kept:?}"));
        let kept =
            rows_where(&secret, "FALSE").keys(names.clone()).store("dq_failures", 10_000).measure().await.unwrap();
        assert!(kept.sample[0].contains(names[0]), "{kept:?}");
        shown.push(format!("{kept:?}"));
        let stored = client.query("SELECT run_id, check_name, table_name, keys FROM d.dq_failures");
        let stored: Vec<(String, String, String, String)> = stored.rows().await.unwrap().all().await.unwrap();
        assert_eq!(stored.len(), count + 1);
        shown.push(format!("{stored:?}"));
        shown.join("\n")
    });
    corpus::assert_nothing_left("the keys of failing rows in BigQuery", &captured.value);
    corpus::assert_nothing_left("log lines", &format!("{:?}", captured.records.logs));
}
