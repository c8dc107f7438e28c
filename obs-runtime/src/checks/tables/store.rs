//! Where the keys of failing rows are kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use uuid::Uuid;

use crate::checks::quality::measure::Measured;
use crate::checks::runner::details::timestamp;
use crate::checks::tables::check::TableCheck;
use crate::checks::tables::error::TableError;
use crate::checks::tables::store_file;
use crate::checks::tables::table::Table;
use crate::context::current::Context;
use crate::pipeline::global;

/// Where the keys of failing rows are kept: a table of the database that is checked, or a file of JSON lines. A text is the name of a
/// table, a [`Path`] is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Table(String),
    File(PathBuf),
}

impl From<&str> for Store {
    fn from(table: &str) -> Self {
        Self(Place::Table(table.to_owned()))
    }
}

impl From<String> for Store {
    fn from(table: String) -> Self {
        Self(Place::Table(table))
    }
}

impl From<&Path> for Store {
    fn from(file: &Path) -> Self {
        Self(Place::File(file.to_owned()))
    }
}

impl From<PathBuf> for Store {
    fn from(file: PathBuf) -> Self {
        Self(Place::File(file))
    }
}

impl Store {
    fn name(&self) -> String {
        match &self.0 {
            Place::Table(name) => name.clone(),
            Place::File(path) => path.display().to_string(),
        }
    }
}

/// The keys that failed in one run of a check, redacted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FailingKeys {
    /// The correlation id of the run, or one of its own.
    pub run_id: String,
    /// When they were found, as RFC 3339.
    pub time: String,
    /// The check: `rows`, or `rows[users]` for an item of `for_each`; empty outside of a check.
    pub check: String,
    /// The table.
    pub table: String,
    /// For each failing row its columns and their values.
    pub keys: Vec<BTreeMap<String, String>>,
    /// How many keys of this check and table are kept. Those of the oldest runs are deleted, each as a whole.
    pub keep: usize,
}

impl FailingKeys {
    /// The columns of a table that keeps them, all of type text: these, and `keys` as a JSON object.
    pub const COLUMNS: [&'static str; 5] = ["run_id", "found_at", "check_name", "table_name", "keys"];

    /// Each key as a JSON object.
    #[must_use]
    pub fn json(&self) -> Vec<String> {
        self.keys.iter().map(|keys| serde_json::to_string(keys).unwrap_or_default()).collect()
    }

    /// SQL that deletes the oldest runs of a check, each as a whole, but never the newest. Its values are the check and the table,
    /// twice, and how many keys are kept.
    #[cfg(any(feature = "sqlite", feature = "bigquery"))]
    pub(super) fn delete_oldest(name: &str) -> String {
        let [run_id, found_at, check, table, _] = Self::COLUMNS;
        format!(
            "DELETE FROM {name} WHERE {check} = ? AND {table} = ? AND {found_at} || {run_id} IN (SELECT obs_run FROM (\
             SELECT {found_at} || {run_id} AS obs_run, COUNT(*) AS obs_rows, \
             SUM(COUNT(*)) OVER (ORDER BY MAX({found_at} || {run_id}) DESC) AS obs_kept \
             FROM {name} WHERE {check} = ? AND {table} = ? GROUP BY {found_at} || {run_id}\
             ) AS obs_runs WHERE obs_kept > ? AND obs_kept > obs_rows)"
        )
    }
}

impl<T: Table> TableCheck<'_, T> {
    /// Keeps the [`keys`](Self::keys) of failing rows, at most `keep` of this check, when it does not pass: in a table of the
    /// database that is checked (`"dq_failures"`), which is made if there is none, or in a file (a [`Path`]). The oldest runs are
    /// deleted first. Values are redacted as in samples. The message of the result says how many keys were kept. If they cannot be
    /// kept, that is a warning, and the result is the same.
    ///
    /// In `SQLite` it needs a file that can be written. In `BigQuery` the table stands in the data set of the one that is checked; each
    /// failing run costs an `INSERT` and a `DELETE`, which scans the table of keys. The check must have keys, otherwise it is errored.
    ///
    /// ```
    /// use obs_runtime::Measured;
    /// use obs_runtime::tables::{Table, TableError, range};
    ///
    /// async fn negative_amounts<T: Table>(orders: &T) -> Result<Measured, TableError> {
    ///     range(orders, "amount", 0.0..).keys(["id"]).store("dq_failures", 10_000).measure().await
    /// }
    /// ```
    pub fn store(mut self, store: impl Into<Store>, keep: usize) -> Self {
        self.store = Some((store.into(), keep));
        self
    }

    /// Why the keys cannot be kept, whatever they are.
    pub(super) fn refuse_store(&self) -> Result<(), TableError> {
        let why = match self.store {
            Some((_, 0)) => "a store that keeps 0 keys keeps nothing",
            Some(_) if self.reading.keys.is_empty() => "a store needs the keys that identify a row: `.keys([\"id\"])`",
            Some(_) if self.sample_statement().is_none() => "a check without failing rows has no keys to store",
            _ => return Ok(()),
        };
        Err(self.unusable(why.to_owned()))
    }

    /// Keeps the keys, and says so in the message.
    pub(super) async fn keep(&self, measured: &mut Measured, keys: Vec<BTreeMap<String, String>>) {
        let Some((store, keep)) = &self.store else { return };
        let (run_id, check) = Context::with_current(|context| {
            let run_id = context.correlation_id().map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
            (run_id, context.operation().unwrap_or_default().to_owned())
        });
        let count = keys.len();
        let (time, table) = (timestamp(SystemTime::now()), self.table.name().to_owned());
        let failing = FailingKeys { run_id: global::redact(run_id), time, check, table, keys, keep: *keep };
        let kept = match &store.0 {
            Place::Table(name) => self.table.store(name, &failing).await.map_err(|error| error.to_string()),
            Place::File(path) => store_file::keep(path, &failing).map_err(|error| error.to_string()),
        };
        let name = store.name();
        if let Err(error) = kept {
            let check = &failing.check;
            global::warn(format!("data-quality check `{check}`: keeping its failing keys in {name} failed: {error}"));
            return;
        }
        let word = if count == 1 { "key" } else { "keys" };
        let kept = format!("{count} {word} kept in {name}, run {}", failing.run_id);
        measured.message = Some(match measured.message.take() {
            Some(message) => format!("{message}; {kept}"),
            None => kept,
        });
    }
}
