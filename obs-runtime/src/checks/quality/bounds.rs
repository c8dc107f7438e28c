//! The bounds of a data-quality check.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::checks::runner::check::setters;
use crate::events::failure::shown;

/// The bounds that judge what a data-quality check measures. Those of a declaration come from the keys of the attribute; a function
/// can give more for each run, by the key `bounds`, [`Measured::within`](crate::Measured::within) or
/// [`QualityCheck`](crate::QualityCheck). What is given last counts, bound by bound.
///
/// ```standalone_crate
/// use obs_runtime::{Bounds, dq_check, run_dq_checks};
///
/// /// At least 90 % of what was loaded the day before.
/// fn like_yesterday() -> Result<Bounds, std::io::Error> {
///     let yesterday = 1000.0;
///     Ok(Bounds::new().fail_below(0.9 * yesterday))
/// }
///
/// #[dq_check(dataset = "orders", bounds = like_yesterday)]
/// fn rows() -> u64 {
///     850
/// }
/// let result = &run_dq_checks().wait().results[0];
/// assert_eq!(result.value, Some(850.0));
/// assert_eq!(result.why().as_deref(), Some("expected at least 900, seen 850"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct Bounds {
    pub(super) warn: Limits,
    pub(super) fail: Limits,
    pub(super) require_rows: Option<u64>,
    pub(super) allow_no_data: bool,
}

/// The limits beyond which a value warns or fails.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Limits {
    pub above: Option<f64>,
    pub below: Option<f64>,
    /// From this number of failing rows on.
    pub rows: Option<u64>,
    /// From this part of all rows on.
    pub share: Option<f64>,
    /// Above this age in seconds.
    pub older_than: Option<f64>,
    /// Below minus this, in seconds.
    pub in_future: Option<f64>,
}

impl Limits {
    const NONE: Self = Self { above: None, below: None, rows: None, share: None, older_than: None, in_future: None };

    fn or(self, other: Self) -> Self {
        Self {
            above: self.above.or(other.above),
            below: self.below.or(other.below),
            rows: self.rows.or(other.rows),
            share: self.share.or(other.share),
            older_than: self.older_than.or(other.older_than),
            in_future: self.in_future.or(other.in_future),
        }
    }

    fn described(&self, kind: &str) -> impl Iterator<Item = String> {
        let number = |limit: Option<f64>| limit.map(|limit| limit.to_string());
        let limits = [
            ("above", number(self.above)),
            ("below", number(self.below)),
            ("rows", self.rows.map(|rows| rows.to_string())),
            ("share", number(self.share)),
            ("older_than", self.older_than.map(age)),
            ("in_future", self.in_future.map(age)),
        ];
        limits.into_iter().filter_map(move |(name, limit)| Some(format!("{kind}_{name} = {}", limit?)))
    }
}

impl Bounds {
    pub(super) const NONE: Self =
        Self { warn: Limits::NONE, fail: Limits::NONE, require_rows: None, allow_no_data: false };

    /// No bounds.
    pub const fn new() -> Self {
        Self::NONE
    }

    setters! {
        /// A value above this is a warning.
        warn_above: f64 => warn.above = Some(warn_above);
        /// A value above this is a failure.
        fail_above: f64 => fail.above = Some(fail_above);
        /// A value below this is a warning.
        warn_below: f64 => warn.below = Some(warn_below);
        /// A value below this is a failure.
        fail_below: f64 => fail.below = Some(fail_below);
        /// This many failing rows or more are a warning. A number without a total counts failing rows itself.
        warn_rows: u64 => warn.rows = Some(warn_rows);
        /// This many failing rows or more are a failure. A number without a total counts failing rows itself.
        fail_rows: u64 => fail.rows = Some(fail_rows);
        /// This part of all rows or more, from 0 to 1, is a warning.
        warn_share: f64 => warn.share = Some(warn_share);
        /// This part of all rows or more, from 0 to 1, is a failure.
        fail_share: f64 => fail.share = Some(fail_share);
        /// An age in seconds above this is a warning.
        warn_older_than: Duration => warn.older_than = Some(warn_older_than.as_secs_f64());
        /// An age in seconds above this is a failure.
        fail_older_than: Duration => fail.older_than = Some(fail_older_than.as_secs_f64());
        /// A time that lies further in the future than this, which is a negative age, is a failure.
        fail_in_future: Duration => fail.in_future = Some(fail_in_future.as_secs_f64());
        /// How many rows the check must have looked at, which is the total of a ratio.
        require_rows: u64 => require_rows = Some(require_rows);
    }

    /// A value outside of this range is a failure.
    pub const fn between(self, range: &RangeInclusive<f64>) -> Self {
        self.fail_below(*range.start()).fail_above(*range.end())
    }

    /// These bounds, and where they have none those of `declared`.
    pub(super) fn or(self, declared: Self) -> Self {
        Self {
            warn: self.warn.or(declared.warn),
            fail: self.fail.or(declared.fail),
            require_rows: self.require_rows.or(declared.require_rows),
            allow_no_data: self.allow_no_data || declared.allow_no_data,
        }
    }

    /// Each limit as in the attribute: `fail_above = 0.05`.
    pub(super) fn described(&self) -> Vec<String> {
        let rows = self.require_rows.map(|rows| format!("require_rows = {rows}"));
        self.warn.described("warn").chain(self.fail.described("fail")).chain(rows).collect()
    }
}

/// An age in seconds in words: `6h 1s`.
pub(super) fn age(seconds: f64) -> String {
    let seconds = if seconds.abs() < 1.0 { seconds } else { seconds.trunc() };
    match Duration::try_from_secs_f64(seconds.abs()) {
        Ok(age) if seconds < 0.0 => format!("{} in the future", humantime::format_duration(age)),
        Ok(age) => humantime::format_duration(age).to_string(),
        Err(_) => format!("{seconds} s"),
    }
}

/// What a function that gives the bounds of a run may return: [`Bounds`], an `Option` of them, where `None` leaves those of the
/// declaration, or a `Result`, whose error is that of the check.
#[diagnostic::on_unimplemented(
    message = "the bounds of a data-quality check cannot be a `{Self}`",
    note = "return `Bounds`, an `Option` of it, or a `Result` of these with an error that can be displayed"
)]
pub trait IntoBounds {
    /// The bounds, or why they could not be told.
    ///
    /// # Errors
    /// If they could not be told.
    fn into_bounds(self) -> Result<Bounds, String>;
}

impl IntoBounds for Bounds {
    fn into_bounds(self) -> Result<Bounds, String> {
        Ok(self)
    }
}

impl<B: IntoBounds> IntoBounds for Option<B> {
    fn into_bounds(self) -> Result<Bounds, String> {
        self.map_or(Ok(Bounds::NONE), IntoBounds::into_bounds)
    }
}

impl<B: IntoBounds, E: Display> IntoBounds for Result<B, E> {
    fn into_bounds(self) -> Result<Bounds, String> {
        // The alternate form of `anyhow` and `eyre` includes the sources.
        self.map_err(|error| shown(&format_args!("{error:#}"))).and_then(IntoBounds::into_bounds)
    }
}
