//! The tracked client of BigQuery.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use gcp_bigquery_client::model::table::Table;

#[cfg(feature = "bigquery-estimate")]
use crate::bigquery::client::api::Api;
use crate::bigquery::client::api::ColumnType;
use crate::bigquery::client::connect::Connection;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::retry;
use crate::bigquery::client::retry::Retry;

/// A client of BigQuery that tracks the cost of queries. Cheap to clone. It needs a tokio runtime.
///
/// Before a query runs, a dry run measures what it would read. The price of that is recorded, checked against the
/// limits and budgets of the enclosing scopes (`#[bq_cost]`), and the query is refused if it exceeds one. The job gets
/// `maximumBytesBilled` and labels. After the query, what was billed is recorded and added to the scopes, the command
/// and the budgets. If obs is not initialised, or if `COST_TRACKING_ENABLED=false`, the client only runs queries.
///
/// Requests are repeated after transient failures, on the same job, with a warning. Dropping the future of a query cancels
/// its job, and so does the end of the program; what BigQuery bills for it is added all the same. At most one page of rows
/// is in memory.
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
///     Err(BigQueryError::Refused(refused)) => eprintln!("too expensive: {refused}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client(pub(super) Arc<Inner>);

/// The state that clones of a client share.
#[derive(Debug)]
pub struct Inner {
    pub(super) connection: Arc<Connection>,
    pub(super) project: String,
    pub(super) location: Option<String>,
    pub(super) retry: Retry,
    /// The partitioning columns of tables in earlier queries.
    pub(super) partitions: Mutex<HashMap<String, Option<String>>>,
}

impl std::ops::Deref for Client {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Client {
    /// Gets the metadata of a table: rows, bytes, columns, partitions. The name is `dataset.table` or
    /// `project.dataset.table`.
    ///
    /// The type of the result is exempt from semver: obs may move to another version of its crate,
    /// [`bigquery::gcp`](crate::bigquery::gcp), which is below 1.0, in a minor release.
    ///
    /// # Errors
    /// Returns an error if the table does not exist, or if BigQuery cannot be reached.
    pub async fn table(&self, name: &str) -> Result<Table, BigQueryError> {
        let (project, dataset, table) = self.parts(name)?;
        let Inner { connection, retry, .. } = &**self;
        let names = [&*project, &*dataset, &*table];
        retry::request(connection, "tables.get", *retry, |api| async move { api.get_table(names).await }).await
    }

    /// Gets the names and types of a table's columns, also of types that [`table`](Self::table) gives as text.
    pub(crate) async fn columns(&self, name: &str) -> Result<Vec<ColumnType>, BigQueryError> {
        let (project, dataset, table) = self.parts(name)?;
        let Inner { connection, retry, .. } = &**self;
        let names = [&*project, &*dataset, &*table];
        retry::request(connection, "tables.get", *retry, |api| async move { api.columns(names).await }).await
    }

    /// Sends a request of the API.
    #[cfg(feature = "bigquery-estimate")]
    pub(crate) async fn request<T, F>(&self, ask: impl Fn(Arc<Api>) -> F) -> Result<T, BigQueryError>
    where
        F: Future<Output = Result<T, gcp_bigquery_client::error::BQError>>,
    {
        retry::request(&self.0.connection, "tables.list", self.0.retry, ask).await
    }

    /// The project that runs the jobs and is billed for them.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.0.project
    }

    /// The same client on new connections, for use in another runtime.
    pub(crate) async fn apart(&self) -> Result<Self, BigQueryError> {
        let connection = Arc::new(self.0.connection.apart().await?);
        let Inner { project, location, retry, .. } = &**self;
        let (project, location, retry) = (project.clone(), location.clone(), *retry);
        Ok(Self(Arc::new(Inner { connection, project, location, retry, partitions: Mutex::default() })))
    }

    /// Splits a table name into project, dataset and table.
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
