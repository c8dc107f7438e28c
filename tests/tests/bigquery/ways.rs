//! Ways to a result: locations, scripts, a client that the program has, a stream of rows.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use obs_runtime::bigquery::gcp::auth::Authenticator;
use obs_runtime::bigquery::gcp::client_builder::ClientBuilder;
use obs_runtime::bigquery::gcp::error::BQError;
use obs_runtime::bigquery::{BigQueryError, Client};
use obs_runtime::testing::capture_with;
use obs_runtime::{Config, bq_cost};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};
use serde_json::json;

use crate::support::{MIB, RETRY, TIB, config, run};

/// A server whose jobs are found by their place alone.
fn in_frankfurt() -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour {
        location: "europe-west3".into(),
        polls: Some(3),
        rows: 10,
        ..Behaviour::default()
    })
}

#[test]
fn a_job_is_asked_for_where_it_runs() {
    for losses in [0, 1] {
        let server = in_frankfurt();
        (0..losses).for_each(|_| server.next(Call::Insert, Reply::Lose));
        let captured = run(config(&server), |client| async move {
            let rows = client.query("SELECT n FROM d.t").page_size(4).rows::<u64>().await.unwrap();
            (rows.job().location.clone(), rows.all().await.unwrap().len())
        });
        assert_eq!(captured.value, (Some("europe-west3".to_owned()), 10));
        assert_eq!(server.jobs(), 1);
        for request in server.requests(Call::Results) {
            assert!(request.path.contains("location=europe-west3"), "{}", request.path);
        }
    }
}

#[test]
fn a_job_is_stopped_where_it_runs() {
    let server = in_frankfurt();
    server.change(|behaviour| behaviour.polls = None);
    run(config(&server), |client| async move {
        let timed_out = client.query("SELECT 1").timeout(std::time::Duration::from_millis(500)).run().await;
        assert!(matches!(timed_out, Err(BigQueryError::TimedOut(_))), "{timed_out:?}");
    });
    obs_tests::wait::until("the job is stopped, if there is one", std::time::Duration::from_secs(30), || {
        (server.stopped() == server.jobs()).then_some(())
    });
    assert!(server.requests(Call::Cancel).iter().all(|request| request.path.contains("location=europe-west3")));
}

#[test]
fn the_location_that_is_said_is_the_one_and_a_wrong_one_is_told() {
    let server = in_frankfurt();
    let captured = run(config(&server), |client| async move {
        let right = client.query("SELECT 1").location("europe-west3").run().await.map(|job| job.location);
        let wrong = client.query("SELECT 1").location("US").run().await.unwrap_err();
        (right.unwrap(), wrong)
    });
    assert_eq!(captured.value.0.as_deref(), Some("europe-west3"));
    assert_eq!(captured.value.1.reason().unwrap(), &"notFound");
    let sent = server.requests(Call::Insert);
    assert_eq!(sent[0].body["jobReference"]["location"], "europe-west3");
}

#[test]
fn a_script_costs_what_its_statements_were_billed_for_together() {
    #[bq_cost(max_usd = 100.0)]
    async fn script(client: &Client) -> Result<(f64, Option<String>), BigQueryError> {
        let job = client.query("DECLARE x INT64; SET x = (SELECT MAX(n) FROM d.t); SELECT x").run().await?;
        Ok((job.price.usd, job.statement_type))
    }
    let server =
        ScriptedBigQuery::start(Behaviour { billed_bytes: 3 * TIB, estimated_bytes: TIB, ..Behaviour::default() });
    // As Google documents it: the parent job has the sums of its children, and how many there are.
    server.change(|behaviour| {
        behaviour.more = json!({"statementType": "SCRIPT"});
        behaviour.statistics = json!({"numChildJobs": "2", "totalSlotMs": "7200"});
    });
    let captured = run(config(&server), |client| async move { script(&client).await.unwrap() });
    assert_eq!(captured.value, (18.75, Some("SCRIPT".to_owned())));
    assert_eq!(captured.metrics.value("bigquery.total_cost.usd", &[("operation", "script")]), Some(18.75));
    // What is billed for what ran before a script failed is spent too.
    server.change(|behaviour| behaviour.failures.push_back(("invalidQuery".into(), "half way at [2:1]".into())));
    let captured = run(config(&server), |client| async move { script(&client).await });
    assert!(captured.value.is_err());
    assert_eq!(captured.metrics.value("bigquery.total_cost.usd", &[("operation", "script")]), Some(18.75));
}

/// Says a token that the program got somewhere.
#[derive(Clone)]
struct Own;

impl Authenticator for Own {
    fn access_token<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = Result<String, BQError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(std::future::ready(Ok("the-programs-own".to_owned())))
    }
}

#[test]
fn a_client_that_the_program_has_is_tracked_with_its_own_credentials() {
    let server = ScriptedBigQuery::start(Behaviour {
        token: Some("the-programs-own".into()),
        estimated_bytes: TIB,
        billed_bytes: TIB,
        ..Behaviour::default()
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let captured = capture_with(Config::default(), || {
        runtime.block_on(async {
            let mut api = ClientBuilder::new();
            api.with_v2_base_url(format!("http://{}/bigquery/v2", server.host()));
            let api = api.build_from_authenticator(Arc::new(Own)).await.unwrap();
            let client = Client::around(api, "p").retry(RETRY).build().await.unwrap();
            let rows = client.query("SELECT n FROM d.t").rows::<u64>().await.unwrap().all().await.unwrap();
            server.change(|behaviour| behaviour.token = Some("another".into()));
            (rows, client.query("SELECT 1").run().await.unwrap_err())
        })
    });
    assert_eq!(captured.value.0, [0, 1, 2]);
    // There is no other token to be had, and nobody asks for ever.
    assert_eq!(captured.value.1.reason().unwrap(), &"authError");
    assert_eq!(captured.records.prices.iter().filter(|price| !price.1).map(|price| price.2).sum::<f64>(), 6.25);
}

#[test]
fn rows_are_a_stream_that_ends_with_the_first_error() {
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
