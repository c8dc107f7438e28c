//! How a measurement is judged by the bounds of its check.

use crate::checks::quality::bounds::{Bounds, Limits, age};
use crate::checks::quality::measure::{Measure, Observation};
use crate::checks::quality::status::QualityStatus;

/// The status of a check, with the expected and the observed value if it did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub(super) status: QualityStatus,
    pub(super) expected: Option<String>,
    pub(super) seen: Option<String>,
}

/// A measured number.
#[derive(Clone, Copy)]
struct Measurement {
    value: f64,
    /// The count and the total, if it is a ratio.
    counts: Option<(f64, u64)>,
}

impl Measurement {
    fn seen(self) -> String {
        match self.counts {
            Some((count, of)) => format!("{} ({count} of {of})", self.value),
            None => self.value.to_string(),
        }
    }

    /// The number of rows, which a limit of rows is compared with.
    fn rows_seen(self) -> String {
        match self.counts {
            Some((count, of)) => format!("{count} of {of}"),
            None => self.value.to_string(),
        }
    }
}

impl Limits {
    /// What the first limit that the value is beyond expects, and what was seen instead.
    fn broken_by(&self, measured: Measurement) -> Option<(String, String)> {
        let value = measured.value;
        let rows = measured.counts.map_or(value, |(count, _)| count);
        #[expect(clippy::cast_precision_loss, reason = "a measure is a float, as metrics are")]
        let is_many = |limit: &u64| rows >= *limit as f64;
        let words = |expected: String| (expected, measured.seen());
        let time = |expected: String| (expected, age(value));
        let above = self.above.filter(|limit| value > *limit).map(|limit| words(format!("at most {limit}")));
        let below = || self.below.filter(|limit| value < *limit).map(|limit| words(format!("at least {limit}")));
        let many = || {
            let limit = self.rows.filter(is_many)?;
            let noun = if limit == 1 { "row" } else { "rows" };
            Some((format!("fewer than {limit} failing {noun}"), measured.rows_seen()))
        };
        let share = || {
            let share = self.share.filter(|limit| value >= *limit);
            share.map(|limit| words(format!("less than {} % of the rows", percent(limit))))
        };
        let old = || {
            let older = self.older_than.filter(|limit| value > *limit);
            older.map(|limit| time(format!("not older than {}", age(limit))))
        };
        let future = || {
            self.in_future.filter(|limit| value < -*limit).map(|limit| {
                time(if limit > 0.0 {
                    format!("at most {} in the future", age(limit))
                } else {
                    "not in the future".to_owned()
                })
            })
        };
        above.or_else(below).or_else(many).or_else(share).or_else(old).or_else(future)
    }

    /// Each limit with its name, without `warn_` or `fail_`, as what it compares.
    fn each(&self) -> impl Iterator<Item = (&'static str, f64)> {
        #[expect(clippy::cast_precision_loss, reason = "a measure is a float, as metrics are")]
        let rows = self.rows.map(|rows| rows as f64);
        let limits = [
            ("above", self.above),
            ("below", self.below),
            ("rows", rows),
            ("share", self.share),
            ("older_than", self.older_than),
            ("in_future", self.in_future),
        ];
        limits.into_iter().filter_map(|(name, limit)| Some((name, limit?)))
    }
}

/// A share in percent, without the digits that floating-point numbers add.
fn percent(share: f64) -> f64 {
    (share * 100.0 * 1e9).round() / 1e9
}

