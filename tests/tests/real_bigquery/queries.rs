//! Queries, dry runs, labels, parameters, pages and errors, as `GoogleSQL`'s own analyser handles them.

use obs_runtime::bigquery::{BigQueryError, Client, Parameter};
use obs_runtime::bq_cost;
use obs_tests::measure;
use obs_tests::servers::BigQueryEmulator;
use serde::Deserialize;
use serde_json::json;

use crate::support::{config, run};

fn orders(emulator: &BigQueryEmulator) {
    emulator.create_table(&json!({
        "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "orders"},
        "schema": {"fields": [
            {"name": "id", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "customer", "type": "STRING"},
            {"name": "amount", "type": "NUMERIC"}, {"name": "paid", "type": "BOOLEAN"}
        ]}
    }));
}

#[derive(Debug, Deserialize, PartialEq)]
struct Order {
    id: u64,
    customer: Option<String>,
    amount: f64,
    paid: bool,
}

#[bq_cost(query_type = "orders")]
async fn of_customer(client: &Client, customer: &str) -> Result<Vec<Order>, BigQueryError> {
    let sql = "SELECT id, customer, amount, paid FROM d.orders WHERE customer = @customer ORDER BY id";
    client.query(sql).bind("customer", customer).label("team", "growth").rows::<Order>().await?.all().await
}

#[test]
fn tables_can_be_written_and_read() {
    let emulator = BigQueryEmulator::start();
    orders(&emulator);
    let captured = run(config(&emulator), |client| async move {
        let rows = [
            json!({"id": 1, "customer": "ada", "amount": "12.50", "paid": true}),
            json!({"id": 2, "customer": "ben", "amount": "1", "paid": false}),
            json!({"id": 3, "customer": "ada", "amount": "0.25", "paid": false}),
        ];
        client.insert("d.orders", &rows).await.unwrap();
        let of_ada = of_customer(&client, "ada").await.unwrap();
        let changed = client.query("UPDATE d.orders SET paid = TRUE WHERE id = 2").run().await.unwrap();
        let unpaid = client.query("SELECT COUNT(*) FROM d.orders WHERE NOT paid").rows::<u64>().await.unwrap();
        let table = client.table("d.orders").await.unwrap();
        (of_ada, changed, unpaid.all().await.unwrap(), table.schema.fields.map_or(0, |fields| fields.len()))
    });
    let (of_ada, changed, unpaid, columns) = captured.value;
    let ada = |id, amount, paid| Order { id, customer: Some("ada".into()), amount, paid };
    assert_eq!(of_ada, [ada(1, 12.5, true), ada(3, 0.25, false)]);
    assert_eq!((unpaid, columns), (vec![1], 4));
    let job = emulator.job(&changed.id);
    assert_eq!(job["configuration"]["labels"]["service"], "decentclaude");
    assert_eq!(
        captured.metrics.value("bigquery.operation", &[("operation_type", "insert"), ("dataset", "d")]),
        Some(1.0)
    );
    let count = |query_type| {
        captured.metrics.value("bigquery.query.count", &[("query_type", query_type), ("cache_hit", "false")])
    };
    // The emulator calls every statement a SELECT.
    assert_eq!((count("orders"), count("select")), (Some(1.0), Some(2.0)));
}

type Row = (String, i64, f64, bool, String, u8, bool);

#[test]
fn parameters_of_all_types_are_bound() {
    let emulator = BigQueryEmulator::start();
    let captured = run(config(&emulator), |client| async move {
        let query = client.query("SELECT @text, @whole, @real, @truth, @day, ARRAY_LENGTH(@list), @missing IS NULL");
        let query = query.bind("text", "it's \"quoted\"; DROP TABLE d.t -- ").bind("whole", -7).bind("real", 2.5);
        let query = query.bind("truth", true).bind("day", Parameter::date("2026-11-26"));
        let query = query.bind("list", vec![1, 2, 3]).bind("missing", None::<String>);
        let named: Vec<Row> = query.rows().await.unwrap().all().await.unwrap();
        let by_place = client.query("SELECT ? || ?").bind_next("a").bind_next("b").rows::<String>().await.unwrap();
        (named, by_place.all().await.unwrap())
    });
    let (named, by_place) = captured.value;
    let text = "it's \"quoted\"; DROP TABLE d.t -- ".to_owned();
    assert_eq!(named, [(text, -7, 2.5, true, "2026-11-26".to_owned(), 3, true)]);
    assert_eq!(by_place, ["ab"]);
}

