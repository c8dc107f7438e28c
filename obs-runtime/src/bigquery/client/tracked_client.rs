//! The tracked client of BigQuery: the cost of a query is known before it runs, refused when too high, exact after.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::bigquery::client::connect::{Access, Connection};
use gcp_bigquery_client::model::table::Table;

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::query::Query;
use crate::bigquery::client::retry;
use crate::bigquery::client::retry::Retry;
use crate::config::validated::Config;
use crate::pipeline::global;

/// A client of BigQuery that tracks what queries cost. Cheap to clone; it needs a runtime of tokio.
///
/// Before a query runs, a dry run tells what it would read; its price is measured, held against the limits and budgets of
/// the scopes around (`#[bq_cost]`) and refused when it is over; the job gets `maximumBytesBilled` and labels. After it,
/// what was really billed is measured and added to the scopes, the command and the budgets. With obs not initialised, or
/// `COST_TRACKING_ENABLED=false`, it just runs queries.
///
/// Requests that fail for a reason that passes are repeated, on the same job; a job whose future is dropped is told to
/// stop. No more than one page of rows is kept.
///
/// ```no_run
/// use obs_runtime::bq_cost;
/// use obs_runtime::bigquery::{BigQueryError, Client};
///
/// #[bq_cost(max_usd = 5.0, labels(team = "growth"))]
/// async fn sign_ups(client: &Client, day: &str) -> Result<u64, BigQueryError> {
///     let sql = "SELECT COUNT(*) FROM growth.sign_ups WHERE day = @day";
///     let mut rows = client.query(sql).bind("day", day).rows::<u64>().await?;
///     Ok(rows.next().await?.unwrap_or(0))
/// }
///
/// # async fn run() -> Result<(), BigQueryError> {
/// let client = Client::from_env().await?;
/// match sign_ups(&client, "2026-11-26").await {
///     Ok(number) => println!("{number}"),
///     Err(BigQueryError::Refused(refused)) => eprintln!("too dear: {refused}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

/// What clones of a client share.
#[derive(Debug)]
pub struct Inner {
    pub(super) connection: Arc<Connection>,
    pub(super) project: String,
    pub(super) location: Option<String>,
    pub(super) retry: Retry,
    /// How the tables are partitioned that queries named.
    pub(super) partitions: Mutex<HashMap<String, Option<String>>>,
}

impl std::ops::Deref for Client {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Client {
    /// A client with Application Default Credentials: the file that `GOOGLE_APPLICATION_CREDENTIALS` names (a service
    /// account's or a user's), the one that `gcloud auth application-default login` wrote, or the machine's own account.
    /// With `BIGQUERY_EMULATOR_HOST`, one of that emulator, without credentials.
    ///
    /// The project is that of `GOOGLE_CLOUD_PROJECT`, or the service account's.
    ///
    /// # Errors
    /// When there are no credentials, or no project is told.
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

    /// A statement, a script or a query to run.
    #[track_caller]
    pub fn query(&self, sql: impl Into<String>) -> Query {
        Query::new(self.clone(), sql.into(), std::panic::Location::caller())
    }

    /// What BigQuery knows of a table: rows, bytes, columns, partitions. The name is `dataset.table`, or with a project
    /// before it.
    ///
    /// # Errors
    /// When there is none of that name, or BigQuery cannot be asked.
    pub async fn table(&self, name: &str) -> Result<Table, BigQueryError> {
        let (project, dataset, table) = self.parts(name)?;
        let Inner { connection, retry, .. } = &**self;
        let names = (&*project, &*dataset, &*table);
        retry::request(connection, *retry, |api| async move { api.table().get(names.0, names.1, names.2, None).await })
            .await
    }

    /// Carries out a request of the API.
    #[cfg(feature = "bigquery-estimate")]
    pub(crate) async fn request<T, F>(
        &self,
        ask: impl Fn(Arc<gcp_bigquery_client::Client>) -> F,
    ) -> Result<T, BigQueryError>
    where
        F: Future<Output = Result<T, gcp_bigquery_client::error::BQError>>,
    {
        retry::request(&self.0.connection, self.0.retry, ask).await
    }

    /// The project whose jobs these are, and which is billed.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.0.project
    }

    /// The same client on connections of its own, for another runtime than the one in which it was made.
    pub(crate) async fn apart(&self) -> Result<Self, BigQueryError> {
        let connection = Arc::new(self.0.connection.apart().await?);
        let Inner { project, location, retry, .. } = &**self;
        let (project, location, retry) = (project.clone(), location.clone(), *retry);
        Ok(Self(Arc::new(Inner { connection, project, location, retry, partitions: Mutex::default() })))
    }

    /// Project, dataset and table of a name.
    pub(crate) fn parts(&self, name: &str) -> Result<(String, String, String), BigQueryError> {
        let name = name.trim_matches('`');
        match name.split('.').collect::<Vec<_>>().as_slice() {
            [dataset, table] => Ok((self.0.project.clone(), (*dataset).to_owned(), (*table).to_owned())),
            [project, dataset, table] => Ok(((*project).to_owned(), (*dataset).to_owned(), (*table).to_owned())),
            _ => Err(BigQueryError::Usage(format!(
                "`{name}` names no table: write dataset.table or project.dataset.table"
            ))),
        }
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
    /// When there are no credentials, or no project is told.
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

fn emulator_of_environment() -> Result<Option<String>, BigQueryError> {
    const NAME: &str = "BIGQUERY_EMULATOR_HOST";
    let config = Config::from_lookup(|name| (name == NAME).then(|| std::env::var_os(NAME)).flatten());
    config.map(|config| config.bigquery_emulator_host).map_err(|error| BigQueryError::Usage(error.to_string()))
}

fn project_of_environment() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let of_file = || {
        let file = std::fs::read_to_string(variable("GOOGLE_APPLICATION_CREDENTIALS")?).ok()?;
        let file: serde_json::Value = serde_json::from_str(&file).ok()?;
        ["project_id", "quota_project_id"].iter().find_map(|key| file[key].as_str().map(str::to_owned))
    };
    variable("GOOGLE_CLOUD_PROJECT").or_else(|| variable("GCLOUD_PROJECT")).or_else(of_file)
}

/// Whether this process is told to use BigQuery: by an emulator or credentials that its environment names, and a project.
pub fn is_configured(config: &Config) -> bool {
    let named = || std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").is_some_and(|value| !value.is_empty());
    (config.bigquery_emulator_host.is_some() || named()) && project_of_environment().is_some()
}

/// Whether there are credentials for BigQuery in a file: the one that `GOOGLE_APPLICATION_CREDENTIALS` names, be it there or
/// not, or that `gcloud auth application-default login` wrote. The account of a machine in Google's cloud is not asked for.
#[must_use]
pub fn has_credentials() -> bool {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from);
    let folder = || {
        let folder =
            if cfg!(windows) { variable("APPDATA") } else { variable("HOME").map(|home| home.join(".config")) };
        folder.map(|folder| folder.join("gcloud/application_default_credentials.json"))
    };
    variable("GOOGLE_APPLICATION_CREDENTIALS").is_some() || folder().is_some_and(|file| file.is_file())
}
