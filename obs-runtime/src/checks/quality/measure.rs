//! What a data-quality check returns.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;

use crate::checks::quality::bounds::Bounds;
use crate::checks::quality::current_table::{self, TableName};
use crate::checks::quality::status::QualityStatus;
use crate::checks::runner::details::Details;
use crate::events::failure::shown;

/// How many sample rows are kept.
const MAX_ROWS: usize = 10;

/// The measurement of a data-quality check, before it is judged by the check's bounds. Types that implement [`IntoMeasure`]
/// construct it here, or convert a [`Measured`] or a [`Verdict`].
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    pub(super) observation: Observation,
    pub(super) message: Option<String>,
    pub(super) counts: Option<(f64, u64)>,
    pub(super) sample: Vec<String>,
    /// Whether each value of the sample was redacted by the name of its own column.
    pub(super) sample_is_redacted: bool,
    pub(super) keys: Vec<BTreeMap<String, String>>,
    pub(super) details: Option<Details>,
    /// Bounds of this run.
    pub(super) bounds: Bounds,
    /// The table that was read.
    pub(super) table: Option<TableName>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Observation {
    Number(f64),
    Condition(bool),
    Judged { status: QualityStatus, expected: Option<String>, seen: Option<String> },
    NoData,
    Error,
}

impl Measure {
    const fn of(observation: Observation) -> Self {
        Self {
            observation,
            message: None,
            counts: None,
            sample: Vec::new(),
            sample_is_redacted: false,
            keys: Vec::new(),
            details: None,
            bounds: Bounds::NONE,
            table: None,
        }
    }

    /// A number, judged by the check's bounds.
    #[must_use]
    pub const fn number(value: f64) -> Self {
        Self::of(Observation::Number(value))
    }

    /// A condition: the check passes if it is true and fails otherwise.
    #[must_use]
    pub const fn condition(holds: bool) -> Self {
        Self::of(Observation::Condition(holds))
    }

    /// There was nothing to measure, as in a partition without rows: the check is `no_data`, unless it allows that.
    #[must_use]
    pub const fn no_data() -> Self {
        Self::of(Observation::NoData)
    }

    pub(super) fn because(self, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..self }
    }

    /// With bounds of this run. Those that it has already count first.
    pub(super) fn within(self, bounds: Bounds) -> Self {
        Self { bounds: self.bounds.or(bounds), ..self }
    }

    /// Of the table that the check on this thread has read.
    pub(super) fn of_noted_table(self) -> Self {
        Self { table: current_table::take(), ..self }
    }

    /// The check could not measure: it is errored, with this message.
    pub fn error(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::of(Observation::Error) }
    }

    pub(super) fn value(&self) -> Option<f64> {
        match self.observation {
            Observation::Number(number) => Some(number),
            Observation::Condition(_) | Observation::Judged { .. } | Observation::NoData | Observation::Error => None,
        }
    }
}

fn sample(rows: impl IntoIterator<Item: Display>) -> Vec<String> {
    rows.into_iter().take(MAX_ROWS).map(|row| shown(&row)).collect()
}

/// A measured number, with the total that it is a part of and sample rows.
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
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Measured {
    /// The measured number, or a count.
    pub value: f64,
    /// The total. If it is set, the ratio `value / of` is judged, otherwise `value`. 0 of 0 is
    /// [`no_data`](QualityStatus::NoData).
    pub of: Option<u64>,
    /// Some of the failing rows. Ten are kept. They are redacted, then 200 characters of each are kept.
    pub sample: Vec<String>,
    /// The keys of some of the failing rows: for each its columns and their values. Ten are kept, redacted.
    pub keys: Vec<BTreeMap<String, String>>,
    /// Bounds that judge this measurement, before those of the check.
    pub bounds: Bounds,
    /// What there is to say of the number, such as the group that it is of.
    pub message: Option<String>,
    /// Whether each value of the sample was redacted by the name of its own column.
    pub(crate) sample_is_redacted: bool,
}

/// By what can be read of it.
impl PartialEq for Measured {
    fn eq(&self, other: &Self) -> bool {
        let Self { value, of, sample, keys, bounds, message, sample_is_redacted: _ } = self;
        (value, of, sample, keys, bounds, message)
            == (&other.value, &other.of, &other.sample, &other.keys, &other.bounds, &other.message)
    }
}

impl Measured {
    /// A number without a total.
    #[must_use]
    pub const fn number(value: f64) -> Self {
        Self {
            value,
            of: None,
            sample: Vec::new(),
            keys: Vec::new(),
            bounds: Bounds::NONE,
            message: None,
            sample_is_redacted: false,
        }
    }

    /// A count and its total: the ratio is judged.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a measure is a float, as metrics are")]
    pub const fn ratio(count: u64, of: u64) -> Self {
        Self {
            value: count as f64,
            of: Some(of),
            sample: Vec::new(),
            keys: Vec::new(),
            bounds: Bounds::NONE,
            message: None,
            sample_is_redacted: false,
        }
    }

