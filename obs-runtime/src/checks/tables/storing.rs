//! Keeps the keys of failing rows.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::base::clock;
use crate::checks::quality::measure::Measured;
use crate::checks::runner::details::timestamp;
use crate::checks::tables::check::TableCheck;
use crate::checks::tables::error::TableError;
use crate::checks::tables::failing_keys::FailingKeys;
use crate::checks::tables::store::{Place, Store};
use crate::checks::tables::store_file;
use crate::checks::tables::table::Table;
use crate::context::current::Context;
use crate::pipeline::global;

impl<T: Table> TableCheck<'_, T> {
    /// Keeps the [`keys`](Self::keys) of failing rows, at most `keep` of this check, when it does not pass: in a table of the
    /// database that is checked (`"dq_failures"`), which is made if there is none, or in a file (a [`Path`](std::path::Path)). The oldest runs are
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
        let (time, table) = (timestamp(clock::wall()), self.table.name().to_owned());
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
        measured.add_message(&kept);
    }
}
