//! The keys of rows that a check found to fail.

use std::collections::BTreeMap;

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
