//! `warn_above`, `fail_above`, `warn_below` and `fail_below`.

use crate::grammar::args::Args;
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::values::{self, Number};

/// The limits for the value of a data-quality check.
pub struct Thresholds {
    limits: [(&'static str, Option<Number>); 4],
}

impl Thresholds {
    /// Reads the limits and refuses contradictory ones.
    pub fn new(args: &Args, diagnostics: &mut Diagnostics) -> Self {
        let limits = ["warn_above", "fail_above", "warn_below", "fail_below"]
            .map(|name| (name, args.value(name, values::number, diagnostics)));
        let thresholds = Self { limits };
        thresholds.check(diagnostics);
        thresholds
    }

    /// Each key with its limit, if it was given.
    pub fn limits(&self) -> impl Iterator<Item = (&'static str, Option<&Number>)> {
        self.limits.iter().map(|(name, limit)| (*name, limit.as_ref()))
    }

    fn check(&self, diagnostics: &mut Diagnostics) {
        let never_warns = "no value can warn without failing";
        let mut contradicts = self.contradiction("warn_above", "fail_above", never_warns, diagnostics);
        contradicts |= self.contradiction("fail_below", "warn_below", never_warns, diagnostics);
        if contradicts {
            return;
        }
        let outcomes = [
            ("fail_below", "fail_above", "every value fails"),
            ("warn_below", "warn_above", "every value warns or fails"),
            ("fail_below", "warn_above", "every value warns or fails"),
            ("warn_below", "fail_above", "every value warns or fails"),
        ];
        for (low, high, outcome) in outcomes {
            if self.contradiction(low, high, outcome, diagnostics) {
                return;
            }
        }
    }

    /// Reports a `low` that is greater than `high`.
    fn contradiction(&self, low: &str, high: &str, outcome: &str, diagnostics: &mut Diagnostics) -> bool {
        let (Some(low_limit), Some(high_limit)) = (self.limit(low), self.limit(high)) else { return false };
        let contradicts = low_limit.value > high_limit.value;
        if contradicts {
            let (low_value, high_value) = (low_limit.value, high_limit.value);
            let message = format!("`{low}` ({low_value}) is greater than `{high}` ({high_value}), so {outcome}");
            diagnostics.at(&low_limit.written, message);
        }
        contradicts
    }

    fn limit(&self, name: &str) -> Option<&Number> {
        self.limits.iter().find(|(limit, _)| *limit == name).and_then(|(_, number)| number.as_ref())
    }
}
