//! How BigQuery is reached: with Google's credentials, at an emulator's address, or through an existing client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gcp_bigquery_client::auth::Authenticator;
use gcp_bigquery_client::client_builder::ClientBuilder;
use gcp_bigquery_client::error::BQError;

use crate::bigquery::client::api::{Api, Direct};
use crate::bigquery::client::credentials;
use crate::bigquery::client::error::{BigQueryError, chain};

/// Timeout for connecting.
const CONNECT: Duration = Duration::from_secs(10);

/// Timeout for a response. It must exceed the time for which BigQuery is asked to hold a response back.
const ANSWER: Duration = Duration::from_secs(90);

/// Google's public endpoint.
const GOOGLE: &str = "https://bigquery.googleapis.com/bigquery/v2";

/// How BigQuery is reached.
#[derive(Clone)]
pub enum Access {
    /// With Application Default Credentials, at this URL or at Google's endpoint.
    Credentials(Option<String>),
    /// Without credentials, at this URL.
    Open(String),
    /// Through a client that the program made.
    Given(Box<gcp_bigquery_client::Client>),
}

/// A client of the API, replaced when its token is rejected.
pub struct Connection {
    access: Access,
    api: Mutex<Arc<Api>>,
}

impl Connection {
    /// Connects. Reads credentials, but sends no request.
    pub async fn new(access: Access) -> Result<Self, BigQueryError> {
        let api = Mutex::new(Arc::new(access.api().await?));
        Ok(Self { access, api })
    }

    /// The URL of the API. It tells jobs of one endpoint from those of another.
    pub fn endpoint(&self) -> String {
        match &self.access {
            Access::Credentials(Some(url)) | Access::Open(url) => url.trim_end_matches('/').to_owned(),
            Access::Credentials(None) => GOOGLE.to_owned(),
            Access::Given(_) => "the endpoint of the program's own client".to_owned(),
        }
    }

    /// Whether it is an emulator: a server without credentials.
    pub const fn is_emulator(&self) -> bool {
        matches!(self.access, Access::Open(_))
    }

    /// The current client.
    pub fn api(&self) -> Arc<Api> {
        Arc::clone(&self.api.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the client by one with a new token, unless another task has replaced `stale` already. Returns false if
    /// a new token cannot be had.
    pub async fn renew(&self, stale: &Arc<Api>) -> bool {
        if matches!(self.access, Access::Given(_) | Access::Open(_)) || !Arc::ptr_eq(&self.api(), stale) {
            return matches!(self.access, Access::Credentials(_));
        }
        let Ok(api) = self.access.api().await else { return false };
        *self.api.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(api);
        true
    }

    /// The same access on new connections: those of another runtime may no longer be polled.
    pub async fn apart(&self) -> Result<Self, BigQueryError> {
        Self::new(self.access.clone()).await
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access: &dyn fmt::Debug = match &self.access {
            Access::Credentials(Some(url)) | Access::Open(url) => url,
            Access::Credentials(None) => &GOOGLE,
            Access::Given(_) => &"the program's own client",
        };
        formatter.debug_tuple("Connection").field(access).finish()
    }
}

impl Access {
    async fn api(&self) -> Result<Api, BigQueryError> {
        let url = match self {
            Self::Given(client) => return Ok(Api::new((**client).clone(), None)),
            Self::Credentials(url) => url.as_deref().unwrap_or(GOOGLE),
            Self::Open(url) => url,
        };
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT).timeout(ANSWER);
        if matches!(self, Self::Open(_)) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| BigQueryError::Connection(error.to_string()))?;
        let base = url.trim_end_matches('/').to_owned();
        let mut builder = ClientBuilder::new();
        builder.with_v2_base_url(base.clone()).with_client(http.clone());
        let connected = async {
            let authenticator = match self {
                Self::Open(_) => Arc::new(NoToken),
                _ => credentials::from_environment().await?,
            };
            let client = builder.build_from_authenticator(Arc::clone(&authenticator)).await?;
            Ok(Api::new(client, Some(Direct { http, base, authenticator })))
        };
        connected.await.map_err(|error: BQError| BigQueryError::Credentials(with_file(&chain(&error))))
    }
}

/// Prepends the name of the credentials file, if the environment names one, to a description of what is wrong.
fn with_file(fault: &str) -> String {
    match std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").filter(|file| !file.is_empty()) {
        Some(file) => format!("GOOGLE_APPLICATION_CREDENTIALS={}: {fault}", file.display()),
        None => fault.to_owned(),
    }
}

/// Requests no token.
#[derive(Clone)]
struct NoToken;

impl Authenticator for NoToken {
    // The signature that `#[async_trait]` expects.
    fn access_token<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = Result<String, BQError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(std::future::ready(Ok("none".to_owned())))
    }
}