impl Bounds {
    /// What of the bounds can never apply to such a measurement; none if all can.
    pub(super) fn objection(&self, measure: &Measure) -> Option<String> {
        let Observation::Number(value) = measure.observation else { return None };
        let warns = self.warn.each().map(|(name, limit)| ("warn", name, limit));
        let given: Vec<_> = warns.chain(self.fail.each().map(|(name, limit)| ("fail", name, limit))).collect();
        let Some((count, of)) = measure.counts else {
            let share = given.iter().find(|(_, name, _)| *name == "share" && !(0.0..=1.0).contains(&value));
            if let Some((kind, name, limit)) = share {
                return Some(format!("`{kind}_{name}` ({limit}) judges a share from 0 to 1, and it measures {value}"));
            }
            return given.is_empty().then(|| "it measures a number, and no threshold judges it".to_owned());
        };
        #[expect(clippy::cast_precision_loss, reason = "a measure is a float, as metrics are")]
        let is_part = (0.0..=of as f64).contains(&count);
        for (kind, name, limit) in &given {
            let never = match *name {
                "above" => is_part && *limit >= 1.0,
                "below" => is_part && *limit <= 0.0,
                "share" => is_part && *limit > 1.0,
                "rows" => false,
                _ => return Some(format!("`{kind}_{name}` never applies: it measures a ratio, not an age")),
            };
            if never {
                let why = "it measures a ratio, from 0 to 1 (0.05 is 5 %)";
                return Some(format!("`{kind}_{name}` ({limit}) never applies: {why}"));
            }
        }
        let is_judged = self.require_rows.is_some() || !given.is_empty();
        (!is_judged).then(|| "it measures a ratio, and no threshold judges it".to_owned())
    }