    /// Judges this measurement by bounds that are known at run time only. They count before those of the check.
    #[must_use]
    pub const fn within(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Adds a sentence to the message.
    pub(crate) fn add_message(&mut self, sentence: &str) {
        self.message = Some(match self.message.take() {
            Some(message) => format!("{message}; {sentence}"),
            None => sentence.to_owned(),
        });
    }

    /// Adds some of the failing rows.
    #[must_use]
    pub fn with_sample(mut self, rows: impl IntoIterator<Item: Display>) -> Self {
        (self.sample, self.sample_is_redacted) = (sample(rows), false);
        self
    }
}

/// A status that the check decides itself, without bounds.
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
    const fn of(status: QualityStatus) -> Self {
        Self(Measure::of(Observation::Judged { status, expected: None, seen: None }))
    }

    /// The data is valid.
    #[must_use]
    pub const fn passed() -> Self {
        Self::of(QualityStatus::Passed)
    }

    /// There was nothing to judge: the check is [`no_data`](QualityStatus::NoData), unless it allows that.
    #[must_use]
    pub const fn no_data() -> Self {
        Self(Measure::no_data())
    }

    /// The data can be used but should be examined.
    pub fn warned(message: impl Into<String>) -> Self {
        let mut verdict = Self::of(QualityStatus::Warned);
        verdict.0.message = Some(message.into());
        verdict
    }

    /// The data is not valid.
    pub fn failed(message: impl Into<String>) -> Self {
        let mut verdict = Self::of(QualityStatus::Failed);
        verdict.0.message = Some(message.into());
        verdict
    }

    /// Adds the expected value.
    #[must_use]
    pub fn expected(mut self, what: impl Display) -> Self {
        if let Observation::Judged { expected, .. } = &mut self.0.observation {
            *expected = Some(shown(&what));
        }
        self
    }

    /// Adds the observed value.
    #[must_use]
    pub fn seen(mut self, what: impl Display) -> Self {
        if let Observation::Judged { seen, .. } = &mut self.0.observation {
            *seen = Some(shown(&what));
        }
        self
    }

    /// Adds some of the failing rows. Ten are kept. They are redacted, then 200 characters of each are kept.
    #[must_use]
    pub fn with_sample(mut self, rows: impl IntoIterator<Item: Display>) -> Self {
        self.0.sample = sample(rows);
        self
    }

    /// Adds details, serialised as JSON. Texts in them are redacted; details above 16 KiB are left out.
    #[must_use]
    pub fn with_details(mut self, details: &impl Serialize) -> Self {
        self.0.details = Some(Details::new(details));
        self
    }
}

/// What a function with `#[dq_check]` may return.
///
/// Implement it for a type of your own:
///
/// ```standalone_crate
/// use obs_runtime::{IntoMeasure, Measure, Measured, dq_check, run_dq_checks};
///
/// struct Duplicates {
///     rows: u64,
///     of: u64,
/// }
///
/// impl IntoMeasure for Duplicates {
///     fn into_measure(self) -> Measure {
///         Measured::ratio(self.rows, self.of).into_measure()
///     }
/// }
///
/// #[dq_check(dataset = "users", fail_above = 0.1)]
/// fn duplicates() -> Duplicates {
///     Duplicates { rows: 1, of: 4 }
/// }
/// assert_eq!(run_dq_checks().wait().results[0].value, Some(0.25));
/// ```
#[diagnostic::on_unimplemented(
    message = "a data-quality check cannot return `{Self}`",
    label = "not a data-quality check result",
    note = "return a number, bool, Measured, Verdict, an Option of these, or a Result of these with an error that can be displayed"
)]
pub trait IntoMeasure {
    /// Converts the value.
    fn into_measure(self) -> Measure;
}

impl IntoMeasure for Measure {
    fn into_measure(self) -> Measure {
        self
    }
}

impl IntoMeasure for bool {
    fn into_measure(self) -> Measure {
        Measure::condition(self)
    }
}

impl IntoMeasure for Measured {
    #[expect(clippy::cast_precision_loss, reason = "a measure is a float, as metrics are")]
    fn into_measure(self) -> Measure {
        let Self { value, of, sample: rows, keys, bounds, message, sample_is_redacted } = self;
        let measure = match of {
            None => Measure::number(value),
            Some(0) if value == 0.0 => Measure::no_data(),
            Some(of) => Measure::number(value / of as f64),
        };
        let keys = keys.into_iter().take(MAX_ROWS).collect();
        Measure {
            counts: of.map(|of| (value, of)),
            sample: sample(rows),
            sample_is_redacted,
            keys,
            bounds,
            message,
            ..measure
        }
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
                Measure::number(self as f64)
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);

/// An age, in seconds.
impl IntoMeasure for Duration {
    fn into_measure(self) -> Measure {
        Measure::number(self.as_secs_f64())
    }
}

/// `None` is no data.
impl<T: IntoMeasure> IntoMeasure for Option<T> {
    fn into_measure(self) -> Measure {
        self.map_or(const { Measure::no_data() }, IntoMeasure::into_measure)
    }
}

impl<T: IntoMeasure, E: Display> IntoMeasure for Result<T, E> {
    fn into_measure(self) -> Measure {
        match self {
            Ok(value) => value.into_measure(),
            // The alternate form of `anyhow` and `eyre` includes the sources.
            Err(error) => Measure::error(shown(&format_args!("{error:#}"))),
        }
    }
}
