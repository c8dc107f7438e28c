//! What an estimate assumes of the moment and of the parameters.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

/// The settings of an estimate.
#[derive(Debug, Clone, Default)]
pub(in crate::bigquery::estimate) struct Settings {
    /// When the query runs, if given: the value of `CURRENT_DATE()`.
    pub(in crate::bigquery::estimate) now: Option<Timestamp>,
    /// The values of `@name` as text, by name in lower case.
    pub(in crate::bigquery::estimate) parameters: BTreeMap<String, String>,
    /// The project of tables that are named without one.
    pub(in crate::bigquery::estimate) project: Option<String>,
    /// Sizes that are older are not used.
    pub(in crate::bigquery::estimate) max_age: Option<Duration>,
}

impl Settings {
    /// When the query runs: now, unless another moment is given.
    pub(in crate::bigquery::estimate) fn moment(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }
}
