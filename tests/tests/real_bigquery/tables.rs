//! Ready-made checks of tables on `BigQuery`, with a dry run before each query.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use obs_runtime::bigquery::{BigQueryError, Client};
use obs_runtime::tables::{
    BigQueryTable, TableError, TableValue, accepted_values, freshness, null_ratio, range, referential_integrity,
    row_count, schema_equality, uniqueness,
};
use obs_runtime::testing::capture_with;
use obs_runtime::{Config, Measured, QualityStatus, Verdict, bq_cost, dq_check, run_dq_checks};
use obs_tests::servers::BigQueryEmulator;
use serde_json::json;

use crate::support::DOLLAR_PER_BYTE;

static CLIENT: OnceLock<Client> = OnceLock::new();

fn table(name: &str) -> BigQueryTable {
    BigQueryTable::new(CLIENT.get().unwrap(), name).unwrap()
}

fn fill(emulator: &BigQueryEmulator) {
    let tables = [
        ("customers", json!([{"name": "id", "type": "INTEGER"}, {"name": "name", "type": "STRING"}])),
        ("empty", json!([{"name": "id", "type": "INTEGER"}, {"name": "at", "type": "TIMESTAMP"}])),
        (
            "orders",
            json!([
                {"name": "id", "type": "INTEGER"}, {"name": "customer", "type": "INTEGER"},
                {"name": "state", "type": "STRING"}, {"name": "amount", "type": "FLOAT"},
                {"name": "at", "type": "TIMESTAMP"}, {"name": "day", "type": "DATE"},
                {"name": "tags", "type": "STRING", "mode": "REPEATED"},
            ]),
        ),
    ];
    for (name, fields) in tables {
        emulator.create_table(&json!({
            "tableReference": {"projectId": "p", "datasetId": "d", "tableId": name}, "schema": {"fields": fields}
        }));
    }
}

async fn insert(client: &Client) {
    let customers = "INSERT INTO d.customers (id, name) VALUES (1, 'ada'), (2, 'ben'), (3, NULL)";
    let orders = "INSERT INTO d.orders (id, customer, state, amount, `at`, day) VALUES
        (1, 1, 'open', 12.5, TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR), DATE '2026-11-25'),
        (2, 1, 'paid', -3, TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 2 HOUR), DATE '2026-11-25'),
        (2, 9, 'it\\'s', 0, NULL, DATE '2026-11-26'),
        (3, 8, 'lost', 1000.5, NULL, DATE '2026-11-26'),
        (3, 8, NULL, NULL, NULL, DATE '2026-11-26'),
        (3, NULL, 'paid', 5, NULL, NULL),
        (NULL, 2, 'paid', 6, NULL, NULL)";
    for sql in [customers, orders] {
        client.query(sql).run().await.unwrap();
    }
}

#[dq_check(dataset = "orders", column = "state", severity = "warning", fail_above = 0.1)]
#[bq_cost(max_usd = 1e9)]
async fn unknown_states() -> Result<Measured, TableError> {
    accepted_values(&table("d.orders"), "state", ["open", "paid"]).sampled().measure().await
}

#[dq_check(dataset = "orders", fail_below = 1)]
#[bq_cost(max_usd = 0.000001)]
async fn too_expensive() -> Result<Measured, TableError> {
    row_count(&table("d.orders")).measure().await
}

