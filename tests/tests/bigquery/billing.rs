//! What queries cost, as recorded in metrics, prices and log lines.

use std::time::Duration;

use obs_runtime::bigquery::{BigQueryError, Client};
use obs_runtime::{bq_cost, track_cli_command};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, ScriptedBigQuery};
use serde_json::json;

use crate::support::{MIB, TIB, config, limited, run, server_with_bytes};

#[test]
fn billed_bytes_and_cost_are_recorded() {
    let server = server_with_bytes(TIB);
    let captured = run(config(&server), |client| async move { limited(&client).await.unwrap() });
    assert_eq!(captured.value, [0, 1, 2]);
    let metrics = captured.metrics;
    assert_eq!(metrics.value("bigquery.total_cost.usd", &[("operation", "limited")]), Some(6.25));
    for kind in ["estimate", "actual"] {
        assert_eq!(
            metrics.value("bigquery.cost.usd", &[("operation", "limited"), ("kind", kind)]),
            Some(1.0),
            "{kind}"
        );
    }
    assert_eq!(metrics.value("bigquery.bytes_billed", &[("operation", "limited")]), Some(1.0));
    let query = [("query_type", "report"), ("cache_hit", "false")];
    assert_eq!(metrics.value("bigquery.query.count", &query), Some(1.0));
    assert_eq!(metrics.value("bigquery.query.rows_returned", &[("query_type", "report")]), Some(1.0));
    let prices = captured.records.prices;
    assert_eq!(prices, [("limited".to_owned(), true, 6.25), ("limited".to_owned(), false, 6.25)]);
}

#[test]
fn a_cached_or_failed_query_costs_nothing() {
    let server = server_with_bytes(TIB);
    server.change(|behaviour| behaviour.more = json!({"cacheHit": true, "totalBytesBilled": "0"}));
    let captured = run(config(&server), |client| async move {
        let cached = limited(&client).await;
        server.change(|behaviour| {
            behaviour.more = json!({});
            behaviour.failures.push_back(("invalidQuery".into(), "Division by zero: 1 / 0".into()));
        });
        let failed = limited(&client).await;
        (cached, failed, client.query("SELECT 1").run().await)
    });
    assert!(captured.value.0.is_ok());
    assert_eq!(captured.value.1.unwrap_err().reason().unwrap(), &"invalidQuery");
    let spent: Vec<f64> =
        captured.records.prices.iter().filter(|(_, estimate, _)| !estimate).map(|price| price.2).collect();
    assert_eq!(spent, [0.0, 6.25]);
}

#[test]
fn a_definition_is_free_and_one_with_a_query_is_not() {
    let server = server_with_bytes(TIB);
    let created = json!({"statementType": "CREATE_TABLE", "ddlOperationPerformed": "CREATE",
        "ddlTargetTable": {"projectId": "p", "datasetId": "d", "tableId": "new"}});
    // Google leaves the bytes of such a job out, or reports zero.
    let nothing = json!({"totalBytesProcessed": null, "totalBytesBilled": null, "totalSlotMs": null});
    let none = json!({"totalBytesProcessed": "0", "totalBytesBilled": "0"});
    for (bytes, usd) in [(nothing, 0.0), (none, 0.0), (json!({"statementType": "CREATE_TABLE_AS_SELECT"}), 6.25)] {
        let mut more = created.clone();
        more.as_object_mut().unwrap().extend(bytes.as_object().unwrap().clone());
        server.change(|behaviour| {
            behaviour.more = more;
            behaviour.statistics = if usd == 0.0 { json!({"totalBytesProcessed": null}) } else { json!({}) };
        });
        let captured = run(config(&server), |client| async move { limited(&client).await.map(|_| ()) });
        assert!(captured.value.is_ok());
        let spent = captured.metrics.value("bigquery.total_cost.usd", &[("operation", "limited")]);
        assert_eq!(spent.unwrap_or_default(), usd, "{bytes}");
        assert_eq!(captured.records.prices.last(), Some(&("limited".to_owned(), false, usd)));
    }
}

