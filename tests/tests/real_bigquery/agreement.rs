//! The same checks on `SQLite` and on `BigQuery` measure the same.

use std::future::Future;
use std::time::Duration;

use obs_runtime::bigquery::Client;
use obs_runtime::tables::{
    BigQueryTable, Comparison, Order, SqliteTable, Table, TableError, accepted_pairs, accepted_values, aggregate,
    aggregate_of, avg, column_order, distinct_count, distinct_ratio, distribution, does_not_match, expr, failing_rows,
    length, matches, max, median, min, monotonic, no_gaps, null_ratio, pair, quantile, query, range,
    referential_integrity, rejected_values, required_values, row_count, rows_where, schema_equality, stddev, sum,
    sum_equals, uniqueness,
};
use obs_runtime::{IntoMeasure, Measured, Verdict};
use obs_tests::servers::BigQueryEmulator;
use rusqlite::Connection;
use serde_json::json;

use crate::support;

const ROWS: &str = "
    (1, 'AB', 'Ann@x.de', 0.5, 0.25, 0.75, '2026-11-01', '2026-11-02', 'DE', 'EUR', 10.0, 1),
    (2, 'ABC', 'ann@x.de', 10.0, 2.0, 12.0, '2026-11-02', '2026-11-02', 'DE', 'USD', 12.0, 2),
    (3, 'Ä', NULL, 10.0, 2.0, 13.0, '2026-11-05', '2026-11-04', 'US', 'USD', 11.0, 4),
    (4, '', 'ben', 1.5, NULL, 1.0, '2026-11-06', NULL, 'US', NULL, 11.0, 8),
    (5, NULL, 'eve@y.fr', 4.0, 4.0, 8.0, NULL, '2026-11-09', NULL, 'EUR', 20.0, 9)";

fn fill_sqlite(folder: &std::path::Path) -> std::path::PathBuf {
    let file = folder.join("warehouse.sqlite");
    let sql = format!(
        "CREATE TABLE parcels (id INTEGER, code TEXT, email TEXT, net REAL, tax REAL, gross REAL, sent DATE, received DATE,
            country TEXT, currency TEXT, meter REAL, number INTEGER);
         INSERT INTO parcels VALUES {ROWS};
         CREATE TABLE countries (name TEXT); INSERT INTO countries VALUES ('DE'), ('FR'), (NULL);"
    );
    Connection::open(&file).unwrap().execute_batch(&sql).unwrap();
    file
}

async fn fill_bigquery(client: &Client) {
    let rows = ROWS.replace("'2026", "DATE '2026");
    for sql in [
        "CREATE TABLE d.parcels (id INT64, code STRING, email STRING, net FLOAT64, tax FLOAT64, gross FLOAT64, sent DATE,
            received DATE, country STRING, currency STRING, meter FLOAT64, number INT64)"
            .to_owned(),
        format!("INSERT INTO d.parcels VALUES {rows}"),
        "CREATE TABLE d.countries (name STRING)".to_owned(),
        "INSERT INTO d.countries VALUES ('DE'), ('FR'), (NULL)".to_owned(),
    ] {
        client.query(sql).run().await.unwrap();
    }
}

