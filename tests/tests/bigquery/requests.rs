//! What a query sends: labels, parameters and options.

use std::time::Duration;

use obs_runtime::bigquery::{BigQueryError, Client, Hint, Parameter};
use obs_runtime::bq_cost;
use obs_tests::servers::scripted_bigquery::{Call, Reply, Request};
use serde_json::json;

use crate::support::{MIB, TIB, config, limited, run, server_with_bytes};

#[test]
fn job_labels_follow_the_rules_of_bigquery() {
    let server = server_with_bytes(MIB);
    let config = config(&server).with(|config| {
        config.service_name = "Marketing Suite".into();
        config.environment = "prod".into();
    });
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
    assert_eq!(
        labels[0],
        json!({"service": "marketing_suite", "environment": "prod", "operation": "limited", "team": "growth_team",
               "cost_centre": "42", "correlation_id": "abc-123"})
    );
    assert_eq!(labels[1]["team"], "finance_");
}

#[test]
fn parameters_are_typed_and_legacy_sql_is_off() {
    let server = server_with_bytes(MIB);
    run(config(&server), |client| async move {
        let query = client.query("SELECT @day, @ids, @missing, @when").bind("day", 3).bind("@ids", vec!["a", "b"]);
        query.bind("missing", None::<f64>).bind("when", Parameter::date("2026-11-26")).run().await.unwrap();
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
fn a_missing_partition_filter_of_an_expensive_query_is_a_hint_on_request() {
    let server = server_with_bytes(TIB);
    server.change(|behaviour| behaviour.table = json!({"timePartitioning": {"type": "DAY", "field": "Day"}}));
    let captured = run(config(&server), |client| async move {
        let all = client.query("SELECT n FROM d.t WHERE note = 'day'").run().await.unwrap();
        let some = client.query("SELECT n FROM d.t WHERE day = '2026-11-26'").run().await.unwrap();
        assert!(server.requests(Call::Table).is_empty(), "a result does not wait for hints");
        let hints = (all.hints().await, some.hints().await, all.hints().await);
        assert_eq!(server.requests(Call::Table).len(), 1);
        hints
    });
    let hint = vec![Hint::NoPartitionFilter { table: "p.d.t".into(), column: "Day".into() }];
    assert_eq!(captured.value, (hint.clone(), vec![], hint));
}

#[test]
fn a_failed_request_for_a_hint_is_not_repeated() {
    let server = server_with_bytes(TIB);
    server.next(Call::Table, Reply::error(403, "accessDenied", "Access Denied: Table p:d.t"));
    run(config(&server), |client| async move {
        for _ in 0..2 {
            let job = client.query("SELECT n FROM d.t").run().await.unwrap();
            assert_eq!(job.hints().await, []);
        }
        assert_eq!(server.requests(Call::Table).len(), 1);
    });
}

#[test]
fn the_labels_of_a_query_come_before_those_of_scopes_and_of_obs() {
    #[bq_cost(labels(team = "growth"))]
    async fn scope(client: &Client) -> Result<(), BigQueryError> {
        client.query("SELECT 1").run().await?;
        let query =
            client.query("SELECT 1").label("service", "first").label("Service", "own").label("operation", "load");
        query.run().await.map(drop)
    }
    let server = server_with_bytes(MIB);
    run(config(&server), |client| async move {
        scope(&client).await.unwrap();
        let error = client.query("SELECT 1").label("--9", "x").run().await.unwrap_err();
        assert_eq!(error.to_string(), "the label key `--9` has no letter, with which a key begins");
        let many = (0..65).fold(client.query("SELECT 1"), |query, at| query.label(format!("k{at}"), "x"));
        assert_eq!(many.run().await.unwrap_err().to_string(), "the query has 65 labels; a job has at most 64");
    });
    let sent = server.requests(Call::Insert);
    let label = |at: usize, key: &str| sent[at].body["configuration"]["labels"][key].clone();
    assert_eq!(
        (label(0, "service"), label(0, "operation"), label(0, "team")),
        ("decentclaude".into(), "scope".into(), "growth".into())
    );
    assert_eq!(
        (label(1, "service"), label(1, "operation"), label(1, "team")),
        ("own".into(), "load".into(), "growth".into())
    );
    assert_eq!(sent.len(), 2);
}

#[test]
fn bigquery_gets_the_timeout_of_a_query() {
    let server = server_with_bytes(MIB);
    run(config(&server), |client| async move {
        client.query("SELECT 1").timeout(Duration::from_secs(50)).run().await.unwrap();
        client.query("SELECT 1").timeout(Duration::MAX).run().await.unwrap();
        client.query("SELECT 1").run().await.unwrap();
    });
    let timeout =
        |request: &Request| request.body["configuration"]["jobTimeoutMs"].as_str().map(|ms| ms.parse::<i64>().unwrap());
    let sent: Vec<_> = server.requests(Call::Insert).iter().map(timeout).collect();
    assert!(sent[0].is_some_and(|ms| ms > 0 && ms <= 50_000) && sent[1] > sent[0] && sent[2].is_none(), "{sent:?}");
    assert!(server.requests(Call::DryRun).iter().all(|request| timeout(request).is_none()));
}