#[test]
fn a_query_on_a_reservation_costs_slot_time() {
    let server = server_with_bytes(TIB);
    server.change(|behaviour| behaviour.statistics = json!({"reservation_id": "p:US.etl"}));
    let config = config(&server).with(|config| config.bigquery_usd_per_slot_hour = 0.5.into());
    let captured = run(config, |client| async move { client.query("SELECT 1").run().await.unwrap() });
    // 7,200 slot milliseconds are 1/500 of an hour.
    assert!((captured.value.price.usd - 0.001).abs() < 1e-12, "{:?}", captured.value.price);
    assert_eq!(captured.value.statistics.slot_time, Some(Duration::from_millis(7200)));
}

#[test]
fn the_estimate_is_at_least_ten_mebibytes_for_each_table() {
    let server = server_with_bytes(1);
    server.change(|behaviour| behaviour.tables = vec!["p.d.a".into(), "p.d.b".into(), "p.d.a".into()]);
    let captured = run(config(&server), |client| async move { client.query("SELECT 1").dry_run().await.unwrap() });
    assert_eq!((captured.value.bytes_processed, captured.value.bytes_billed), (1, 20 * MIB));
    assert_eq!(captured.value.tables, ["p.d.a", "p.d.b"]);
    assert!(captured.records.prices.is_empty());
}

#[test]
fn a_command_logs_what_it_spent() {
    let server = server_with_bytes(TIB);
    let captured = run(config(&server), |client| async move {
        let runtime = tokio::runtime::Handle::current();
        // A synchronous command with async queries.
        track_cli_command("nightly", || {
            std::thread::scope(|scope| {
                let inside = obs_runtime::ClosureInContext::in_current_context(move || {
                    runtime.block_on(async { client.query("SELECT 1").run().await.map(drop) })
                });
                scope.spawn(inside).join().unwrap()
            })
        })
        .unwrap();
    });
    let line = captured.records.logs.iter().find(|line| line.message.contains("spent")).expect("a line of costs");
    assert_eq!(line.message, "nightly spent $6.250000 on 1 query");
    assert!(line.fields.contains(&("cost_usd".to_owned(), "6.25".to_owned())), "{:?}", line.fields);
}

#[test]
fn no_dry_run_is_made_when_cost_tracking_is_off() {
    let server = server_with_bytes(TIB);
    let config = config(&server).with(|config| config.cost_tracking_enabled = false);
    let captured = run(config, |client| async move { limited(&client).await });
    assert!(captured.value.is_ok());
    assert!(server.requests(Call::DryRun).is_empty() && captured.records.prices.is_empty());
}

#[test]
fn a_script_costs_the_sum_of_its_statements() {
    #[bq_cost(max_usd = 100.0)]
    async fn script(client: &Client) -> Result<(f64, Option<String>), BigQueryError> {
        let job = client.query("DECLARE x INT64; SET x = (SELECT MAX(n) FROM d.t); SELECT x").run().await?;
        Ok((job.price.usd, job.statement_type))
    }
    let server =
        ScriptedBigQuery::start(Behaviour { billed_bytes: 3 * TIB, estimated_bytes: TIB, ..Behaviour::default() });
    // As Google documents: the parent job has the sums and the number of its child jobs.
    server.change(|behaviour| {
        behaviour.more = json!({"statementType": "SCRIPT"});
        behaviour.statistics = json!({"numChildJobs": "2", "totalSlotMs": "7200"});
    });
    let captured = run(config(&server), |client| async move { script(&client).await.unwrap() });
    assert_eq!(captured.value, (18.75, Some("SCRIPT".to_owned())));
    assert_eq!(captured.metrics.value("bigquery.total_cost.usd", &[("operation", "script")]), Some(18.75));
    // Statements that ran before the script failed are billed too.
    server.change(|behaviour| behaviour.failures.push_back(("invalidQuery".into(), "half way at [2:1]".into())));
    let captured = run(config(&server), |client| async move { script(&client).await });
    assert!(captured.value.is_err());
    assert_eq!(captured.metrics.value("bigquery.total_cost.usd", &[("operation", "script")]), Some(18.75));
}