    /// Judges a measurement: first whether there were rows enough, then its value. NaN fails even without bounds.
    pub(super) fn judge(&self, measure: &Measure) -> Judgement {
        let judgement = |status, expected, seen| Judgement { status, expected, seen };
        let rows = measure.counts.map(|(_, of)| of);
        if let (Some(required), Some(rows)) = (self.require_rows, rows)
            && rows < required
        {
            let expected = format!("at least {required} {}", if required == 1 { "row" } else { "rows" });
            return judgement(QualityStatus::Failed, Some(expected), Some(rows.to_string()));
        }
        let value = match &measure.observation {
            Observation::Error => return judgement(QualityStatus::Errored, None, None),
            Observation::NoData if self.allow_no_data => return judgement(QualityStatus::Passed, None, None),
            Observation::NoData => {
                let seen = rows.map_or_else(|| "none".to_owned(), |_| "0 of 0".to_owned());
                return judgement(QualityStatus::NoData, Some("data".to_owned()), Some(seen));
            }
            Observation::Condition(true) => return judgement(QualityStatus::Passed, None, None),
            Observation::Condition(false) => {
                return judgement(QualityStatus::Failed, Some("true".to_owned()), Some("false".to_owned()));
            }
            Observation::Judged { status, expected, seen } => {
                return judgement(*status, expected.clone(), seen.clone());
            }
            Observation::Number(value) => *value,
        };
        let measured = Measurement { value, counts: measure.counts };
        if value.is_nan() {
            return judgement(QualityStatus::Failed, Some("a number".to_owned()), Some(measured.seen()));
        }
        let limits = [("warn", self.warn), ("fail", self.fail)];
        let no_number = limits.iter().find_map(|(kind, limits)| {
            limits.each().find(|(_, limit)| limit.is_nan()).map(|(name, _)| format!("a number as `{kind}_{name}`"))
        });
        // No value is beyond it, so that it would let all pass.
        if let Some(expected) = no_number {
            return judgement(QualityStatus::Errored, Some(expected), Some("NaN".to_owned()));
        }
        if let Some((expected, seen)) = self.fail.broken_by(measured) {
            return judgement(QualityStatus::Failed, Some(expected), Some(seen));
        }
        match self.warn.broken_by(measured) {
            Some((expected, seen)) => judgement(QualityStatus::Warned, Some(expected), Some(seen)),
            None => judgement(QualityStatus::Passed, None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::checks::quality::measure::{IntoMeasure, Measured};

    const BOUNDS: Bounds = Bounds::new().warn_above(5.0).fail_above(10.0).fail_below(0.0);

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

    fn why(bounds: Bounds, measure: impl IntoMeasure) -> (QualityStatus, String) {
        let judged = bounds.judge(&measure.into_measure());
        let texts = [judged.expected, judged.seen].into_iter().flatten().collect::<Vec<_>>();
        (judged.status, texts.join("; "))
    }

    #[test]
    fn a_limit_that_is_no_number_is_an_error() {
        let computed = f64::NAN;
        for (bounds, name) in [
            (Bounds::new().fail_above(computed), "fail_above"),
            (Bounds::new().warn_below(computed).fail_above(9.0), "warn_below"),
            (Bounds::new().fail_share(computed), "fail_share"),
        ] {
            let expected = format!("a number as `{name}`; NaN");
            assert_eq!(why(bounds, Measured::ratio(1, 2)), (QualityStatus::Errored, expected));
        }
        let infinite = Bounds::new().fail_above(f64::INFINITY);
        assert_eq!(why(infinite, 7.0).0, QualityStatus::Passed, "which is no limit");
    }

    #[test]
    fn rows_and_shares_fail_from_the_limit_on() {
        use QualityStatus::{Failed, Passed, Warned};
        let rows = Bounds::new().warn_rows(2).fail_rows(10);
        let of = |count| Measured::ratio(count, 1000);
        assert_eq!(why(rows, of(1)), (Passed, String::new()));
        assert_eq!(why(rows, of(2)), (Warned, "fewer than 2 failing rows; 2 of 1000".to_owned()));
        assert_eq!(why(rows, of(10)), (Failed, "fewer than 10 failing rows; 10 of 1000".to_owned()));
        assert_eq!(why(rows, 10_u64), (Failed, "fewer than 10 failing rows; 10".to_owned()));
        assert_eq!(why(Bounds::new().fail_rows(1), of(3)), (Failed, "fewer than 1 failing row; 3 of 1000".to_owned()));
        let share = Bounds::new().warn_share(0.005).fail_share(0.07);
        assert_eq!(why(share, of(4)).0, Passed);
        assert_eq!(why(share, of(5)), (Warned, "less than 0.5 % of the rows; 0.005 (5 of 1000)".to_owned()));
        assert_eq!(why(share, of(70)), (Failed, "less than 7 % of the rows; 0.07 (70 of 1000)".to_owned()));
    }

    #[test]
    fn an_age_is_told_in_words() {
        use QualityStatus::{Failed, Passed, Warned};
        let hours = |hours| Duration::from_hours(hours);
        let bounds =
            Bounds::new().warn_older_than(hours(2)).fail_older_than(hours(6)).fail_in_future(Duration::from_mins(5));
        assert_eq!(why(bounds, 7200.0), (Passed, String::new()));
        assert_eq!(why(bounds, 7201.4), (Warned, "not older than 2h; 2h 1s".to_owned()));
        assert_eq!(why(bounds, 90_000.0), (Failed, "not older than 6h; 1day 1h".to_owned()));
        assert_eq!(why(bounds, -300.0).0, Passed);
        let late = "at most 5m in the future; 6m in the future".to_owned();
        assert_eq!(why(bounds, -360.0), (Failed, late));
        let never = Bounds::new().fail_in_future(Duration::ZERO);
        assert_eq!(why(never, -1.0), (Failed, "not in the future; 1s in the future".to_owned()));
    }

    #[test]
    fn what_is_given_last_counts_bound_by_bound() {
        let merged = Bounds::new().fail_above(7.0).or(BOUNDS);
        assert_eq!(merged, Bounds::new().warn_above(5.0).fail_above(7.0).fail_below(0.0));
        assert_eq!(Bounds::new().between(&(1.0..=2.0)).described(), ["fail_above = 2", "fail_below = 1"]);
    }

    #[test]
    fn no_data_is_a_status_unless_it_is_allowed() {
        let allowed = Bounds { allow_no_data: true, ..BOUNDS };
        let required = Bounds { require_rows: Some(1), ..allowed };
        for measure in [Measured::ratio(0, 0).into_measure(), None::<f64>.into_measure()] {
            assert_eq!(BOUNDS.judge(&measure).status, QualityStatus::NoData);
            assert_eq!(allowed.judge(&measure).status, QualityStatus::Passed);
        }
        let judged = required.judge(&Measured::ratio(0, 0).into_measure());
        assert_eq!((judged.status, judged.expected.as_deref()), (QualityStatus::Failed, Some("at least 1 row")));
        assert_eq!(required.judge(&Measured::ratio(0, 1).into_measure()).status, QualityStatus::Passed);
    }

    #[test]
    fn an_error_is_not_a_failure() {
        let judgement = BOUNDS.judge(&Err::<u8, _>("no such table").into_measure());
        assert_eq!((judgement.status, judgement.expected), (QualityStatus::Errored, None));
    }
}
