//! Builds a client: from the environment, around an existing client, or with explicit settings.

use std::sync::{Arc, Mutex};

use crate::bigquery::client::connect::{Access, Connection};
use crate::bigquery::client::environment::{emulator_of_environment, project_of_environment};
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::retry::Retry;
use crate::bigquery::client::tracked_client::{Client, Inner};
use crate::pipeline::global;

impl Client {
    /// A client with Application Default Credentials: the file named by `GOOGLE_APPLICATION_CREDENTIALS` (a service
    /// account or a user), the file written by `gcloud auth application-default login`, or the machine's service
    /// account. If `BIGQUERY_EMULATOR_HOST` is set, a client of that emulator, without credentials.
    ///
    /// The project is taken from `GOOGLE_CLOUD_PROJECT`, or else from the service account.
    ///
    /// # Errors
    /// Returns an error if there are no credentials, or if the project is not known.
    pub async fn from_env() -> Result<Self, BigQueryError> {
        Self::builder().build().await
    }

    /// A client around an existing [`gcp_bigquery_client::Client`], which keeps its credentials.
    ///
    /// That type is exempt from semver: obs may move to another version of its crate, which is below 1.0, in a minor release.
    /// [`bigquery::gcp`](crate::bigquery::gcp) is the version in use.
    #[must_use]
    pub fn around(api: gcp_bigquery_client::Client, project: impl Into<String>) -> ClientBuilder {
        ClientBuilder { access: Some(Access::Given(Box::new(api))), ..Self::builder().project(project) }
    }

    /// A builder, for settings that differ from the environment.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

/// Builds a [`Client`].
#[derive(Clone, Default)]
pub struct ClientBuilder {
    access: Option<Access>,
    endpoint: Option<String>,
    project: Option<String>,
    location: Option<String>,
    retry: Retry,
}

impl ClientBuilder {
    /// The project that runs the jobs and is billed for them.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// The location of the jobs, for example `EU` or `europe-west3`. By default, the location of the tables.
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// The URL of an endpoint other than Google's public one, up to and including `/bigquery/v2`. Credentials are used.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// How requests are repeated after a transient failure.
    #[must_use]
    pub const fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Builds the client. Reads credentials, but sends no request.
    ///
    /// # Errors
    /// Returns an error if there are no credentials, or if the project is not known.
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
                "no project is configured: set GOOGLE_CLOUD_PROJECT, or Client::builder().project(…)".to_owned(),
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
