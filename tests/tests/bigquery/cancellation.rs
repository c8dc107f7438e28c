//! A query that nobody waits for any more is stopped.

use std::time::Duration;

use obs_runtime::bigquery::{BigQueryError, Client};
use obs_runtime::bq_cost;
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};
use obs_tests::wait;

use crate::support::{TIB, config, run};

const PATIENCE: Duration = Duration::from_secs(30);

fn endless() -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour { polls: None, estimated_bytes: TIB, billed_bytes: TIB, ..Behaviour::default() })
}

/// Runs the query until its job is there, then drops its future.
async fn begun_and_dropped(client: &Client, server: &ScriptedBigQuery) {
    let query = client.query("SELECT 1").run();
    let begun = async {
        while server.requests(Call::Results).is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        result = query => panic!("it never ends: {result:?}"),
        () = begun => {}
    }
}

#[test]
fn the_job_of_a_future_that_is_dropped_is_stopped_also_when_its_runtime_ends() {
    let server = endless();
    run(config(&server), |client| async move {
        begun_and_dropped(&client, &server).await;
        server
    })
    .value
    .pipe(|server| wait::until("the job is stopped", PATIENCE, || (server.stopped() == 1).then_some(())));
}

#[test]
fn what_a_stopped_job_was_billed_for_is_spent() {
    #[bq_cost(max_usd = 10.0)]
    async fn scope(client: &Client, server: &ScriptedBigQuery) -> Result<(), BigQueryError> {
        begun_and_dropped(client, server).await;
        let spent = || obs_runtime::metrics().value("bigquery.total_cost.usd", &[("operation", "scope")]);
        while spent() != Some(6.25) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // 6.25 and 6.25 are more than 10.
        client.query("SELECT 1").run().await.map(drop)
    }
    let server = endless();
    let captured = run(config(&server), |client| async move { scope(&client, &server).await });
    assert!(captured.value.unwrap_err().refused().is_some());
    let spent = captured.records.prices.iter().filter(|price| !price.1).map(|price| price.2).sum::<f64>();
    assert_eq!(spent, 6.25);
}

#[test]
fn a_query_that_takes_too_long_is_stopped() {
    let server = endless();
    let captured = run(config(&server), |client| async move {
        client.query("SELECT 1").timeout(Duration::from_millis(300)).run().await.unwrap_err()
    });
    assert!(matches!(captured.value, BigQueryError::TimedOut(_)), "{}", captured.value);
    // It may have been before there was a job.
    wait::until("the job is stopped, if there is one", PATIENCE, || (server.stopped() == server.jobs()).then_some(()));
}

#[test]
fn stopping_is_tried_again() {
    let server = endless();
    server.next(Call::Cancel, Reply::error(503, "backendError", "try again"));
    run(config(&server), |client| async move {
        begun_and_dropped(&client, &server).await;
        server
    })
    .value
    .pipe(|server| wait::until("the job is stopped", PATIENCE, || (server.stopped() == 1).then_some(())));
}

/// For one chain instead of two bindings.
trait Pipe: Sized {
    fn pipe<R>(self, then: impl FnOnce(Self) -> R) -> R {
        then(self)
    }
}

impl Pipe for ScriptedBigQuery {}
