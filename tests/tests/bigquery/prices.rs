//! Prices by location and by type of statement.

use obs_runtime::bigquery::{Accuracy, BigQueryError, Client, CostLimit, QueryJob};
use obs_runtime::config::{LocationPrices, NamedPrices};
use obs_runtime::{Config, bq_cost};
use obs_tests::process::Process;
use obs_tests::servers::scripted_bigquery::{Call, ScriptedBigQuery};
use serde_json::json;

use crate::support::{TIB, config, limited, run, server_with_bytes};

/// A server in a location, whose queries read a TiB.
fn server(location: &str) -> ScriptedBigQuery {
    let server = server_with_bytes(TIB);
    server.change(|behaviour| location.clone_into(&mut behaviour.location));
    server
}

/// In this configuration a TiB costs twice as much in Frankfurt as elsewhere.
fn dear_in_frankfurt(server: &ScriptedBigQuery) -> Config {
    let prices = LocationPrices::new(6.0).with("europe-west3", 12.0);
    config(server).with(|config| config.bigquery_usd_per_tib = prices)
}

/// A server whose statements create a model.
fn creating_a_model() -> ScriptedBigQuery {
    let server = server_with_bytes(TIB / 100);
    server.change(|behaviour| {
        behaviour.dry_run = json!({"statementType": "CREATE_MODEL"});
        behaviour.more = json!({"statementType": "CREATE_MODEL"});
    });
    server
}

const MODEL: &str = "CREATE MODEL d.m OPTIONS (model_type = 'linear_reg') AS SELECT a, label FROM d.t";

#[bq_cost(max_bytes = "1 TiB")]
async fn by_bytes(client: &Client) -> Result<QueryJob, BigQueryError> {
    client.query(MODEL).run().await
}

#[bq_cost(max_usd = 7.0)]
async fn by_price(client: &Client) -> Result<QueryJob, BigQueryError> {
    client.query(MODEL).run().await
}

#[test]
fn a_query_costs_what_its_location_costs() {
    for (location, usd) in [("US", 6.0), ("europe-west3", 12.0)] {
        let server = server(location);
        let captured = run(dear_in_frankfurt(&server), |client| async move {
            let dry = client.query("SELECT 1").dry_run().await.unwrap();
            (dry.price.unwrap().usd, client.query("SELECT 1").run().await.unwrap())
        });
        let (estimated, job) = captured.value;
        assert_eq!((estimated, job.estimate.unwrap().usd, job.price.usd), (usd, usd, usd), "{location}");
        let prices: Vec<_> = captured.records.prices.iter().map(|(_, estimate, usd)| (*estimate, *usd)).collect();
        assert_eq!(prices, [(true, usd), (false, usd)], "{location}");
    }
}

#[test]
fn limits_are_compared_with_the_price_of_the_location() {
    let server = server("europe-west3");
    let captured = run(dear_in_frankfurt(&server), |client| async move { limited(&client).await });
    let refused = captured.value.unwrap_err();
    let refused = refused.refused().expect("twelve dollars are over seven");
    assert_eq!(refused.estimate.usd, 12.0);
    server.change(|behaviour| (behaviour.estimated_bytes, behaviour.billed_bytes) = (TIB / 2, TIB / 2));
    let captured = run(dear_in_frankfurt(&server), |client| async move { limited(&client).await });
    assert!(captured.value.is_ok(), "{:?}", captured.value);
    let sent = server.requests(Call::Insert);
    // Seven dollars buy seven twelfths of a TiB there.
    let most: u64 = sent[0].body["configuration"]["query"]["maximumBytesBilled"].as_str().unwrap().parse().unwrap();
    assert!(most.abs_diff(TIB / 12 * 7) < 16, "{most}");
}

#[test]
fn a_model_has_no_known_price_unless_one_is_configured() {
    let server = creating_a_model();
    let captured = run(config(&server), |client| async move {
        let dry = client.query(MODEL).dry_run().await.unwrap();
        assert!(dry.price.is_none() && dry.bytes_billed >= TIB / 100, "{dry:?}");
        (by_price(&client).await.unwrap_err(), by_bytes(&client).await.unwrap())
    });
    let (refused, job) = captured.value;
    let limit = refused.refused().map(|refused| refused.limit.clone());
    assert_eq!(limit, Some(CostLimit::UnknownPrice { statement: "CREATE_MODEL".to_owned() }));
    let help = "set BIGQUERY_STATEMENT_USD_PER_TIB=CREATE_MODEL=… to its price per TiB";
    assert!(refused.to_string().contains(help), "{refused}");
    assert_eq!(server.jobs(), 1, "no limit in dollars applies to the second");
    // The price of a query for the same bytes is less than it costs.
    let estimates = captured.records.prices.iter().filter(|(_, estimate, _)| *estimate).count();
    assert_eq!((estimates, job.price.usd > 0.06), (0, true), "{:?}", captured.records.prices);

    let own = NamedPrices::default().with("CREATE_MODEL", 312.5);
    let configured = config(&server).with(|config| config.bigquery_statement_usd_per_tib = own);
    let captured = run(configured, |client| async move { (by_price(&client).await, by_bytes(&client).await.unwrap()) });
    let (priced, job) = captured.value;
    assert!(priced.is_ok(), "{priced:?}");
    assert!((job.price.usd - 3.125).abs() < 1e-4, "{:?}", job.price);
}

