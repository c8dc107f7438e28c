//! Loads: rows by the streaming API, and files by a load job.

use obs_runtime::bigquery::{BigQueryError, LoadFormat};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};
use serde_json::json;

use crate::support::{assert_job_is_cancelled, config, drop_at, run};

const FILES: [&str; 2] = ["gs://bucket/a.json", "gs://bucket/b.json"];

fn server() -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour { polls: Some(3), ..Behaviour::default() })
}

#[test]
fn files_are_loaded_by_a_job() {
    let server = server();
    let captured = run(config(&server), |client| async move {
        let load = client.load("d.t", &FILES, LoadFormat::CsvWithHeader).await.unwrap();
        (load.rows, load.job_id)
    });
    let (rows, id) = captured.value;
    assert_eq!((rows, server.jobs(), server.requests(Call::Get).len()), (Some(3), 1, 3));
    let sent = &server.requests(Call::Insert)[0].body;
    assert_eq!(sent["jobReference"]["jobId"], id);
    let load = &sent["configuration"]["load"];
    assert_eq!(load["sourceUris"], json!(FILES));
    assert_eq!(load["destinationTable"], json!({"projectId": "p", "datasetId": "d", "tableId": "t"}));
    assert_eq!((&load["sourceFormat"], &load["skipLeadingRows"]), (&json!("CSV"), &json!(1)));
    assert_eq!(load["writeDisposition"], "WRITE_APPEND");
    assert_eq!(sent["configuration"]["labels"]["service"], "decentclaude");
    let operation = [("operation_type", "load"), ("dataset", "d")];
    assert_eq!(captured.metrics.value("bigquery.operation", &operation), Some(1.0));
    // A load is free and not a query.
    assert!(captured.records.prices.is_empty() && captured.metrics.family("bigquery.query.count").is_none());
}

#[test]
fn a_lost_reply_does_not_load_files_twice() {
    let server = server();
    server.next(Call::Insert, Reply::Lose);
    let captured =
        run(config(&server), |client| async move { client.load("d.t", &FILES, LoadFormat::JsonLines).await.unwrap() });
    assert_eq!((captured.value.rows, server.jobs()), (Some(3), 1));
}

#[test]
fn a_failed_load_is_retried_for_temporary_reasons_only() {
    let server = server();
    server.change(|behaviour| {
        behaviour.failures.push_back(("backendError".into(), "try again".into()));
        behaviour.failures.push_back(("invalid".into(), "Error while reading data, error message: JSON row 7".into()));
    });
    let captured =
        run(config(&server), |client| async move { client.load("d.t", &FILES, LoadFormat::Avro).await.unwrap_err() });
    let BigQueryError::Answer(answer) = &captured.value else { panic!("{:?}", captured.value) };
    assert_eq!((answer.reason.as_str(), server.jobs()), ("invalid", 2));
    assert!(answer.job_id.as_deref().is_some_and(|id| id.starts_with("obs_load_")), "{answer:?}");
}

#[test]
fn a_dropped_load_is_cancelled() {
    let server = ScriptedBigQuery::start(Behaviour { polls: None, ..Behaviour::default() });
    run(config(&server), async |client| {
        drop_at(Box::pin(client.load("d.t", &FILES, LoadFormat::Parquet)), &server, Call::Get).await;
    });
    assert_job_is_cancelled(&server);
}

#[test]
fn repeated_rows_have_the_same_insert_ids() {
    let server = server();
    server.next(Call::Rows, Reply::error(503, "backendError", "try again"));
    run(config(&server), |client| async move {
        client.insert("d.t", &[json!({"n": 1}), json!({"n": 2})]).await.unwrap();
    });
    let sent = server.requests(Call::Rows);
    assert_eq!((sent.len(), &sent[0].body), (2, &sent[1].body));
    let ids: std::collections::BTreeSet<_> =
        sent[0].body["rows"].as_array().unwrap().iter().map(|row| row["insertId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    assert!(sent[0].path.contains("/datasets/d/tables/t/insertAll"), "{}", sent[0].path);
}

#[test]
fn the_error_for_rejected_rows_does_not_contain_their_values() {
    let server = server();
    let refused = json!({"insertErrors": [{"index": 1, "errors": [{"reason": "invalid", "location": "born",
        "message": "Invalid date: 'Ada 1815'"}]}]});
    server.next(Call::Rows, Reply::Answer(200, refused));
    let captured = run(config(&server), |client| async move {
        client.insert("d.t", &[json!({"n": 1}), json!({"born": "Ada 1815"})]).await.unwrap_err()
    });
    let BigQueryError::Row { row: 1, why } = &captured.value else { panic!("{:?}", captured.value) };
    assert!(why.contains("1 rows were rejected") && !why.contains("Ada"), "{why}");
}

#[test]
fn the_error_for_a_missing_table_names_it() {
    let server = server();
    let message = "Not found: Table p:d.nowhere";
    for call in [Call::Rows, Call::Table, Call::DryRun] {
        server.next(call, Reply::error(404, "notFound", message));
    }
    let captured = run(config(&server), |client| async move {
        let inserted = client.insert("d.nowhere", &[json!({"n": 1})]).await.unwrap_err();
        let asked = client.table("d.nowhere").await.unwrap_err();
        let queried = client.query("SELECT * FROM d.nowhere").run().await.unwrap_err();
        [inserted, asked, queried]
    });
    for error in captured.value {
        assert_eq!(error.to_string(), format!("BigQuery: notFound: {message}"));
    }
}
