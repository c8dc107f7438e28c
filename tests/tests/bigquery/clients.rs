//! Clients that the program makes itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use obs_runtime::Config;
use obs_runtime::bigquery::Client;
use obs_runtime::bigquery::gcp::auth::Authenticator;
use obs_runtime::bigquery::gcp::client_builder::ClientBuilder;
use obs_runtime::bigquery::gcp::error::BQError;
use obs_runtime::testing::capture_with;
use obs_tests::servers::scripted_bigquery::{Behaviour, ScriptedBigQuery};

use crate::support::{RETRY, TIB};

/// An authenticator with a fixed token.
#[derive(Clone)]
struct FixedToken;

impl Authenticator for FixedToken {
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
fn an_existing_client_is_tracked_with_its_own_credentials() {
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
            let api = api.build_from_authenticator(Arc::new(FixedToken)).await.unwrap();
            let client = Client::around(api, "p").retry(RETRY).build().await.unwrap();
            let rows = client.query("SELECT n FROM d.t").rows::<u64>().await.unwrap().all().await.unwrap();
            server.change(|behaviour| behaviour.token = Some("another".into()));
            (rows, client.query("SELECT 1").run().await.unwrap_err())
        })
    });
    assert_eq!(captured.value.0, [0, 1, 2]);
    // The program's authenticator has no other token, so the request is not retried.
    assert_eq!(captured.value.1.reason().unwrap(), &"authError");
    assert_eq!(captured.records.prices.iter().filter(|price| !price.1).map(|price| price.2).sum::<f64>(), 6.25);
}
