//! Limits on the cost of queries: by scope, by query, and thresholds that only warn.

use obs_runtime::bigquery::{BigQueryError, Client, CostLimit};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::{bq_cost, spawn};
use obs_tests::calendar::within_one_month;
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, Request, ScriptedBigQuery};
use serde_json::json;

use crate::support::{MIB, TIB, config, limited, run, server_with_bytes};

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
fn a_query_over_the_limit_is_refused_before_it_runs() {
    let server = server_with_bytes(2 * TIB);
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
    // There is an error, so there is no message.
    assert_eq!(captured.records.messages.len(), 0);
    let labels = [("operation", "limited"), ("reason", "limit")];
    assert_eq!(captured.metrics.value("bigquery.cost_alert", &labels), Some(1.0));
    assert!(captured.metrics.family("bigquery.total_cost.usd").is_none());
}

#[test]
fn a_query_counts_against_the_limits_of_all_outer_scopes() {
    let server = server_with_bytes(TIB);
    let captured = run(config(&server), outer);
    // Three queries of one TiB fit into 20 dollars and 3 TiB, a fourth does not.
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
    let server = server_with_bytes(20 * MIB);
    run(config(&server), |client| async move {
        scope(&client).await.unwrap();
        let own = client.query("SELECT 1").max_bytes(20 * MIB).run().await;
        assert!(own.is_ok(), "{own:?}");
        let error = client.query("SELECT 1").max_bytes(20 * MIB - 1).run().await.unwrap_err();
        let limit = error.refused().map(|refused| &refused.limit);
        assert_eq!(limit, Some(&CostLimit::Bytes { max_bytes: 20 * MIB - 1, used_bytes: 0 }));
    });
    let maxima: Vec<_> = server
        .requests(Call::Insert)
        .iter()
        .map(|request| request.body["configuration"]["query"]["maximumBytesBilled"].clone())
        .collect();
    assert_eq!(maxima, [json!((30 * MIB).to_string()), json!((20 * MIB).to_string())]);
}

#[test]
fn maximum_bytes_billed_is_what_the_limits_of_the_scopes_leave() {
    let server = server_with_bytes(TIB);
    run(config(&server), |client| async move { outer(client).await.len() });
    let maximum = |request: &Request| {
        request.body["configuration"]["query"]["maximumBytesBilled"].as_str().unwrap().parse::<u64>().unwrap()
    };
    let maxima: Vec<u64> = server.requests(Call::Insert).iter().map(maximum).collect();
    // 7 dollars of the inner scope are 1.12 TiB. The outer scope leaves 7.5 dollars to the third query.
    let inner = TIB / 100 * 112 + TIB % 100 * 112 / 100 + 1;
    assert_eq!(maxima.len(), 3);
    assert!(maxima.iter().all(|maximum| *maximum <= inner && *maximum >= TIB), "{maxima:?}");
}

#[test]
fn a_failed_or_refused_query_does_not_count_against_the_limit() {
    #[bq_cost(max_usd = 10.0)]
    async fn scope(client: &Client) -> Vec<bool> {
        let mut ran = Vec::new();
        for _ in 0..3 {
            ran.push(client.query("SELECT 1").run().await.is_ok());
        }
        ran
    }
    let server = server_with_bytes(TIB);
    server.change(|behaviour| behaviour.failures.push_back(("invalidQuery".into(), "no".into())));
    let captured = run(config(&server), |client| async move { scope(&client).await });
    assert_eq!(captured.value, [false, true, false]);
}

#[test]
fn a_threshold_warns_once_and_does_not_refuse() {
    #[bq_cost(alert_over_usd = 10.0)]
    async fn watched(client: &Client) -> usize {
        let mut ran = 0;
        for _ in 0..3 {
            ran += usize::from(client.query("SELECT 1").run().await.is_ok());
        }
        ran
    }
    let server = server_with_bytes(TIB);
    let config = config(&server).with(|config| config.cost_alert_threshold_usd = 6.0);
    let captured = run(config, |client| async move {
        client.query("SELECT 1").run().await.unwrap();
        watched(&client).await
    });
    assert_eq!(captured.value, 3);
    let alerts: Vec<_> =
        captured.records.cost_alerts.iter().map(|(operation, reason)| (&**operation, &**reason)).collect();
    assert_eq!(alerts, [("unknown", "threshold"), ("watched", "threshold")]);
    // No query fails, so each alert is a message.
    let messages: Vec<_> = captured.records.messages.iter().map(|message| &*message.failure.message).collect();
    assert_eq!(
        messages,
        [
            "a query outside of any operation costs 6.250000 USD, over its threshold of 6 USD",
            "watched costs 12.500000 USD, over its threshold of 10 USD"
        ]
    );
}

/// BigQuery's answer to a query that would be billed for more than its `maximumBytesBilled`.
fn over_limit() -> Reply {
    let message = "Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.";
    Reply::error(400, "bytesBilledLimitExceeded", message)
}

