//! Converts the cells of call sites into labelled series.

use std::borrow::Cow;
use std::time::Duration;

use crate::base::outcome::Outcome;
use crate::metrics::callsite::{Callsite, CallsiteKind, Tags};
use crate::metrics::catalogue as family;
use crate::metrics::catalogue::Family;
use crate::metrics::cells::{Cells, Totals};
use crate::metrics::snapshot::{Labels, SnapshotBuilder};

/// Labels with these names and values.
pub fn labels(pairs: &[(&'static str, &str)]) -> Labels {
    pairs.iter().map(|&(name, value)| (Cow::Borrowed(name), Cow::Owned(value.to_owned()))).collect()
}

/// The reasons of cost alerts.
const COST_ALERTS: [&str; 3] = ["budget", "limit", "threshold"];

/// The outcomes sorted by name, so that series come sorted.
const SORTED: [Outcome; 4] = [Outcome::Cancelled, Outcome::Error, Outcome::Ok, Outcome::Panic];

/// The label for the name of a call.
pub const fn name_label(kind: CallsiteKind) -> &'static str {
    match kind {
        CallsiteKind::Command => "command",
        CallsiteKind::Operation | CallsiteKind::Errors | CallsiteKind::Cost => "operation",
    }
}

/// The families of the duration, successes and failures of calls; `None` for a kind of call site without them.
pub const fn call_families(kind: CallsiteKind) -> Option<[&'static Family; 3]> {
    match kind {
        CallsiteKind::Operation => {
            Some([&family::OPERATION_DURATION_SECONDS, &family::OPERATION_SUCCESS, &family::OPERATION_FAILURE])
        }
        CallsiteKind::Command => {
            Some([&family::CLI_COMMAND_DURATION_SECONDS, &family::CLI_COMMAND_SUCCESS, &family::CLI_COMMAND_FAILURE])
        }
        CallsiteKind::Errors | CallsiteKind::Cost => None,
    }
}

/// Adds the series of a call site's cells.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub fn add_callsite(snapshot: &mut SnapshotBuilder, callsite: &Callsite, tags: &Tags, totals: &Totals, cells: &Cells) {
    let kind = callsite.kind();
    let name = (name_label(kind), callsite.name());
    // Names and outcomes are static: only tags are copied.
    let labels = |pairs: &[(&'static str, &'static str)]| {
        let mut labels = Labels::with_capacity(pairs.len() + tags.len());
        labels.extend(pairs.iter().map(|&(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value))));
        labels.extend(tags.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned(value.clone()))));
        labels
    };
    if kind == CallsiteKind::Cost {
        snapshot.number(&family::BIGQUERY_TOTAL_COST_USD, labels(&[name]), 0.0);
        for reason in COST_ALERTS {
            snapshot.number(&family::BIGQUERY_COST_ALERT, labels(&[name, ("reason", reason)]), 0.0);
        }
    }
    let Some([duration, success, failure]) = call_families(kind) else { return };
    for outcome in SORTED {
        let count = totals.count(outcome);
        // A counter is there from the start, as 0: `increase` does not see the step to a first value. An empty histogram
        // would add nothing to that.
        if count > 0 {
            let seconds = Duration::from_nanos(totals.nanos[outcome.index()]).as_secs_f64();
            let buckets = &totals.buckets[outcome.index()];
            let timed = labels(&[name, ("outcome", outcome.as_str())]);
            let (exemplars, recent) = (cells.exemplars(outcome), cells.recent(outcome));
            snapshot.histogram_with_exemplars(duration, timed, buckets, seconds, exemplars, recent);
        }
        if outcome.is_ok() {
            snapshot.number(success, labels(&[name]), count as f64);
        } else {
            snapshot.number(failure, labels(&[name, ("outcome", outcome.as_str())]), count as f64);
        }
    }
    if kind == CallsiteKind::Command {
        snapshot.number(&family::CLI_COMMAND_STARTED, labels(&[name]), totals.started as f64);
        if totals.started > 0 {
            snapshot.number(&family::CLI_COMMAND_RUNNING, labels(&[name]), totals.active() as f64);
        }
    } else {
        snapshot.number(&family::OPERATION_ACTIVE, labels(&[name]), totals.active() as f64);
    }
}