#[test]
fn a_script_that_creates_a_model_is_priced_as_one() {
    const SCRIPT: &str = "BEGIN CREATE OR REPLACE MODEL d.m OPTIONS (model_type = 'kmeans') AS SELECT a FROM d.t; END";
    #[bq_cost(max_usd = 7.0)]
    async fn script(client: &Client, sql: &str) -> Result<f64, BigQueryError> {
        client.query(sql).run().await.map(|job| job.price.usd)
    }
    let server = server_with_bytes(TIB / 100);
    server.change(|behaviour| {
        behaviour.dry_run = json!({"statementType": "SCRIPT"});
        behaviour.more = json!({"statementType": "SCRIPT"});
    });
    let captured = run(config(&server), |client| async move {
        let dry = client.query(SCRIPT).dry_run().await.unwrap();
        assert!(dry.price.is_none(), "{dry:?}");
        (script(&client, SCRIPT).await.unwrap_err(), script(&client, "BEGIN SELECT 'CREATE MODEL d.m'; END").await)
    });
    let (refused, plain) = captured.value;
    let limit = refused.refused().map(|refused| refused.limit.clone());
    assert_eq!(limit, Some(CostLimit::UnknownPrice { statement: "CREATE_MODEL".to_owned() }));
    assert!(plain.is_ok_and(|usd| usd < 0.07));
    let own = NamedPrices::default().with("CREATE_MODEL", 312.5);
    let configured = config(&server).with(|config| config.bigquery_statement_usd_per_tib = own);
    let captured = run(configured, |client| async move { script(&client, SCRIPT).await.unwrap() });
    assert!((captured.value - 3.125).abs() < 1e-4, "{}", captured.value);
}

/// A procedure may create a model, or be one for Spark; a text may be anything.
#[test]
fn what_a_call_or_a_text_that_is_run_costs_is_a_lower_bound() {
    for (statement, sql, is_open) in [
        ("CALL", "CALL d.train()", true),
        ("SCRIPT", "DECLARE x STRING; EXECUTE IMMEDIATE x", true),
        ("SCRIPT", "BEGIN SELECT 1; CALL d.train(); END", true),
        ("SCRIPT", "DECLARE x INT64; SELECT 'CALL d.train()'", false),
        ("SELECT", "SELECT call FROM d.t", false),
    ] {
        let server = server_with_bytes(TIB);
        server.change(|behaviour| {
            behaviour.dry_run = json!({"statementType": statement, "totalBytesProcessedAccuracy": "PRECISE"});
            behaviour.more = json!({"statementType": statement});
        });
        let captured = run(config(&server), |client| async move {
            let dry = client.query(sql).dry_run().await.unwrap();
            (dry.accuracy, client.query(sql).run().await.unwrap().price.usd)
        });
        let accuracy = if is_open { Accuracy::LowerBound } else { Accuracy::Precise };
        assert_eq!(captured.value, (accuracy, 6.25), "{sql}");
    }
    let server = server_with_bytes(TIB);
    server.change(|behaviour| behaviour.dry_run = json!({"statementType": "CALL"}));
    let folder = tempfile::tempdir().unwrap();
    let mut running = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .env("BIGQUERY_EMULATOR_HOST", server.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("OBS_BUDGETS", "shared=7USD/day")
        .env("OBS_STATE_DIR", folder.path())
        .env("PROMETHEUS_PORT", "0")
        .start();
    running.write_line("report");
    let log = running.finish().log();
    let costs: Vec<_> = log.iter().filter(|line| line["cost_kind"] == "actual").collect();
    assert_eq!(costs.len(), 1, "{log:#?}");
    assert_eq!((&costs[0]["cost_is_lower_bound"], &costs[0]["cost_usd"]), (&json!(true), &json!(6.25)));
}