#[bq_cost(max_usd = 7.0)]
async fn seven(client: &Client) -> Result<(), BigQueryError> {
    client.query("SELECT 1").run().await.map(drop)
}

#[test]
fn a_query_that_bigquery_refuses_for_its_bytes_is_estimated_anew_once() {
    let server = server_with_bytes(20 * MIB);
    server.next(Call::Insert, over_limit());
    let captured = run(config(&server), |client| async move { seven(&client).await });
    assert!(captured.value.is_ok(), "{:?}", captured.value);
    assert_eq!((server.requests(Call::DryRun).len(), server.jobs()), (2, 1));
    assert_eq!(captured.records.cost_alerts, []);
    (0..2).for_each(|_| server.next(Call::Insert, over_limit()));
    let captured = run(config(&server), |client| async move { seven(&client).await.unwrap_err() });
    assert_eq!(captured.value.reason().unwrap(), &"bytesBilledLimitExceeded");
    assert_eq!(captured.records.cost_alerts, [("seven".to_owned(), "limit".to_owned())]);
    assert_eq!((server.requests(Call::DryRun).len(), server.jobs()), (4, 1));
}

#[test]
fn a_table_that_grew_after_the_dry_run_is_refused_with_its_new_cost() {
    let server = server_with_bytes(2 * TIB);
    let small = json!({"jobReference": {"projectId": "p", "location": "US"}, "status": {"state": "DONE"},
        "statistics": {"query": {"totalBytesProcessed": "1", "statementType": "SELECT"}}});
    server.next(Call::DryRun, Reply::Answer(200, small));
    server.next(Call::Insert, over_limit());
    let captured = run(config(&server), |client| async move { seven(&client).await.unwrap_err() });
    let refused = captured.value.refused().expect("it is refused");
    assert_eq!((refused.estimate.usd, &refused.limit), (12.5, &CostLimit::Usd { max_usd: 7.0, used_usd: 0.0 }));
    assert_eq!(server.jobs(), 0);
}

#[test]
fn maximum_bytes_billed_is_what_a_budget_leaves_also_for_a_script() {
    #[bq_cost(budget = "hundred")]
    async fn scope(client: &Client) -> Result<(), BigQueryError> {
        client.query("FOR row IN (SELECT 1) DO SELECT 1; END FOR").run().await.map(drop)
    }
    let folder = tempfile::tempdir().unwrap();
    // The dry run of a script ends at its first control statement.
    let server = ScriptedBigQuery::start(Behaviour { estimated_bytes: 0, billed_bytes: TIB, ..Behaviour::default() });
    server.change(|behaviour| behaviour.more = json!({"statementType": "SCRIPT"}));
    let config = config(&server).with(|config| {
        config.state_dir = Some(folder.path().to_owned());
        config.budgets = vec![Budget::new("hundred", 100.0, BudgetPeriod::Month)];
    });
    within_one_month(|| {
        let _ = std::fs::remove_file(folder.path().join("budgets.sqlite3"));
        let before = server.requests(Call::Insert).len();
        run(config.clone(), |client| async move {
            scope(&client).await.unwrap();
            scope(&client).await.unwrap();
        });
        let maximum = |request: &Request| request.body["configuration"]["query"]["maximumBytesBilled"].clone();
        let maxima: Vec<_> = server.requests(Call::Insert)[before..].iter().map(maximum).collect();
        // 100 and 93.75 US dollars.
        assert_eq!(maxima, [json!((16 * TIB).to_string()), json!((15 * TIB).to_string())]);
    });
}

#[test]
fn a_limit_of_bytes_does_not_count_the_minimum_of_each_table() {
    #[bq_cost(max_bytes = "1 GiB")]
    async fn scope(client: &Client, max_bytes: u64) -> Result<(), BigQueryError> {
        client.query("SELECT 1").max_bytes(max_bytes).run().await.map(drop)
    }
    let gib = 1 << 30;
    let server = server_with_bytes(gib);
    server.change(|behaviour| behaviour.tables = vec!["p.d.a".into(), "p.d.b".into()]);
    run(config(&server), |client| async move {
        assert!(scope(&client, gib).await.is_ok());
        assert!(scope(&client, gib - 1).await.unwrap_err().refused().is_some());
    });
    let sent = server.requests(Call::Insert);
    assert_eq!(sent[0].body["configuration"]["query"]["maximumBytesBilled"], gib.to_string());
    // BigQuery refuses less than the minimum charge.
    server.change(|behaviour| behaviour.estimated_bytes = MIB);
    run(config(&server), |client| async move { scope(&client, MIB).await.unwrap() });
    let sent = server.requests(Call::Insert);
    assert_eq!(sent[1].body["configuration"]["query"]["maximumBytesBilled"], (20 * MIB).to_string());
}
