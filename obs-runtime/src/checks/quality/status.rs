//! The status and severity of data-quality checks.

use std::fmt::{self, Display};

use serde::Serialize;

/// How bad it is if a check fails. A check keeps its declared severity, whatever its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// For information only.
    Info,
    /// The data can be used but should be examined.
    Warning,
    /// The data must not be used.
    Critical,
}

impl Severity {
    /// `info`, `warning` or `critical`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// The status of a data-quality check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QualityStatus {
    /// Within all bounds.
    Passed,
    /// Outside a warning bound. Counted as a failure, but does not reject the data, whatever the severity.
    Warned,
    /// Outside a failure bound.
    Failed,
    /// The check itself failed: it returned an error, panicked or exceeded its time limit.
    Errored,
    /// There was nothing to check: 0 of 0 rows, or a list of `for_each` without items. Counted as a failure of the check's
    /// severity, unless the check allows it: then it has passed.
    NoData,
    /// Not run, because a check before it failed.
    Skipped,
}

impl QualityStatus {
    /// `passed`, `warned`, `failed`, `errored`, `no_data` or `skipped`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::NoData => "no_data",
            Self::Skipped => "skipped",
        }
    }
}

impl Display for QualityStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
