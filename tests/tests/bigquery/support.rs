//! A client of a scripted server, and what was captured of it.

use std::future::Future;
use std::time::Duration;

use obs_runtime::Config;
use obs_runtime::bigquery::{Client, Retry};
use obs_runtime::testing::{Captured, capture_with};
use obs_tests::servers::scripted_bigquery::ScriptedBigQuery;

pub const MIB: u64 = 1 << 20;
pub const TIB: u64 = 1 << 40;

/// Quick, so that no test waits; long enough for a busy machine.
pub const RETRY: Retry = Retry {
    first_pause: Duration::from_millis(2),
    longest_pause: Duration::from_millis(20),
    give_up_after: Duration::from_secs(20),
};

/// A configuration with the server's address.
pub fn config(server: &ScriptedBigQuery) -> Config {
    Config { bigquery_emulator_host: Some(server.host()), ..Config::default() }
}

/// Runs a future with a client, and captures what it reports.
pub fn run<F: Future>(config: Config, with: impl FnOnce(Client) -> F) -> Captured<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    capture_with(config, || {
        runtime.block_on(async {
            let client = Client::builder().project("p").retry(RETRY).build().await.unwrap();
            with(client).await
        })
    })
}