#[test]
fn a_dry_run_runs_nothing() {
    let emulator = BigQueryEmulator::start();
    orders(&emulator);
    run(config(&emulator), |client| async move {
        let dry = client.query("INSERT INTO d.orders (id) VALUES (1)").dry_run().await.unwrap();
        assert!(dry.statement_type.is_some());
        let rows = client.query("SELECT id FROM d.orders").rows::<u64>().await.unwrap();
        assert_eq!(rows.total(), 0);
    });
}

#[test]
fn errors_have_their_position_and_no_values() {
    let emulator = BigQueryEmulator::start();
    let captured = run(config(&emulator), |client| async move {
        let mut errors = Vec::new();
        for sql in [
            "SELECT\n  1 +",
            "SELECT * FROM d.nowhere",
            "SELECT 'rosalind' + 1",
            "SELECT nothing",
            "SELECT 1 'rosalind@example.com'",
        ] {
            errors.push(client.query(sql).run().await.unwrap_err());
        }
        errors
    });
    let places: Vec<_> = captured
        .value
        .iter()
        .map(|error| match error {
            BigQueryError::Answer(answer) => answer.position,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places[1..4], [Some((1, 15)), Some((1, 8)), Some((1, 8))]);
    assert!(places.iter().all(Option::is_some), "{places:?}");
    let all = format!("{:?} {:?}", captured.value, captured.records);
    // A word that no hexadecimal id contains by chance.
    assert!(!all.contains("rosalind"), "{all}");
}

#[test]
fn a_hundred_thousand_rows_are_paged_in_bounded_memory() {
    let emulator = BigQueryEmulator::start();
    run(config(&emulator), |client| async move {
        let sql = "SELECT x, CONCAT('row ', CAST(x AS STRING)) FROM UNNEST(GENERATE_ARRAY(1, 100000)) AS x";
        let mut rows = client.query(sql).page_size(5_000).rows::<(u64, String)>().await.unwrap();
        assert_eq!(rows.total(), 100_000);
        let (mut sum, mut number, mut after_two_pages) = (0, 0, 0);
        while let Some((x, text)) = rows.next().await.unwrap() {
            number += 1;
            sum += x;
            assert!(text.starts_with("row "));
            if number == 10_000 {
                after_two_pages = measure::resident_kib();
            }
        }
        assert_eq!((number, sum), (100_000, 5_000_050_000));
        let grown = measure::resident_kib().saturating_sub(after_two_pages);
        // 90,000 rows in memory would be tens of megabytes.
        assert!(grown < 8 * 1024, "{grown} KiB more after 90,000 further rows");
    });
}

#[bq_cost(labels(team = "Growth & Co", cost_centre = 42), max_bytes = "1 GiB")]
async fn labelled(client: &Client) -> Result<String, BigQueryError> {
    client.query("SELECT id FROM d.orders").label("Own", "A B").run().await.map(|job| job.id)
}

#[test]
fn jobs_have_all_their_labels() {
    let emulator = BigQueryEmulator::start();
    orders(&emulator);
    let config = config(&emulator).with(|config| {
        config.service_name = "Märkte".into();
        config.environment = "prod".into();
    });
    let captured = run(config, |client| async move {
        obs_runtime::set_correlation_id("ABC-123");
        labelled(&client).await.unwrap()
    });
    let configuration = emulator.job(&captured.value)["configuration"].clone();
    assert_eq!(
        configuration["labels"],
        json!({"service": "märkte", "environment": "prod", "operation": "labelled", "correlation_id": "abc-123",
               "team": "growth___co", "cost_centre": "42", "own": "a_b"})
    );
    assert_eq!(configuration["query"]["maximumBytesBilled"], (1_u64 << 30).to_string());
}

#[test]
fn a_script_is_one_job() {
    let emulator = BigQueryEmulator::start();
    orders(&emulator);
    let captured = run(config(&emulator), |client| async move {
        let script = "INSERT INTO d.orders (id, paid) VALUES (1, TRUE), (2, FALSE);
                      UPDATE d.orders SET paid = TRUE WHERE id = 2;";
        client.query(script).run().await.unwrap();
        let sql = "SELECT COUNT(*) FROM d.orders WHERE paid";
        client.query(sql).rows::<u64>().await.unwrap().all().await.unwrap()
    });
    assert_eq!(captured.value, [2]);
}
