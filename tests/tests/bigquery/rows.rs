//! Results: polling, pages and streams.

use futures_util::TryStreamExt as _;
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};

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