/// What each check measures, with its name. `source` is the table as a query reads it.
async fn measured<T: Table>(parcels: &T, countries: &T, source: &str) -> Vec<(&'static str, Measured)> {
    let days =
        query(parcels, format!("SELECT country, SUM(net) AS total FROM {source} WHERE id > ? GROUP BY country"), [1]);
    let failures = format!("SELECT id, country FROM {source} WHERE net + tax > ?");
    let mut all = vec![
        ("high total", range(&days, "total", ..11).keys(["country"]).measure().await),
        ("total of each", row_count(&days).by(["country"]).measure().await),
    ];
    for (name, check) in [
        ("rows", row_count(parcels)),
        ("nulls", null_ratio(parcels, "email").keys(["id"])),
        ("uniqueness", uniqueness(parcels, [expr("lower(email)")]).keys(["id"])),
        ("accepted", accepted_values(parcels, "country", ["DE"]).sampled()),
        ("rejected", rejected_values(parcels, "country", ["US"]).keys(["id"])),
        ("required", required_values(parcels, "country", ["US", "FR"])),
        ("range", range(parcels, "net", 1.0..10.0).keys(["id"])),
        ("orphans", referential_integrity(parcels, "country", countries, "name").keys(["id"])),
        (
            "orphans by expression",
            referential_integrity(parcels, expr("upper(country)"), countries, expr("upper(name)")),
        ),
        ("matches", matches(parcels, "email", "^[^@ ]+@[^@ ]+[.]de$").keys(["id"])),
        ("matches of numbers", matches(parcels, "id", "^[1-4]$")),
        ("does not match", does_not_match(parcels, "code", "^A").sampled()),
        ("length", length(parcels, "code", 2..=3).sampled()),
        ("where", rows_where(parcels, "received >= sent AND id > ?").with([1]).only("id < ?", [5]).keys(["id"])),
        ("failing rows", failing_rows(parcels, failures).with([11.0]).keys(["id"])),
        ("pair", pair(parcels, "received", Comparison::Greater, "sent").keys(["id"])),
        ("pairs", accepted_pairs(parcels, "country", "currency", [("DE", "EUR"), ("US", "USD")]).keys(["id"])),
        ("sum", sum_equals(parcels, ["net", "tax"], "gross").keys(["id"])),
        ("distinct", distinct_count(parcels, ["country", "currency"])),
        ("distinct part", distinct_ratio(parcels, ["meter"])),
        ("monotonic", monotonic(parcels, "meter", "id", Order::StrictlyIncreasing).keys(["id"])),
        ("monotonic of each", monotonic(parcels, "meter", "id", Order::Decreasing).by(["country"])),
        ("numbers", no_gaps(parcels, "number", 1).keys(["id"])),
        ("days", no_gaps(parcels, "sent", Duration::from_hours(24)).sampled()),
        ("days of each", no_gaps(parcels, "sent", Duration::from_hours(24)).by(["country"])),
        ("mean", aggregate(parcels, avg("net"))),
        ("sum of", aggregate(parcels, sum("net"))),
        ("smallest", aggregate(parcels, min("net"))),
        ("largest", aggregate(parcels, max("net"))),
        ("median", aggregate(parcels, median("net"))),
        ("quantile", aggregate(parcels, quantile("net", 0.75))),
        ("median of each", aggregate(parcels, median("net")).by(["country"])),
        ("own", aggregate(parcels, aggregate_of(expr("SUM(net) / SUM(id)")))),
        ("no data", aggregate(parcels, avg("net")).only("id > ?", [9])),
        ("nulls of each", null_ratio(parcels, "tax").by(["country", "currency"])),
        ("repeated in each", uniqueness(parcels, ["meter"]).by(["country"]).keys(["id"])),
    ] {
        all.push((name, check.measure().await));
    }
    let compared = row_count(parcels).compared_with(row_count(countries)).measure().await;
    all.push(("compared", compared));
    all.into_iter()
        .map(|(name, measured)| {
            let mut measured: Measured = measured.unwrap_or_else(|error| panic!("{name}: {error}"));
            // A database writes its numbers as text in its own way.
            measured.sample.iter_mut().for_each(|row| *row = row.replace(".0", ""));
            measured.message = measured.message.map(|message| message.replace("d.", ""));
            (name, measured)
        })
        .collect()
}

async fn verdict<T: Table>(parcels: &T) -> Result<Verdict, TableError> {
    distribution(parcels, "net")
        .mean(9.0..)
        .median(..5.0)
        .quantile(1.0, ..=10.0)
        .min(0.5..)
        .only("id < ?", [9])
        .measure()
        .await
}

fn run<F: Future>(emulator: &BigQueryEmulator, with: impl FnOnce(Client) -> F) -> F::Output {
    support::run(support::config(emulator), with).value
}

