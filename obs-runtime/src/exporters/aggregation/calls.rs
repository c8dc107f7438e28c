//! From the cells of a call site to series, and how series of calls are labelled.

use std::borrow::Cow;
use std::time::Duration;

use crate::base::outcome::Outcome;
use crate::metrics::callsite::{Callsite, CallsiteKind, Tags};
use crate::metrics::catalogue as family;
use crate::metrics::cells::{Cells, Totals};
use crate::metrics::snapshot::{Labels, SnapshotBuilder};

/// Labels of these names and values.
pub fn labels(pairs: &[(&'static str, &str)]) -> Labels {
    pairs.iter().map(|&(name, value)| (Cow::Borrowed(name), Cow::Owned(value.to_owned()))).collect()
}

/// The outcomes in the order of their names, in which series come sorted.
const SORTED: [Outcome; 4] = [Outcome::Cancelled, Outcome::Error, Outcome::Ok, Outcome::Panic];

/// The label that bears the name of a call.
pub const fn own_label(kind: CallsiteKind) -> &'static str {
    match kind {
        CallsiteKind::Command => "command",
        CallsiteKind::Operation | CallsiteKind::Errors | CallsiteKind::Cost => "operation",
    }
}

/// The label that tells durations of good calls from others.
pub const fn time_label(kind: CallsiteKind, outcome: Outcome) -> (&'static str, &'static str) {
    match (kind, outcome) {
        (CallsiteKind::Command, Outcome::Ok) => ("success", "true"),
        (CallsiteKind::Command, _) => ("success", "false"),
        _ => ("outcome", outcome.as_str()),
    }
}

/// What a call site's cells say, as series.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub fn add_callsite(snapshot: &mut SnapshotBuilder, callsite: &Callsite, tags: &Tags, totals: &Totals, cells: &Cells) {
    let kind = callsite.kind();
    let [time, success, failure] = match kind {
        CallsiteKind::Operation => {
            [&family::OPERATION_DURATION_SECONDS, &family::OPERATION_SUCCESS, &family::OPERATION_FAILURE]
        }
        CallsiteKind::Command => {
            [&family::CLI_COMMAND_DURATION_SECONDS, &family::CLI_COMMAND_SUCCESS, &family::CLI_COMMAND_FAILURE]
        }
        CallsiteKind::Errors | CallsiteKind::Cost => return,
    };
    let name = (own_label(kind), callsite.name());
    // Names of calls and outcomes are there as long as the program: nothing is copied but tags.
    let labels = |pairs: &[(&'static str, &'static str)]| {
        let mut labels = Labels::with_capacity(pairs.len() + tags.len());
        labels.extend(pairs.iter().map(|&(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value))));
        labels.extend(tags.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned(value.clone()))));
        labels
    };
    for outcome in SORTED {
        let count = totals.count(outcome);
        if count == 0 {
            continue;
        }
        let seconds = Duration::from_nanos(totals.nanos[outcome.index()]).as_secs_f64();
        let buckets = &totals.buckets[outcome.index()];
        let timed = labels(&[name, time_label(kind, outcome)]);
        snapshot.histogram_with_exemplars(time, timed, buckets, seconds, cells.exemplars(outcome));
        if outcome.is_ok() {
            snapshot.number(success, labels(&[name]), count as f64);
        } else {
            snapshot.number(failure, labels(&[name, ("outcome", outcome.as_str())]), count as f64);
        }
    }
    if kind == CallsiteKind::Command {
        snapshot.number(&family::CLI_COMMAND_STARTED, labels(&[name]), totals.started as f64);
    } else {
        snapshot.number(&family::OPERATION_ACTIVE, labels(&[name]), totals.active() as f64);
    }
}
