//! The static that each attribute leaves behind: what it is on, where, and what was counted there.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use crate::base::level::Level;
use crate::base::schedule::Schedule;
use crate::metrics::cardinality::OTHER;
use crate::metrics::cells::{Cells, Totals};

/// Which attribute made a call site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallsiteKind {
    /// `#[tracked_command]`
    Command,
    /// `#[with_error_tracking]`
    Errors,
    /// `#[bq_cost]`
    Cost,
    /// `#[track_performance]`
    Operation,
}

impl CallsiteKind {
    /// The attribute's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "tracked_command",
            Self::Errors => "with_error_tracking",
            Self::Cost => "bq_cost",
            Self::Operation => "track_performance",
        }
    }
}

/// Where in the user's source something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// Path of the module.
    pub module: &'static str,
    /// Source file, as the compiler was given it.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
}

/// A function under one of obs' attributes. Made at compile time, found through the registry when the program is linked.
#[derive(Debug)]
pub struct Callsite {
    kind: CallsiteKind,
    name: &'static str,
    place: Place,
    level: Level,
    severity: Level,
    query_type: &'static str,
    alert_over_usd: Option<f64>,
    limits: Limits,
    schedule: Option<Schedule>,
    cells: Cells,
    tagged: Mutex<Option<Tagged>>,
}

/// What one call of a cost scope may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// US dollars.
    pub usd: Option<f64>,
    /// Bytes billed.
    pub bytes: Option<u64>,
    /// The budget that it is taken from.
    pub budget: Option<&'static str>,
}

/// What no name is: budgets are kept by the feature `bigquery` alone.
#[cfg(not(feature = "bigquery"))]
#[diagnostic::on_unimplemented(
    message = "`budget` needs the feature `bigquery` of obs-runtime",
    label = "nothing keeps this budget",
    note = "name it among the features of obs-runtime in Cargo.toml"
)]
pub trait KeptByTheFeatureBigquery: Copy {}

