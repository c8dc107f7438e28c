//! A query whose result is not awaited any more is cancelled.

use std::time::Duration;

use obs_runtime::bigquery::{BigQueryError, Client};
use obs_runtime::bq_cost;
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};
use obs_tests::wait;

use crate::support::{TIB, assert_job_is_cancelled, config, drop_at, run};

/// A server whose jobs never end.
fn endless() -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour { polls: None, estimated_bytes: TIB, billed_bytes: TIB, ..Behaviour::default() })
}

/// Starts a query and drops its future once its job runs.
async fn start_and_drop(client: &Client, server: &ScriptedBigQuery) {
    drop_at(client.query("SELECT 1").run(), server, Call::Results).await;
}

#[test]
fn the_job_of_a_dropped_future_is_cancelled_even_when_its_runtime_ends() {
    let server = endless();
    run(config(&server), async |client| start_and_drop(&client, &server).await);
    assert_job_is_cancelled(&server);
}

#[test]
fn the_billed_bytes_of_a_cancelled_job_are_spent() {
    #[bq_cost(max_usd = 10.0)]
    async fn scope(client: &Client, server: &ScriptedBigQuery) -> Result<(), BigQueryError> {
        start_and_drop(client, server).await;
        let spent = || obs_runtime::metrics().value("bigquery.total_cost.usd", &[("operation", "scope")]);
        wait::until_true_async("the cancelled job is accounted for", || spent() == Some(6.25)).await;
        // Twice 6.25 is more than 10.
        client.query("SELECT 1").run().await.map(drop)
    }
    let server = endless();
    let captured = run(config(&server), async |client| scope(&client, &server).await);
    assert!(captured.value.unwrap_err().refused().is_some());
    let spent = captured.records.prices.iter().filter(|price| !price.1).map(|price| price.2).sum::<f64>();
    assert_eq!(spent, 6.25);
}

#[test]
fn a_query_that_times_out_is_cancelled() {
    // On a busy machine the timeout may pass before there is a job.
    for timeout in [300, 3_000, 30_000].map(Duration::from_millis) {
        let server = endless();
        let query = async |client: Client| client.query("SELECT 1").timeout(timeout).run().await.unwrap_err();
        let captured = run(config(&server), query);
        assert!(matches!(captured.value, BigQueryError::TimedOut(_)), "{}", captured.value);
        if server.jobs() > 0 {
            return assert_job_is_cancelled(&server);
        }
    }
    panic!("no job was started");
}

#[test]
fn a_failed_cancellation_is_retried() {
    let server = endless();
    server.next(Call::Cancel, Reply::error(503, "backendError", "try again"));
    run(config(&server), async |client| start_and_drop(&client, &server).await);
    assert_job_is_cancelled(&server);
    assert_eq!(server.requests(Call::Cancel).len(), 2);
}
