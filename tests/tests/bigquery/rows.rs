//! Results: polling, pages and streams.

use futures_util::TryStreamExt as _;
use obs_runtime::bigquery::BigQueryError;
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};
use serde_json::{Value, json};

use crate::support::{MIB, config, run};

#[test]
fn a_failed_page_can_be_requested_again() {
    let server = ScriptedBigQuery::start(Behaviour::default());
    server.change(|behaviour| behaviour.rows = 10);
    let captured = run(config(&server), |client| async move {
        let mut rows = client.query("SELECT n FROM d.t").page_size(4).rows::<(u64,)>().await.unwrap();
        let first = rows.next_page().await.unwrap().unwrap();
        assert_eq!((first.len(), rows.total()), (4, 10));
        server.next(Call::Results, Reply::error(503, "backendError", "try again"));
        let second = rows.next_page().await.unwrap().unwrap();
        server.next(Call::Results, Reply::error(403, "accessDenied", "no more"));
        assert!(rows.next_page().await.is_err());
        let third = rows.next_page().await.unwrap().unwrap();
        assert!(rows.next_page().await.unwrap().is_none());
        [first, second, third].concat().into_iter().map(|row| row.0).collect::<Vec<_>>()
    });
    assert_eq!(captured.value, (0..10).collect::<Vec<_>>());
}

#[test]
fn results_are_polled_until_the_job_is_done() {
    let server = ScriptedBigQuery::start(Behaviour::default());
    server.change(|behaviour| behaviour.polls = Some(7));
    let captured =
        run(config(&server), |client| async move { client.query("SELECT 1").rows::<u64>().await.unwrap().total() });
    assert_eq!(captured.value, 3);
    let polls = server.requests(Call::Results);
    assert!(
        polls.len() >= 7 && polls.iter().take(7).all(|request| request.path.contains("timeoutMs=10000")),
        "{polls:?}"
    );
}

#[test]
fn a_stream_of_rows_ends_with_the_first_error() {
    let server = ScriptedBigQuery::start(Behaviour { rows: 10, estimated_bytes: MIB, ..Behaviour::default() });
    let captured = run(config(&server), |client| async move {
        let rows = client.query("SELECT n FROM d.t").page_size(3).rows::<u64>().await.unwrap();
        let all: Vec<u64> = rows.into_stream().try_collect().await.unwrap();
        let rows = client.query("SELECT n FROM d.t").page_size(3).rows::<u64>().await.unwrap();
        server.next(Call::Results, Reply::error(403, "accessDenied", "no more"));
        let stream = rows.into_stream();
        let mut stream = std::pin::pin!(stream);
        let mut got = 0;
        while let Ok(Some(_)) = stream.try_next().await {
            got += 1;
        }
        (all, got)
    });
    assert_eq!(captured.value, ((0..10).collect(), 3));
}

/// A result of one column with these values.
fn result(field: &Value, values: &[Value]) -> Reply {
    let rows: Vec<Value> = values.iter().map(|value| json!({"f": [{"v": value}]})).collect();
    let total = rows.len().to_string();
    Reply::Answer(200, json!({"jobComplete": true, "schema": {"fields": [field]}, "rows": rows, "totalRows": total}))
}

/// The values of a result of one column, as text.
fn texts(server: &ScriptedBigQuery, field: &Value, values: &[Value]) -> Vec<Option<String>> {
    server.next(Call::Results, result(field, values));
    let read = run(config(server), |client| async move {
        client.query("SELECT c FROM d.t").rows::<Option<String>>().await.unwrap().all().await.unwrap()
    });
    read.value
}

#[test]
fn timestamps_of_all_years_are_exact() {
    let server = ScriptedBigQuery::start(Behaviour::default());
    let cases = [
        ("2.53402300799999999E11", "9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
        ("1.779982200123456E9", "2026-05-28T15:30:00.123456Z", 1_779_982_200_123_456),
        ("-6.2135596800E10", "0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9.000000000000001E9", "2255-03-14T16:00:00.000001Z", 9_000_000_000_000_001),
    ];
    let field = json!({"name": "until", "type": "TIMESTAMP", "mode": "NULLABLE"});
    let values: Vec<Value> = cases.iter().map(|(cell, ..)| json!(cell)).chain([Value::Null]).collect();
    let expected: Vec<_> = cases.iter().map(|(_, text, _)| Some((*text).to_owned())).chain([None]).collect();
    assert_eq!(texts(&server, &field, &values), expected);
    server.next(Call::Results, result(&field, &values));
    let captured = run(config(&server), |client| async move {
        client.query("SELECT c FROM d.t").rows::<Option<i64>>().await.unwrap().all().await.unwrap()
    });
    let expected: Vec<_> = cases.iter().map(|(.., micros)| Some(*micros)).chain([None]).collect();
    assert_eq!(captured.value, expected);
}

#[test]
fn ranges_and_columns_of_types_of_tomorrow_are_read_as_text() {
    let server = ScriptedBigQuery::start(Behaviour::default());
    let range = json!({"name": "valid", "type": "RANGE", "rangeElementType": {"type": "DATE"}});
    let values = [json!("[2020-01-01, 2020-12-31)"), json!("[UNBOUNDED, 2020-12-31)"), Value::Null];
    let expected: Vec<Option<String>> = values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
    assert_eq!(texts(&server, &range, &values), expected);
    let unknown = json!({"name": "new", "type": "A_TYPE_OF_TOMORROW"});
    assert_eq!(texts(&server, &unknown, &[json!("x")]), [Some("x".to_owned())]);
    // A dry run has the schema too.
    let schema = json!({"schema": {"fields": [range, unknown]}});
    server.change(|behaviour| behaviour.more = schema);
    let captured = run(config(&server), |client| async move {
        client.query("SELECT valid FROM d.t").max_bytes(1 << 40).run().await.map(|job| job.id)
    });
    assert!(captured.value.is_ok(), "{:?}", captured.value);
    let jobs = server.jobs();
    assert_eq!((jobs, server.requests(Call::DryRun).len(), server.stopped()), (3, 3, 0));
}

#[test]
fn an_answer_that_cannot_be_read_fails_at_once() {
    let answers = [json!({"jobComplete": [1]}), json!({"jobComplete": true, "schema": {"fields": "none"}})];
    for answer in answers {
        let server = ScriptedBigQuery::start(Behaviour::default());
        (0..50).for_each(|_| server.next(Call::Results, Reply::Answer(200, answer.clone())));
        let captured =
            run(config(&server), |client| async move { client.query("SELECT c").rows::<String>().await.err() });
        let error = captured.value.unwrap();
        assert!(matches!(error, BigQueryError::Unreadable { may_differ: false, .. }), "{error}");
        assert!(error.to_string().starts_with("the answer of BigQuery cannot be read: "), "{error}");
        assert_eq!(server.requests(Call::Results).len(), 1);
    }
    // What is no answer of BigQuery's is asked for a few times.
    let server = ScriptedBigQuery::start(Behaviour::default());
    (0..50).for_each(|_| server.next(Call::Results, Reply::Html(200)));
    let captured = run(config(&server), |client| async move { client.query("SELECT c").rows::<String>().await.err() });
    assert!(matches!(captured.value, Some(BigQueryError::Unreadable { may_differ: true, .. })), "{:?}", captured.value);
    assert_eq!(server.requests(Call::Results).len(), 3);
}
