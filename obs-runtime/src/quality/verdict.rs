//! What a data-quality check may return, and how it is judged.

use std::fmt::{self, Display};

use serde::Serialize;

use crate::failure::shown;

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
}

impl QualityStatus {
    /// `passed`, `warned`, `failed` or `errored`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Errored => "errored",
        }
    }
}

impl Display for QualityStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What a data-quality check measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure(Found);

#[derive(Clone, Debug, PartialEq)]
enum Found {
    Number(f64),
    Holds(bool),
    Error(String),
}

impl Measure {
    pub(super) fn errored(message: String) -> Self {
        Self(Found::Error(message))
    }

    pub(super) fn value(&self) -> Option<f64> {
        match self.0 {
            Found::Number(number) => Some(number),
            Found::Holds(_) | Found::Error(_) => None,
        }
    }

    pub(super) fn into_message(self) -> Option<String> {
        match self.0 {
            Found::Error(message) => Some(message),
            Found::Number(_) | Found::Holds(_) => None,
        }
    }
}

/// What a function under `#[dq_check]` may return.
#[diagnostic::on_unimplemented(
    message = "a data-quality check cannot return `{Self}`",
    label = "this cannot be judged",
    note = "return a number, bool, or a Result of these with an error that can be displayed"
)]
pub trait IntoMeasure {
    /// What the value says.
    fn into_measure(self) -> Measure;
}

impl IntoMeasure for Measure {
    fn into_measure(self) -> Measure {
        self
    }
}

impl IntoMeasure for bool {
    fn into_measure(self) -> Measure {
        Measure(Found::Holds(self))
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl IntoMeasure for $number {
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless, reason = "a measure is a float, as metrics are")]
            fn into_measure(self) -> Measure {
                Measure(Found::Number(self as f64))
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);

impl<T: IntoMeasure, E: Display> IntoMeasure for Result<T, E> {
    fn into_measure(self) -> Measure {
        match self {
            Ok(value) => value.into_measure(),
            // The alternate form of `anyhow` and `eyre` shows the sources as well.
            Err(error) => Measure::errored(shown(&format_args!("{error:#}"))),
        }
    }
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

    /// How a check ended, and what was expected if it did not pass. A value that is not a number is never within bounds.
    pub(super) fn judge(&self, measure: &Measure) -> (QualityStatus, Option<String>) {
        let value = match &measure.0 {
            Found::Error(_) => return (QualityStatus::Errored, None),
            Found::Holds(true) => return (QualityStatus::Passed, None),
            Found::Holds(false) => return (QualityStatus::Failed, Some("expected to hold".to_owned())),
            Found::Number(value) => *value,
        };
        if value.is_nan() {
            return (QualityStatus::Failed, Some("expected a number".to_owned()));
        }
        let above =
            |bound: Option<f64>| bound.filter(|bound| value > *bound).map(|bound| format!("expected at most {bound}"));
        let below =
            |bound: Option<f64>| bound.filter(|bound| value < *bound).map(|bound| format!("expected at least {bound}"));
        if let Some(expected) = above(self.fail_above).or_else(|| below(self.fail_below)) {
            return (QualityStatus::Failed, Some(expected));
        }
        match above(self.warn_above).or_else(|| below(self.warn_below)) {
            Some(expected) => (QualityStatus::Warned, Some(expected)),
            None => (QualityStatus::Passed, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(BOUNDS.judge(&value.into_measure()).0, status, "{value}");
        }
    }

    #[test]
    fn an_error_is_no_failure() {
        let (status, expected) = BOUNDS.judge(&Err::<u8, _>("no such table").into_measure());
        assert_eq!((status, expected), (QualityStatus::Errored, None));
    }
}
