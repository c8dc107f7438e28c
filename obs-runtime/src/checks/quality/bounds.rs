//! The bounds of a data-quality check, and how a value is judged by them.

use crate::checks::quality::measure::{Measure, Observation};
use crate::checks::quality::status::QualityStatus;

/// The status of a check, with the expected and the observed value if it did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub(super) status: QualityStatus,
    pub(super) expected: Option<String>,
    pub(super) seen: Option<String>,
}

/// The bounds of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub(super) warn_above: Option<f64>,
    pub(super) fail_above: Option<f64>,
    pub(super) warn_below: Option<f64>,
    pub(super) fail_below: Option<f64>,
    pub(super) require_rows: Option<u64>,
    pub(super) allow_no_data: bool,
}

impl Bounds {
    pub(super) const NONE: Self = Self {
        warn_above: None,
        fail_above: None,
        warn_below: None,
        fail_below: None,
        require_rows: None,
        allow_no_data: false,
    };

    /// What of the bounds can never apply to such a measurement; none if all can.
    pub(super) fn objection(&self, measure: &Measure) -> Option<String> {
        let Observation::Number(_) = measure.observation else { return None };
        let all = [
            ("warn_above", self.warn_above, true),
            ("fail_above", self.fail_above, true),
            ("warn_below", self.warn_below, false),
            ("fail_below", self.fail_below, false),
        ];
        let given = all.into_iter().filter_map(|(name, bound, above)| Some((name, bound?, above)));
        let Some((count, of)) = measure.counts else {
            return (given.count() == 0).then(|| "it measures a number, and no threshold judges it".to_owned());
        };
        #[expect(clippy::cast_precision_loss, reason = "a measure is a float, as metrics are")]
        let is_part = (0.0..=of as f64).contains(&count);
        let mut never = given.filter(|(_, bound, above)| is_part && if *above { *bound >= 1.0 } else { *bound <= 0.0 });
        if let Some((name, bound, _)) = never.next() {
            return Some(format!("`{name}` ({bound}) never applies: it measures a ratio, from 0 to 1 (0.05 is 5 %)"));
        }
        let judged = self.require_rows.is_some() || all.iter().any(|(_, bound, _)| bound.is_some());
        (!judged).then(|| "it measures a ratio, and no threshold judges it".to_owned())
    }

    /// Each limit as in the attribute: `fail_above = 0.05`.
    pub(super) fn described(&self) -> Vec<String> {
        let limits = [
            ("warn_above", self.warn_above),
            ("fail_above", self.fail_above),
            ("warn_below", self.warn_below),
            ("fail_below", self.fail_below),
        ];
        let limits = limits.into_iter().filter_map(|(name, limit)| Some(format!("{name} = {}", limit?)));
        limits.chain(self.require_rows.map(|rows| format!("require_rows = {rows}"))).collect()
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
                let seen = rows.map_or_else(|| "none".to_owned(), |_| "0 of 0 rows".to_owned());
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
        Bounds { warn_above: Some(5.0), fail_above: Some(10.0), fail_below: Some(0.0), ..Bounds::NONE };

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
    fn no_data_is_a_status_unless_it_is_allowed() {
        use crate::checks::quality::measure::Measured;
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