async fn assert_measures() {
    let orders = table("d.orders");
    assert_eq!(row_count(&orders).measure().await.unwrap(), Measured::number(7.0));
    assert_eq!(null_ratio(&orders, "customer").measure().await.unwrap(), Measured::ratio(1, 7));
    let repeated = uniqueness(&orders, ["id"]).sampled().measure().await.unwrap();
    assert_eq!(repeated, Measured::ratio(3, 6).with_sample(["2", "3"]));
    assert_eq!(uniqueness(&orders, ["id", "customer"]).measure().await.unwrap(), Measured::ratio(1, 5));
    let unknown = accepted_values(&orders, "state", ["open", "paid", "it's"]).sampled().measure().await.unwrap();
    assert_eq!(unknown, Measured::ratio(1, 6).with_sample(["lost"]));
    assert_eq!(range(&orders, "amount", 0..=1000).measure().await.unwrap(), Measured::ratio(2, 6));
    let first_day = range(&orders, "id", 2..).only("day = ?", [TableValue::Date("2026-11-25".to_owned())]);
    assert_eq!(first_day.measure().await.unwrap(), Measured::ratio(1, 2));
    let orphans = referential_integrity(&orders, "customer", &table("d.customers"), "id").sampled();
    assert_eq!(orphans.measure().await.unwrap(), Measured::ratio(3, 6).with_sample(["8", "9"]));

    let age = freshness(&orders, "at").measure().await.unwrap().value;
    assert!((3590.0..4200.0).contains(&age), "{age}");
    let age = freshness(&orders, "day").measure().await.unwrap().value;
    // 26 November 2026, 00:00 UTC.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let age_of_day = now - 1_795_651_200.0;
    assert!((age_of_day - 600.0..=age_of_day + 600.0).contains(&age), "{age} s");
    let of_nothing = freshness(&table("d.empty"), "at").measure().await.unwrap();
    assert_eq!((of_nothing.of, of_nothing.message.as_deref()), (Some(0), Some("no row has a value in at")));

    let columns = [("id", "INT64"), ("name", "string")];
    assert_eq!(schema_equality(&table("d.customers"), columns).await.unwrap(), Verdict::passed());
    let empty = schema_equality(&table("d.empty"), [("id", "STRING"), ("at", "TIMESTAMP")]).await.unwrap();
    let differs = Verdict::failed("id is INT64, not STRING");
    assert_eq!(empty, differs.expected("id STRING, at TIMESTAMP").seen("id INT64, at TIMESTAMP"));
    let tags = schema_equality(&orders, [("tags", "ARRAY<STRING>")]).await.unwrap();
    assert!(!format!("{tags:?}").contains("tags is"), "{tags:?}");
}

async fn assert_hostile_names_are_quoted() {
    let orders = table("d.orders");
    for name in ["a` IS NULL OR TRUE OR `a", "a\\", "1 = 1", "no_such_column", "a\nb"] {
        assert!(null_ratio(&orders, name).measure().await.is_err(), "{name}");
    }
    let values = ["\\'", "' OR TRUE --", "?", "@a"];
    assert_eq!(accepted_values(&orders, "state", values).measure().await.unwrap(), Measured::ratio(6, 6));
    assert!(BigQueryTable::new(CLIENT.get().unwrap(), "orders").is_err());
}

async fn assert_limits_apply() {
    let orders = table("d.orders");
    let dry = null_ratio(&orders, "customer").dry_run().await.unwrap();
    assert_eq!(dry.statement_type.as_deref(), Some("SELECT"), "{dry:?}");
    let refused = row_count(&orders.max_bytes(0)).measure().await.unwrap_err();
    let TableError::BigQuery { source, .. } = &refused else { panic!("{refused}") };
    assert!(matches!(source, BigQueryError::Refused(_)), "{refused}");
}

// One test, because the checks share one client.
#[test]
fn tables_are_measured_with_a_dry_run_before_each_query() {
    let emulator = BigQueryEmulator::start();
    fill(&emulator);
    let config = Config::default().with(|config| {
        config.bigquery_emulator_host = Some(emulator.host());
        config.bigquery_usd_per_tib = DOLLAR_PER_BYTE.into();
    });
    let captured = capture_with(config, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = Client::builder().project("p").build().await.unwrap();
            insert(&client).await;
            CLIENT.set(client).unwrap();
            assert_measures().await;
            assert_hostile_names_are_quoted().await;
            assert_limits_apply().await;
            // It blocks this runtime; checks have a runtime of their own.
            run_dq_checks().wait()
        })
    });
    let found = |name: &str| captured.value.results.iter().find(|result| result.check == name).unwrap();
    let states = found("unknown_states");
    assert_eq!((states.status, states.count, states.of), (QualityStatus::Failed, Some(2.0), Some(6)), "{states:?}");
    assert_eq!(states.sample, ["it's", "lost"]);
    let expensive = found("too_expensive");
    assert_eq!(expensive.status, QualityStatus::Errored, "{expensive:?}");
    assert!(expensive.message.as_deref().is_some_and(|message| message.contains("d.orders: ")), "{expensive:?}");
    let spent = captured.metrics.value("bigquery.total_cost.usd", &[("operation", "unknown_states")]);
    assert!(spent.is_some_and(|usd| usd > 0.0), "{spent:?}");
    assert_eq!(captured.metrics.value("bigquery.total_cost.usd", &[("operation", "too_expensive")]), None);
}
