//! What a query costs: known before, refused when too high, exact after.

use std::time::Duration;

use obs_runtime::bigquery::{BigQueryError, Client, CostLimit, Hint};
use obs_runtime::{Config, bq_cost, spawn, track_cli_command};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, ScriptedBigQuery};
use serde_json::json;

use crate::support::{MIB, TIB, config, run};

fn server(bytes: u64) -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour { estimated_bytes: bytes, billed_bytes: bytes, ..Behaviour::default() })
}

#[bq_cost(max_usd = 7.0, query_type = "report", labels(team = "Growth Team", cost_centre = 42))]
async fn limited(client: &Client) -> Result<Vec<u64>, BigQueryError> {
    client.query("SELECT n FROM d.t WHERE name = 'Ada Lovelace' AND id = 4711").rows::<u64>().await?.all().await
}

#[bq_cost(max_usd = 20.0, max_bytes = "3 TiB")]
async fn outer(client: Client) -> Vec<Result<Vec<u64>, BigQueryError>> {
    let spawned = spawn({
        let client = client.clone();
        async move { limited(&client).await }
    });
    let mut results = vec![limited(&client).await];
    results.push(spawned.await.unwrap());
    for _ in 0..3 {
        results.push(limited(&client).await);
    }
    results
}

#[test]
fn what_was_billed_is_measured_logged_and_added_up() {
    let server = server(TIB);
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
fn a_query_over_the_limit_is_refused_and_nothing_runs() {
    let server = server(2 * TIB);
    let captured = run(config(&server), |client| async move { limited(&client).await.unwrap_err() });
    let refused = captured.value.refused().expect("it was refused").clone();
    assert_eq!((refused.estimate.usd, refused.estimate.bytes_billed), (12.5, 2 * TIB));
    assert_eq!(refused.limit, CostLimit::Usd { max_usd: 7.0, used_usd: 0.0 });
    assert_eq!(refused.operation, "limited");
    assert_eq!(refused.query.as_deref(), Some("SELECT n FROM d.t WHERE name = ? AND id = ?"));
    assert!(captured.value.to_string().contains("would cost $12.500000"), "{}", captured.value);
    assert_eq!(server.jobs(), 0);
    assert_eq!(server.requests(Call::DryRun).len(), 1);
    assert_eq!(captured.records.cost_alerts, [("limited".to_owned(), "limit".to_owned())]);
    // The error tells it: there is no message besides.
    assert_eq!(captured.records.messages.len(), 0);
    let labels = [("operation", "limited"), ("reason", "limit")];
    assert_eq!(captured.metrics.value("bigquery.cost_alert", &labels), Some(1.0));
    assert!(captured.metrics.family("bigquery.total_cost.usd").is_none());
}

#[test]
fn outer_scopes_have_limits_too_however_deep_the_query_is() {
    let server = server(TIB);
    let captured = run(config(&server), outer);
    // Three of one TiB are within 20 dollars and 3 TiB, which the fourth would pass.
    let refused: Vec<_> = captured.value.iter().filter_map(|result| result.as_ref().err()?.refused()).collect();
    assert_eq!((captured.value.iter().filter(|result| result.is_ok()).count(), refused.len()), (3, 2));
    for refused in refused {
        assert_eq!(refused.operation, "outer");
        assert_eq!(refused.limit, CostLimit::Usd { max_usd: 20.0, used_usd: 18.75 });
    }
    assert_eq!(server.jobs(), 3);
    assert_eq!(captured.metrics.value("bigquery.total_cost.usd", &[("operation", "limited")]), Some(18.75));
    assert!(captured.records.prices.iter().all(|(operation, ..)| operation == "limited"));
}

#[test]
fn bytes_are_limited_by_the_scope_and_by_the_query() {
    #[bq_cost(max_bytes = "30 MiB")]
    async fn scope(client: &Client) -> Result<(), BigQueryError> {
        client.query("SELECT 1").run().await.map(drop)
    }
    let server = server(20 * MIB);
    run(config(&server), |client| async move {
        scope(&client).await.unwrap();
        let own = client.query("SELECT 1").max_bytes(20 * MIB).run().await;
        assert!(own.is_ok(), "{own:?}");
        let error = client.query("SELECT 1").max_bytes(20 * MIB - 1).run().await.unwrap_err();
        let limit = error.refused().map(|refused| &refused.limit);
        assert_eq!(limit, Some(&CostLimit::Bytes { max_bytes: 20 * MIB - 1, used_bytes: 0 }));
    });
    let belts: Vec<_> = server
        .requests(Call::Insert)
        .iter()
        .map(|request| request.body["configuration"]["query"]["maximumBytesBilled"].clone())
        .collect();
    assert_eq!(belts, [json!((30 * MIB).to_string()), json!((20 * MIB).to_string())]);
}

#[test]
fn the_belt_is_what_the_scopes_limits_leave() {
    let server = server(TIB);
    run(config(&server), |client| async move { outer(client).await.len() });
    let belt = |request: &obs_tests::servers::scripted_bigquery::Request| {
        request.body["configuration"]["query"]["maximumBytesBilled"].as_str().unwrap().parse::<u64>().unwrap()
    };
    let belts: Vec<u64> = server.requests(Call::Insert).iter().map(belt).collect();
    // 7 dollars of the inner scope buy 1.12 TiB; of the outer one's 20 dollars the third is left 7.5 of, its own included.
    let inner = TIB / 100 * 112 + TIB % 100 * 112 / 100 + 1;
    assert_eq!(belts.len(), 3);
    assert!(belts.iter().all(|belt| *belt <= inner && *belt >= TIB), "{belts:?}");
}

#[test]
fn jobs_have_labels_by_the_rules_of_bigquery() {
    let server = server(MIB);
    let config = Config { service_name: "Marketing Suite".into(), environment: "prod".into(), ..config(&server) };
    run(config, |client| async move {
        obs_runtime::set_correlation_id("ABC-123");
        limited(&client).await.unwrap();
        client.query("SELECT 1").label("Team", "Finance!").run().await.unwrap();
    });
    let labels: Vec<_> = server
        .requests(Call::Insert)
        .into_iter()
        .map(|request| request.body["configuration"]["labels"].clone())
        .collect();
    let id = labels[0]["correlation_id"].clone();
    assert_eq!(
        labels[0],
        json!({"service": "marketing_suite", "environment": "prod", "operation": "limited", "team": "growth_team",
               "cost_centre": "42", "correlation_id": id})
    );
    assert_eq!(labels[1]["team"], "finance_");
}

#[test]
fn parameters_are_typed_and_legacy_sql_is_off() {
    use obs_runtime::bigquery::Parameter;
    let server = server(MIB);
    run(config(&server), |client| async move {
        let query = client.query("SELECT @day, @ids, @nobody, @when").bind("day", 3).bind("@ids", vec!["a", "b"]);
        query.bind("nobody", None::<f64>).bind("when", Parameter::date("2026-11-26")).run().await.unwrap();
        client.query("SELECT ?").bind_next(true).run().await.unwrap();
        let both = client.query("SELECT ?, @a").bind_next(true).bind("a", 1).run().await.unwrap_err();
        assert!(matches!(both, BigQueryError::Usage(_)), "{both}");
    });
    let sent: Vec<_> = server
        .requests(Call::Insert)
        .into_iter()
        .map(|request| request.body["configuration"]["query"].clone())
        .collect();
    assert_eq!(sent[0]["useLegacySql"], false);
    assert_eq!((&sent[0]["parameterMode"], &sent[1]["parameterMode"]), (&json!("NAMED"), &json!("POSITIONAL")));
    let parameter = |at: usize| {
        (
            sent[0]["queryParameters"][at]["parameterType"].clone(),
            sent[0]["queryParameters"][at]["parameterValue"].clone(),
        )
    };
    assert_eq!(parameter(0), (json!({"type": "INT64"}), json!({"value": "3"})));
    assert_eq!(
        parameter(1),
        (
            json!({"type": "ARRAY", "arrayType": {"type": "STRING"}}),
            json!({"arrayValues": [{"value": "a"}, {"value": "b"}]})
        )
    );
    assert_eq!(parameter(2), (json!({"type": "FLOAT64"}), json!({})));
    assert_eq!(parameter(3), (json!({"type": "DATE"}), json!({"value": "2026-11-26"})));
}

#[test]
fn a_cached_or_failed_query_costs_nothing() {
    let server = server(TIB);
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
fn a_statement_that_defines_something_is_free_and_one_that_reads_for_it_is_not() {
    let server = server(TIB);
    let created = json!({"statementType": "CREATE_TABLE", "ddlOperationPerformed": "CREATE",
        "ddlTargetTable": {"projectId": "p", "datasetId": "d", "tableId": "new"}});
    // What Google says of such a job: nothing of bytes, or that there are none.
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
fn a_failed_or_refused_query_leaves_the_scope_its_rest() {
    #[bq_cost(max_usd = 10.0)]
    async fn scope(client: &Client) -> Vec<bool> {
        let mut ran = Vec::new();
        for _ in 0..3 {
            ran.push(client.query("SELECT 1").run().await.is_ok());
        }
        ran
    }
    let server = server(TIB);
    server.change(|behaviour| behaviour.failures.push_back(("invalidQuery".into(), "no".into())));
    let captured = run(config(&server), |client| async move { scope(&client).await });
    assert_eq!(captured.value, [false, true, false]);
}

#[test]
fn a_reservation_costs_slot_time() {
    let server = server(TIB);
    server.change(|behaviour| behaviour.statistics = json!({"reservation_id": "p:US.etl"}));
    let config = Config { bigquery_usd_per_slot_hour: 0.5, ..config(&server) };
    let captured = run(config, |client| async move { client.query("SELECT 1").run().await.unwrap() });
    // 7,200 slot milliseconds are a 500th of an hour.
    assert!((captured.value.price.usd - 0.001).abs() < 1e-12, "{:?}", captured.value.price);
    assert_eq!(captured.value.statistics.slot_time, Some(Duration::from_millis(7200)));
}

#[test]
fn every_table_is_estimated_at_ten_mebibytes_at_least() {
    let server = server(1);
    server.change(|behaviour| behaviour.tables = vec!["p.d.a".into(), "p.d.b".into(), "p.d.a".into()]);
    let captured = run(config(&server), |client| async move { client.query("SELECT 1").dry_run().await.unwrap() });
    assert_eq!((captured.value.bytes_processed, captured.value.price.bytes_billed), (1, 20 * MIB));
    assert_eq!(captured.value.tables, ["p.d.a", "p.d.b"]);
    assert!(captured.records.prices.is_empty());
}

#[test]
fn a_missing_partition_filter_is_told_once_it_costs() {
    let server = server(TIB);
    server.change(|behaviour| behaviour.table = json!({"timePartitioning": {"type": "DAY", "field": "Day"}}));
    let captured = run(config(&server), |client| async move {
        let all = client.query("SELECT n FROM d.t WHERE note = 'day'").run().await.unwrap();
        let some = client.query("SELECT n FROM d.t WHERE day = '2026-11-26'").run().await.unwrap();
        (all.hints, some.hints)
    });
    let hint = Hint::NoPartitionFilter { table: "p.d.t".into(), column: "Day".into() };
    assert_eq!(captured.value, (vec![hint], vec![]));
    assert_eq!(server.requests(Call::Table).len(), 1);
}

#[test]
fn a_threshold_warns_once_and_refuses_nothing() {
    #[bq_cost(alert_over_usd = 10.0)]
    async fn watched(client: &Client) -> usize {
        let mut ran = 0;
        for _ in 0..3 {
            ran += usize::from(client.query("SELECT 1").run().await.is_ok());
        }
        ran
    }
    let server = server(TIB);
    let config = Config { cost_alert_threshold_usd: 6.0, ..config(&server) };
    let captured = run(config, |client| async move {
        client.query("SELECT 1").run().await.unwrap();
        watched(&client).await
    });
    assert_eq!(captured.value, 3);
    let alerts: Vec<_> =
        captured.records.cost_alerts.iter().map(|(operation, reason)| (&**operation, &**reason)).collect();
    assert_eq!(alerts, [("unknown", "threshold"), ("watched", "threshold")]);
    // Nobody gets an error, so that there is a message for each.
    let messages: Vec<_> = captured.records.messages.iter().map(|message| &*message.failure.message).collect();
    assert_eq!(
        messages,
        [
            "unknown costs 6.250000 USD, over its threshold of 6 USD",
            "watched costs 12.500000 USD, over its threshold of 10 USD"
        ]
    );
}

#[test]
fn a_command_ends_with_what_it_spent() {
    let server = server(TIB);
    let captured = run(config(&server), |client| async move {
        let runtime = tokio::runtime::Handle::current();
        // A command that is not async, whose queries are.
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
fn nothing_is_asked_when_costs_are_not_tracked() {
    let server = server(TIB);
    let config = Config { cost_tracking_enabled: false, ..config(&server) };
    let captured = run(config, |client| async move { limited(&client).await });
    assert!(captured.value.is_ok());
    assert!(server.requests(Call::DryRun).is_empty() && captured.records.prices.is_empty());
}
