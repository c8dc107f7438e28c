//! Runs a client against an emulator and captures what it reports.

use std::future::Future;

use obs_runtime::Config;
use obs_runtime::bigquery::Client;
use obs_runtime::testing::{Captured, capture_with};
use obs_tests::servers::BigQueryEmulator;
use obs_tests::wait;

/// A price per TiB of one dollar per byte, at which small queries cost money.
pub const DOLLAR_PER_BYTE: f64 = 1_099_511_627_776.0;

pub fn config(emulator: &BigQueryEmulator) -> Config {
    Config::default().with(|config| config.bigquery_emulator_host = Some(emulator.host()))
}

/// Runs a future with a client. Panics when it does not end.
pub fn run<F: Future>(config: Config, with: impl FnOnce(Client) -> F) -> Captured<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    capture_with(config, || {
        runtime.block_on(async {
            let client = Client::builder().project("p").build().await.unwrap();
            wait::for_output("the future of the test", with(client)).await
        })
    })
}