/// Values of a call's tags, in the order in which they are written.
pub type Tags = Vec<(&'static str, String)>;

type Tagged = HashMap<Tags, &'static Cells>;

/// How many sets of label values there are that the program made up while it ran, by kind: call sites of a kind share
/// their families.
static MADE_UP: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

/// Takes room for one more set of label values in the families of a kind; false when all of it is taken. Outcomes are not
/// counted: there are four of them.
pub fn make_room(kind: CallsiteKind, limit: usize) -> bool {
    let more = |taken| if taken < limit { Some(taken + 1) } else { None };
    MADE_UP[kind as usize].fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

impl Callsite {
    const fn new(
        kind: CallsiteKind,
        level: Level,
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self {
            kind,
            name,
            place: Place { module, file, line },
            level,
            severity: Level::Error,
            query_type: "query",
            alert_over_usd: None,
            limits: Limits { usd: None, bytes: None, budget: None },
            schedule: None,
            cells: Cells::new(),
            tagged: Mutex::new(None),
        }
    }

    /// The call site of a `#[track_performance]`.
    #[must_use]
    pub const fn operation(name: &'static str, module: &'static str, file: &'static str, line: u32) -> Self {
        Self::new(CallsiteKind::Operation, Level::Debug, name, module, file, line)
    }

    /// The call site of a `#[tracked_command]`.
    #[must_use]
    pub const fn command(name: &'static str, module: &'static str, file: &'static str, line: u32) -> Self {
        Self::new(CallsiteKind::Command, Level::Info, name, module, file, line)
    }

    /// The call site of a `#[with_error_tracking]`.
    #[must_use]
    pub const fn errors(name: &'static str, module: &'static str, file: &'static str, line: u32) -> Self {
        Self::new(CallsiteKind::Errors, Level::Debug, name, module, file, line)
    }

    /// The call site of a `#[bq_cost]`.
    #[must_use]
    pub const fn cost(name: &'static str, module: &'static str, file: &'static str, line: u32) -> Self {
        Self::new(CallsiteKind::Cost, Level::Debug, name, module, file, line)
    }

    /// Level of the start and finish lines.
    #[must_use]
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Level of the line of a captured error.
    #[must_use]
    pub const fn severity(mut self, severity: Level) -> Self {
        self.severity = severity;
        self
    }

    /// When the command is scheduled to run.
    #[must_use]
    pub const fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// Label of the queries that run inside.
    #[must_use]
    pub const fn query_type(mut self, query_type: &'static str) -> Self {
        self.query_type = query_type;
        self
    }

    /// Cost of one call, in US dollars, above which there is an alert.
    #[must_use]
    pub const fn alert_over_usd(mut self, usd: f64) -> Self {
        self.alert_over_usd = Some(usd);
        self
    }

    /// Cost of one call, in US dollars, above which a query is refused.
    #[must_use]
    pub const fn max_usd(mut self, usd: f64) -> Self {
        self.limits.usd = Some(usd);
        self
    }

    /// Bytes billed of one call, above which a query is refused.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.limits.bytes = Some(bytes);
        self
    }

    /// The budget by which a query that would pass it is refused.
    #[cfg(feature = "bigquery")]
    #[must_use]
    pub const fn budget(mut self, name: &'static str) -> Self {
        self.limits.budget = Some(name);
        self
    }

    /// No budget is kept without the feature: a build that names one fails.
    #[cfg(not(feature = "bigquery"))]
    #[must_use]
    pub const fn budget<Name: KeptByTheFeatureBigquery>(self, _name: Name) -> Self {
        self
    }

    /// Which attribute this is.
    pub const fn kind(&self) -> CallsiteKind {
        self.kind
    }

    /// The operation's or command's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// When it is scheduled to run.
    pub const fn when(&self) -> Option<Schedule> {
        self.schedule
    }

    /// Where the function stands.
    pub const fn place(&self) -> Place {
        self.place
    }

    pub(crate) const fn line_level(&self) -> Level {
        self.level
    }

    pub(crate) const fn error_level(&self) -> Level {
        self.severity
    }

    pub(crate) const fn query_label(&self) -> &'static str {
        self.query_type
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) const fn alert_threshold_usd(&self) -> Option<f64> {
        self.alert_over_usd
    }

    #[inline]
    pub(crate) const fn cells(&'static self) -> &'static Cells {
        &self.cells
    }

    /// The cells of one set of tag values. At most `limit` sets are told apart, over all call sites of this kind: those
    /// that come later are counted together as [`OTHER`], and the second value returned is true.
    pub(crate) fn cells_tagged(&'static self, tags: Tags, limit: usize) -> (&'static Cells, bool) {
        let mut tagged = self.tagged.lock().unwrap_or_else(PoisonError::into_inner);
        let tagged = tagged.get_or_insert_default();
        if let Some(cells) = tagged.get(&tags) {
            return (cells, false);
        }
        let full = !make_room(self.kind, limit);
        let tags = if full { tags.into_iter().map(|(name, _)| (name, OTHER.to_owned())).collect() } else { tags };
        // Leaked on purpose, as call sites live as long as the program; `limit` bounds how many there are.
        (tagged.entry(tags).or_insert_with(|| Box::leak(Box::default())), full)
    }

    /// Tells what was counted here: without tags first, then each set of tag values.
    pub(crate) fn each_total(&self, mut tell: impl FnMut(&Tags, &Totals, &Cells)) {
        let tagged: Vec<_> = self
            .tagged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .flatten()
            .map(|(tags, cells)| (tags.clone(), *cells))
            .collect();
        let none = Tags::new();
        let all = std::iter::once((&none, &self.cells)).chain(tagged.iter().map(|(tags, cells)| (tags, *cells)));
        for (tags, cells) in all {
            let totals = cells.totals();
            if totals.started > 0 {
                tell(tags, &totals, cells);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::outcome::Outcome;

    #[test]
    fn tag_values_past_the_limit_are_counted_together() {
        // No other test has sites of this kind.
        static SITE: Callsite = Callsite::cost("load", "m", "f.rs", 1);
        static SECOND: Callsite = Callsite::cost("store", "m", "f.rs", 2);
        for table in ["a", "b", "c", "d", "a"] {
            let (cells, _) = SITE.cells_tagged(vec![("table", table.to_owned())], 2);
            cells.start();
            cells.finish(Outcome::Ok, 1);
        }
        let counts = |site: &Callsite| {
            let mut counts = Vec::new();
            site.each_total(|tags, totals, _| counts.push((tags[0].1.clone(), totals.started)));
            counts.sort();
            counts
        };
        assert_eq!(counts(&SITE), [("a".into(), 2), ("b".into(), 1), (OTHER.into(), 2)]);
        let (cells, full) = SECOND.cells_tagged(vec![("table", "a".to_owned())], 2);
        cells.start();
        assert!(full && counts(&SECOND)[0].0 == OTHER, "the limit is the family's, not the call site's");
    }
}
