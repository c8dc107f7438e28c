//! How BigQuery is reached: with Google's credentials, an emulator's address, or a client that the program has.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gcp_bigquery_client::auth::Authenticator;
use gcp_bigquery_client::client_builder::ClientBuilder;
use gcp_bigquery_client::error::BQError;

use crate::bigquery::client::error::{BigQueryError, chain};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take: BigQuery holds one back for as long as it is asked to wait, and a bit.
const ANSWER: Duration = Duration::from_secs(90);

/// Where Google's own service is.
const GOOGLE: &str = "https://bigquery.googleapis.com/bigquery/v2";

type Api = gcp_bigquery_client::Client;

/// How BigQuery is reached.
#[derive(Clone)]
pub enum Access {
    /// With Application Default Credentials, at this URL or Google's own.
    Credentials(Option<String>),
    /// Without credentials, at this URL.
    Open(String),
    /// As the program's own client does.
    Given(Box<Api>),
}

/// A client of the API that is made anew when its token is no longer taken.
pub struct Connection {
    access: Access,
    api: Mutex<Arc<Api>>,
}

impl Connection {
    /// Connects: reads credentials, sends nothing.
    pub async fn new(access: Access) -> Result<Self, BigQueryError> {
        let api = Mutex::new(Arc::new(access.api().await?));
        Ok(Self { access, api })
    }

    /// The client of this moment.
    pub fn api(&self) -> Arc<Api> {
        Arc::clone(&self.api.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a client with a new token, unless somebody did since `stale` was given; false where there is no other way to
    /// connect.
    pub async fn renew(&self, stale: &Arc<Api>) -> bool {
        if matches!(self.access, Access::Given(_) | Access::Open(_)) || !Arc::ptr_eq(&self.api(), stale) {
            return matches!(self.access, Access::Credentials(_));
        }
        let Ok(api) = self.access.api().await else { return false };
        *self.api.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(api);
        true
    }

    /// The same way to connect, on connections of its own: those of another runtime may no longer be driven.
    pub async fn apart(&self) -> Result<Self, BigQueryError> {
        match &self.access {
            Access::Given(api) => Ok(Self { access: self.access.clone(), api: Mutex::new(Arc::new(Api::clone(api))) }),
            access => Self::new(access.clone()).await,
        }
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
            Self::Given(api) => return Ok(Api::clone(api)),
            Self::Credentials(url) => url.as_deref().unwrap_or(GOOGLE),
            Self::Open(url) => url,
        };
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT).timeout(ANSWER);
        if matches!(self, Self::Open(_)) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| BigQueryError::Connection(error.to_string()))?;
        let mut builder = ClientBuilder::new();
        builder.with_v2_base_url(url.trim_end_matches('/').to_owned()).with_client(http);
        let api = match self {
            Self::Open(_) => builder.build_from_authenticator(Arc::new(Nobody)).await,
            _ => builder.build_from_application_default_credentials().await,
        };
        api.map_err(|error| BigQueryError::Credentials(with_file(&chain(&error))))
    }
}

/// What is wrong with credentials, and with which file, where one is named.
fn with_file(fault: &str) -> String {
    match std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").filter(|file| !file.is_empty()) {
        Some(file) => format!("GOOGLE_APPLICATION_CREDENTIALS={}: {fault}", file.display()),
        None => fault.to_owned(),
    }
}

/// Asks for no token.
#[derive(Clone)]
struct Nobody;

impl Authenticator for Nobody {
    // As `#[async_trait]` writes it.
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
