//! Makes a client: from the environment, around another client, or with settings.

use std::sync::{Arc, Mutex};

use crate::bigquery::client::connect::{Access, Connection};
use crate::bigquery::client::environment::{emulator_of_environment, project_of_environment};
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::retry::Retry;
use crate::bigquery::client::tracked_client::{Client, Inner};
use crate::pipeline::global;

impl Client {
    /// A client with Application Default Credentials: the file that `GOOGLE_APPLICATION_CREDENTIALS` names (a service
    /// account's or a user's), the one that `gcloud auth application-default login` wrote, or the machine's own account.
    /// With `BIGQUERY_EMULATOR_HOST`, one of that emulator, without credentials.
    ///
    /// The project is that of `GOOGLE_CLOUD_PROJECT`, or the service account's.
    ///
    /// # Errors
    /// When there are no credentials, or no project is given.
    pub async fn from_env() -> Result<Self, BigQueryError> {
        Self::builder().build().await
    }

    /// A client around one of gcp-bigquery-client that the program has, with its credentials.
    #[must_use]
    pub fn around(api: gcp_bigquery_client::Client, project: impl Into<String>) -> ClientBuilder {
        ClientBuilder { access: Some(Access::Given(Box::new(api))), ..Self::builder().project(project) }
    }

    /// To say more than the environment does.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

/// Says how BigQuery is reached.
#[derive(Clone, Default)]
pub struct ClientBuilder {
    access: Option<Access>,
    endpoint: Option<String>,
    project: Option<String>,
    location: Option<String>,
    retry: Retry,
}

impl ClientBuilder {
    /// The project whose jobs these are, and which is billed.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// Where jobs run, as `EU` or `europe-west3`; where their tables are, when it is not said.
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// The URL of another endpoint than Google's public one, up to `/bigquery/v2`; with credentials.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// How requests are repeated that failed for a reason that passes.
    #[must_use]
    pub const fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Connects: reads credentials, sends nothing.
    ///
    /// # Errors
    /// When there are no credentials, or no project is given.
    pub async fn build(self) -> Result<Client, BigQueryError> {
        let emulator = match global::pipeline() {
            Some(pipeline) => pipeline.config().bigquery_emulator_host.clone(),
            None => emulator_of_environment()?,
        };
        let access = match (self.access, self.endpoint, emulator) {
            (Some(access), ..) => access,
            (None, None, Some(host)) => Access::Open(format!("http://{host}/bigquery/v2")),
            (None, endpoint, _) => Access::Credentials(endpoint),
        };
        let project = self.project.or_else(project_of_environment).ok_or_else(|| {
            BigQueryError::Usage(
                "no project is told: set GOOGLE_CLOUD_PROJECT, or Client::builder().project(…)".to_owned(),
            )
        })?;
        let connection = Arc::new(Connection::new(access).await?);
        let (location, retry) = (self.location, self.retry);
        Ok(Client(Arc::new(Inner { connection, project, location, retry, partitions: Mutex::default() })))
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ClientBuilder").field("project", &self.project).finish_non_exhaustive()
    }
}
