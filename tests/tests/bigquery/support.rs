//! Runs a client against a scripted server and captures what it reports.

use std::future::Future;
use std::time::Duration;

use obs_runtime::bigquery::{BigQueryError, Client, Retry};
use obs_runtime::testing::{Captured, capture_with};
use obs_runtime::{Config, bq_cost};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, ScriptedBigQuery};
use obs_tests::wait;

pub const MIB: u64 = 1 << 20;
pub const TIB: u64 = 1 << 40;

/// Short pauses, so that no test waits, and a deadline that a busy machine does not reach.
pub const RETRY: Retry = Retry {
    first_pause: Duration::from_millis(2),
    longest_pause: Duration::from_millis(20),
    give_up_after: Duration::from_secs(20),
};

/// A configuration with the address of the server.
pub fn config(server: &ScriptedBigQuery) -> Config {
    Config::default().with(|config| config.bigquery_emulator_host = Some(server.host()))
}

/// Runs a future with a client and captures what it reports. Panics when it does not end.
pub fn run<F: Future>(config: Config, with: impl FnOnce(Client) -> F) -> Captured<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    capture_with(config, || {
        runtime.block_on(async {
            let client = Client::builder().project("p").retry(RETRY).build().await.unwrap();
            wait::for_output("the future of the test", with(client)).await
        })
    })
}

/// A server whose queries process and bill this many bytes.
pub fn server_with_bytes(bytes: u64) -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour { estimated_bytes: bytes, billed_bytes: bytes, ..Behaviour::default() })
}

/// Polls a future until the server gets a request of this kind, then drops the future.
pub async fn drop_at<F: Future<Output: std::fmt::Debug>>(future: F, server: &ScriptedBigQuery, call: Call) {
    let begun = wait::until_true_async("a request", || !server.requests(call).is_empty());
    tokio::select! {
        output = future => panic!("the future ended: {output:?}"),
        () = begun => {}
    }
}

/// Waits until the only job of a server is cancelled.
pub fn assert_job_is_cancelled(server: &ScriptedBigQuery) {
    wait::until_true("the job is cancelled", || server.stopped() == 1);
    assert_eq!(server.jobs(), 1);
}

/// A query with a limit of 7 dollars, literals and labels.
#[bq_cost(max_usd = 7.0, query_type = "report", labels(team = "Growth Team", cost_centre = 42))]
pub async fn limited(client: &Client) -> Result<Vec<u64>, BigQueryError> {
    client.query("SELECT n FROM d.t WHERE name = 'Ada Lovelace' AND id = 4711").rows::<u64>().await?.all().await
}