#[test]
fn checks_on_sqlite_and_on_bigquery_agree() {
    let emulator = BigQueryEmulator::start();
    let folder = tempfile::tempdir().unwrap();
    let file = fill_sqlite(folder.path());
    run(&emulator, |client| async move {
        fill_bigquery(&client).await;
        let [parcels, countries] = ["parcels", "countries"].map(|name| SqliteTable::new(&file, name));
        let expected = measured(&parcels, &countries, "parcels").await;
        let of_sqlite = aggregate(&parcels, stddev("net")).measure().await.unwrap().value;
        let verdict_of_sqlite = verdict(&parcels).await.unwrap().into_measure();
        let remote = |name: &str| BigQueryTable::new(&client, name).unwrap();
        let parcels = remote("d.parcels");
        let seen = Box::pin(measured(&parcels, &remote("d.countries"), "d.parcels")).await;
        for (expected, seen) in expected.iter().zip(&seen) {
            assert_eq!(seen, expected);
        }
        // Computed in another order.
        let of_bigquery = aggregate(&parcels, stddev("net")).measure().await.unwrap().value;
        assert!((of_sqlite - of_bigquery).abs() < 1e-9, "{of_sqlite} {of_bigquery}");
        assert_eq!(verdict(&parcels).await.unwrap().into_measure(), verdict_of_sqlite);
        let invalid = matches(&parcels, "code", "(").measure().await;
        assert!(matches!(invalid, Err(TableError::BigQuery { .. })), "{invalid:?}");
        assert!(sum_equals(&parcels, ["net", "code"], "gross").measure().await.is_err());
        for limit in [8.0, 2.0] {
            let check = range(&parcels, "net", ..limit).keys(["id", "email"]).store("dq_failures", 4);
            let message = check.measure().await.unwrap().message.unwrap();
            assert!(message.contains(" keys kept in dq_failures, run "), "{message}");
        }
        let kept = client.query("SELECT check_name, table_name, keys FROM d.dq_failures ORDER BY keys");
        let kept: Vec<(String, String, String)> = kept.rows().await.unwrap().all().await.unwrap();
        // The older run did not fit beside the newer one.
        let keys = |id: u8| {
            (String::new(), "d.parcels".to_owned(), format!("{{\"email\":\"{}\",\"id\":\"{id}\"}}", "[REDACTED]"))
        };
        let expected: Vec<_> = [2, 3, 5].map(keys).into();
        assert_eq!(kept.len(), 3, "{kept:?}");
        assert_eq!(kept, expected);
        let by_name = column_order(&remote("d.countries"), ["name"]).await.unwrap();
        assert_eq!(by_name, Verdict::passed());
    });
}

#[test]
fn the_fields_of_a_record_are_compared() {
    let emulator = BigQueryEmulator::start();
    let field = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let point = json!({"name": "point", "type": "RECORD", "fields": [field("x", "FLOAT"), field("y", "FLOAT")]});
    emulator.create_table(&json!({
        "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "places"},
        "schema": {"fields": [
            field("id", "INTEGER"),
            {"name": "address", "type": "RECORD", "fields": [field("city", "STRING"), field("zip", "INTEGER"), point]},
            {"name": "visits", "type": "RECORD", "mode": "REPEATED", "fields": [field("day", "DATE")]},
        ]},
    }));
    run(&emulator, |client| async move {
        let places = BigQueryTable::new(&client, "d.places").unwrap();
        let of = async |address: &str, visits: &str| {
            let verdict =
                schema_equality(&places, [("id", "INT64"), ("address", address), ("visits", visits)]).await.unwrap();
            format!("{verdict:?}")
        };
        let address = "STRUCT<city STRING, zip INT64, point STRUCT<x FLOAT64, y FLOAT64>>";
        let same = of(address, "ARRAY<STRUCT<day DATE>>").await;
        assert!(same.contains("status: Passed"), "{same}");
        for other in [
            "STRUCT<city STRING, zip STRING, point STRUCT<x FLOAT64, y FLOAT64>>",
            "STRUCT<city STRING, zip INT64, point STRUCT<x FLOAT64, y INT64>>",
            "STRUCT<city STRING, zip INT64>",
        ] {
            let verdict = of(other, "ARRAY<STRUCT<day DATE>>").await;
            assert!(verdict.contains("status: Failed") && verdict.contains("address is "), "{other}: {verdict}");
        }
        let verdict = of(address, "ARRAY<STRUCT<day STRING>>").await;
        assert!(verdict.contains("visits is "), "{verdict}");
        // A field of a record is a column for checks.
        assert_eq!(null_ratio(&places, "address.city").measure().await.unwrap(), Measured::ratio(0, 0));
    });
}
