//! What a data-quality check may return.

use std::fmt::Display;

use serde::Serialize;

use crate::checks::runner::details::Details;
use crate::events::failure::shown;

/// How many failing rows are kept.
const ROWS: usize = 10;

/// How much of each is kept, in characters.
const ROW: usize = 200;

/// What a data-quality check measured, about to be judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    pub(super) found: Found,
    pub(super) message: Option<String>,
    pub(super) counts: Option<(f64, u64)>,
    pub(super) sample: Vec<String>,
    pub(super) details: Option<Details>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    Number(f64),
    Holds(bool),
    Judged { standing: Standing, expected: Option<String>, seen: Option<String> },
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Passed,
    Warned,
    Failed,
}

impl Measure {
    const fn of(found: Found) -> Self {
        Self { found, message: None, counts: None, sample: Vec::new(), details: None }
    }

    pub(super) fn errored(message: String) -> Self {
        Self { message: Some(message), ..Self::of(Found::Error) }
    }

    pub(super) fn value(&self) -> Option<f64> {
        match self.found {
            Found::Number(number) => Some(number),
            Found::Holds(_) | Found::Judged { .. } | Found::Error => None,
        }
    }
}

fn sample(rows: impl IntoIterator<Item: Display>) -> Vec<String> {
    rows.into_iter().take(ROWS).map(|row| shown(&row).chars().take(ROW).collect()).collect()
}

/// A number that was measured, with what it was measured on.
///
/// ```standalone_crate
/// use obs_runtime::{Measured, dq_check, run_dq_checks};
///
/// #[dq_check(dataset = "users", column = "id", fail_above = 0.5)]
/// fn nulls() -> Measured {
///     Measured::ratio(2, 8).with_sample(["row 3", "row 7"])
/// }
/// let result = &run_dq_checks().wait().results[0];
/// assert_eq!((result.value, result.of), (Some(0.25), Some(8)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// What was measured, or counted.
    pub value: f64,
    /// Of how many it was counted: then what is judged is the ratio, 0 of none being 0. Without it, the value is.
    pub of: Option<u64>,
    /// Some of the rows that the check does not like. Ten are kept, 200 characters of each, redacted.
    pub sample: Vec<String>,
}

impl Measured {
    /// A plain number.
    #[must_use]
    pub const fn number(value: f64) -> Self {
        Self { value, of: None, sample: Vec::new() }
    }

    /// So many of so many.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a measure is a float, as metrics are")]
    pub const fn ratio(count: u64, of: u64) -> Self {
        Self { value: count as f64, of: Some(of), sample: Vec::new() }
    }

    /// With some of the rows that the check does not like.
    #[must_use]
    pub fn with_sample(mut self, rows: impl IntoIterator<Item: Display>) -> Self {
        self.sample = sample(rows);
        self
    }
}

/// A verdict that a check came to by itself.
///
/// ```standalone_crate
/// use obs_runtime::{QualityStatus, Verdict, dq_check, run_dq_checks};
///
/// #[dq_check(dataset = "users")]
/// fn schema() -> Verdict {
///     Verdict::failed("a column is missing").expected("id, name").seen("id")
/// }
/// let result = &run_dq_checks().wait().results[0];
/// assert_eq!((result.status, result.seen.as_deref()), (QualityStatus::Failed, Some("id")));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict(Measure);

impl Verdict {
    const fn of(standing: Standing) -> Self {
        Self(Measure::of(Found::Judged { standing, expected: None, seen: None }))
    }

    /// The data is as it should be.
    #[must_use]
    pub const fn passed() -> Self {
        Self::of(Standing::Passed)
    }

    /// The data can be used, and somebody should look at it.
    pub fn warned(message: impl Into<String>) -> Self {
        let mut verdict = Self::of(Standing::Warned);
        verdict.0.message = Some(message.into());
        verdict
    }

    /// The data is not as it should be.
    pub fn failed(message: impl Into<String>) -> Self {
        let mut verdict = Self::of(Standing::Failed);
        verdict.0.message = Some(message.into());
        verdict
    }

    /// What was expected.
    #[must_use]
    pub fn expected(mut self, what: impl Display) -> Self {
        if let Found::Judged { expected, .. } = &mut self.0.found {
            *expected = Some(shown(&what));
        }
        self
    }

    /// What was seen instead.
    #[must_use]
    pub fn seen(mut self, what: impl Display) -> Self {
        if let Found::Judged { seen, .. } = &mut self.0.found {
            *seen = Some(shown(&what));
        }
        self
    }

    /// With some of the rows that the check does not like: ten are kept, 200 characters of each, redacted.
    #[must_use]
    pub fn with_sample(mut self, rows: impl IntoIterator<Item: Display>) -> Self {
        self.0.sample = sample(rows);
        self
    }

    /// With what else there is to tell, as JSON: texts in it are redacted, and more than 16 KiB is left out.
    #[must_use]
    pub fn with_details(mut self, details: &impl Serialize) -> Self {
        self.0.details = Some(Details::new(details));
        self
    }
}

/// What a function under `#[dq_check]` may return.
#[diagnostic::on_unimplemented(
    message = "a data-quality check cannot return `{Self}`",
    label = "this cannot be judged",
    note = "return a number, bool, Measured, Verdict, or a Result of these with an error that can be displayed"
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
        Measure::of(Found::Holds(self))
    }
}

impl IntoMeasure for Measured {
    #[expect(clippy::cast_precision_loss, reason = "a measure is a float, as metrics are")]
    fn into_measure(self) -> Measure {
        let Self { value, of, sample: rows } = self;
        let judged = match of {
            None => value,
            Some(0) if value == 0.0 => 0.0,
            Some(of) => value / of as f64,
        };
        Measure { counts: of.map(|of| (value, of)), sample: sample(rows), ..Measure::of(Found::Number(judged)) }
    }
}

impl IntoMeasure for Verdict {
    fn into_measure(self) -> Measure {
        self.0
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl IntoMeasure for $number {
            #[allow(clippy::cast_precision_loss, clippy::cast_lossless, reason = "a measure is a float, as metrics are")]
            fn into_measure(self) -> Measure {
                Measure::of(Found::Number(self as f64))
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
