//! The status and severity of data-quality checks.

use std::fmt::{self, Display};

use serde::Serialize;

/// The severity of a failed check.
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
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum QualityStatus {
    /// Within all bounds.
    Passed,
    /// Outside a warning bound. Counted as a failure of severity `warning`.
    Warned,
    /// Outside a failure bound.
    Failed,
    /// The check itself failed: it returned an error, panicked or exceeded its time limit.
    Errored,
    /// Not run, because a blocking check failed.
    Skipped,
}

impl QualityStatus {
    /// `passed`, `warned`, `failed`, `errored` or `skipped`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
        }
    }
}

impl Display for QualityStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
