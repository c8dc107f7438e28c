//! How a data-quality check is judged.

use std::fmt::{self, Display};

use serde::Serialize;

use crate::checks::quality::measure::{Found, Measure, Standing};

/// How bad it is when a check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Somebody should look at it.
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

/// How a data-quality check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QualityStatus {
    /// Within all bounds.
    Passed,
    /// Out of a bound that warns. Counted as a failure of severity `warning`.
    Warned,
    /// Out of a bound that fails.
    Failed,
    /// It could not be carried out.
    Errored,
    /// It was not carried out, because one that blocks it failed.
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

/// How a check ended, and what was expected and seen where it did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub(super) status: QualityStatus,
    pub(super) expected: Option<String>,
    pub(super) seen: Option<String>,
}

/// What a value must keep to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub(super) warn_above: Option<f64>,
    pub(super) fail_above: Option<f64>,
    pub(super) warn_below: Option<f64>,
    pub(super) fail_below: Option<f64>,
}

impl Bounds {
    pub(super) const NONE: Self = Self { warn_above: None, fail_above: None, warn_below: None, fail_below: None };

    /// How a check ended. A value that is not a number is never within bounds.
    pub(super) fn judge(&self, measure: &Measure) -> Judgement {
        let judgement = |status, expected, seen| Judgement { status, expected, seen };
        let value = match &measure.found {
            Found::Error => return judgement(QualityStatus::Errored, None, None),
            Found::Holds(true) => return judgement(QualityStatus::Passed, None, None),
            Found::Holds(false) => {
                return judgement(QualityStatus::Failed, Some("true".to_owned()), Some("false".to_owned()));
            }
            Found::Judged { standing, expected, seen } => {
                let status = match standing {
                    Standing::Passed => QualityStatus::Passed,
                    Standing::Warned => QualityStatus::Warned,
                    Standing::Failed => QualityStatus::Failed,
                };
                return judgement(status, expected.clone(), seen.clone());
            }
            Found::Number(value) => *value,
        };
        let seen = match measure.counts {
            Some((count, of)) => format!("{value} ({count} of {of})"),
            None => value.to_string(),
        };
        if value.is_nan() {
            return judgement(QualityStatus::Failed, Some("a number".to_owned()), Some(seen));
        }
        let above = |bound: Option<f64>| bound.filter(|bound| value > *bound).map(|bound| format!("at most {bound}"));
        let below = |bound: Option<f64>| bound.filter(|bound| value < *bound).map(|bound| format!("at least {bound}"));
        if let Some(expected) = above(self.fail_above).or_else(|| below(self.fail_below)) {
            return judgement(QualityStatus::Failed, Some(expected), Some(seen));
        }
        match above(self.warn_above).or_else(|| below(self.warn_below)) {
            Some(expected) => judgement(QualityStatus::Warned, Some(expected), Some(seen)),
            None => judgement(QualityStatus::Passed, None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::quality::measure::IntoMeasure;

    const BOUNDS: Bounds =
        Bounds { warn_above: Some(5.0), fail_above: Some(10.0), warn_below: None, fail_below: Some(0.0) };

    #[test]
    fn a_value_on_a_bound_is_within_it() {
        for (value, status) in [
            (5.0, QualityStatus::Passed),
            (5.1, QualityStatus::Warned),
            (10.0, QualityStatus::Warned),
            (10.1, QualityStatus::Failed),
            (0.0, QualityStatus::Passed),
            (-0.1, QualityStatus::Failed),
            (f64::NAN, QualityStatus::Failed),
        ] {
            assert_eq!(BOUNDS.judge(&value.into_measure()).status, status, "{value}");
        }
    }

    #[test]
    fn an_error_is_no_failure() {
        let judgement = BOUNDS.judge(&Err::<u8, _>("no such table").into_measure());
        assert_eq!((judgement.status, judgement.expected), (QualityStatus::Errored, None));
    }
}
