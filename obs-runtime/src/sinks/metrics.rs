//! Turns events into series. It sends nothing anywhere: exporters read its [`snapshot`](MetricsSink::snapshot).
//!
//! Calls are counted by their call sites' own cells, which a snapshot adds; a sink made for a test counts them by itself,
//! so that it sees its own calls only.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::callsite::{Callsite, CallsiteKind, OTHER};
use crate::catalogue::{self as family, Family, Kind};
use crate::cells::Totals;
use crate::drops;
use crate::event::{CallInfo, Event, Fact, Price};
use crate::level::Level;
use crate::outcome::Outcome;
use crate::redact::Redacted;
use crate::registry;
use crate::sinks::{FlushError, Sink, Topic};
use crate::snapshot::{Builder, Labels, SeriesValue, Snapshot};

/// Labels of few values, all of them obs' own: they stay past the limit of series, so that no estimate is added to what
/// was really spent.
const CLOSED: [&str; 6] = ["outcome", "kind", "reason", "cache_hit", "success", "severity"];

/// Counts and measures what events tell.
#[derive(Debug)]
pub struct MetricsSink {
    max_series: usize,
    counts_calls: bool,
    series: Mutex<HashMap<&'static str, HashMap<Labels, SeriesValue>>>,
    overflowed: AtomicBool,
    warned: AtomicBool,
}

impl MetricsSink {
    /// For the whole program: calls are counted by their call sites.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        Self {
            max_series,
            counts_calls: false,
            series: Mutex::default(),
            overflowed: AtomicBool::new(false),
            warned: AtomicBool::new(false),
        }
    }

    /// For a test: only what is sent here is counted.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn scoped(max_series: usize) -> Self {
        Self { counts_calls: true, ..Self::new(max_series) }
    }

    /// All series of this moment. Recording threads never wait for it longer than it takes to copy the rare families.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Builder::default();
        if !self.counts_calls {
            for callsite in registry::callsites() {
                for (tags, totals) in callsite.totals() {
                    let tags = tags.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect();
                    add_callsite(&mut snapshot, callsite, &tags, &totals);
                }
            }
            for (sink, reason, number) in drops::all() {
                let labels = labels(&[("sink", sink), ("reason", reason)]);
                #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
                snapshot.number(&family::OBS_DROPPED, labels, number as f64);
            }
        }
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        for family in family::FAMILIES {
            for (labels, value) in series.get(family.name).into_iter().flatten() {
                match value {
                    SeriesValue::Number(number) => snapshot.number(family, labels.clone(), *number),
                    SeriesValue::Histogram { counts, sum } => snapshot.histogram(family, labels.clone(), counts, *sum),
                }
            }
        }
        drop(series);
        snapshot.finish()
    }

    /// Whether the limit of series was passed and nobody was told yet; true once.
    pub fn take_overflow(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed) && !self.warned.swap(true, Ordering::Relaxed)
    }

    /// Says that a limit of series was passed elsewhere.
    pub fn overflow(&self) {
        self.overflowed.store(true, Ordering::Relaxed);
        drops::count("metrics", "cardinality", 1);
    }

    fn record(&self, family: &'static Family, labels: Labels, observed: f64) {
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let series = all.entry(family.name).or_default();
        let labels = if series.len() >= self.max_series && !series.contains_key(&labels) {
            self.overflow();
            let value = |name: &str, value| if CLOSED.contains(&name) { value } else { OTHER.to_owned() };
            labels.into_iter().map(|(name, known)| (name.clone(), value(&name, known))).collect()
        } else {
            labels
        };
        let value = series.entry(labels).or_insert_with(|| match family.kind {
            Kind::Histogram => SeriesValue::Histogram { counts: vec![0; family.buckets().len() + 1], sum: 0.0 },
            Kind::Counter | Kind::Gauge => SeriesValue::Number(0.0),
        });
        match (value, family.kind) {
            (SeriesValue::Number(number), Kind::Counter) => *number += observed,
            (SeriesValue::Number(number), _) => *number = observed,
            (SeriesValue::Histogram { counts, sum }, _) => {
                counts[family.buckets().partition_point(|&bound| bound < observed)] += 1;
                *sum += observed;
            }
        }
    }

    fn count(&self, family: &'static Family, labels: Labels) {
        self.record(family, labels, 1.0);
    }

    fn started(&self, call: &CallInfo, arguments: &[&'static str]) {
        if call.kind != CallsiteKind::Command {
            return;
        }
        for argument in arguments {
            self.count(&family::CLI_COMMAND_ARGUMENT, labels(&[("command", &call.name), ("argument", argument)]));
        }
        if self.counts_calls {
            self.count(&family::CLI_COMMAND_STARTED, with_tags(labels(&[("command", &call.name)]), call));
        }
    }

    fn finished(&self, call: &CallInfo, outcome: Outcome, duration: Duration, exit_code: Option<u8>, at: SystemTime) {
        if call.kind == CallsiteKind::Command {
            let command = || labels(&[("command", &call.name)]);
            if let Some(code) = exit_code {
                self.record(&family::CLI_COMMAND_LAST_EXIT_CODE, command(), f64::from(code));
            }
            if outcome.is_ok() {
                let at = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
                self.record(&family::CLI_COMMAND_LAST_SUCCESS_TIMESTAMP_SECONDS, command(), at);
            }
        }
        if !self.counts_calls {
            return;
        }
        let duration = duration.as_secs_f64();
        let [time, success, failure] = match call.kind {
            CallsiteKind::Operation => {
                [&family::OPERATION_DURATION_SECONDS, &family::OPERATION_SUCCESS, &family::OPERATION_FAILURE]
            }
            CallsiteKind::Command => {
                [&family::CLI_COMMAND_DURATION_SECONDS, &family::CLI_COMMAND_SUCCESS, &family::CLI_COMMAND_FAILURE]
            }
            CallsiteKind::Errors | CallsiteKind::Cost => return,
        };
        let name = (own_label(call.kind), &*call.name);
        self.record(time, with_tags(labels(&[name, time_label(call.kind, outcome)]), call), duration);
        if outcome.is_ok() {
            self.count(success, with_tags(labels(&[name]), call));
        } else {
            self.count(failure, with_tags(labels(&[name, ("outcome", outcome.as_str())]), call));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes and rows are measured, not counted, here")]
    fn priced(&self, price: &Price<'_>) {
        let operation = || labels(&[("operation", &price.operation)]);
        let kind = if price.estimate { "estimate" } else { "actual" };
        let labels = labels(&[("operation", &price.operation), ("kind", kind)]);
        self.record(&family::BIGQUERY_COST_USD, labels, price.usd);
        if !price.estimate {
            self.record(&family::BIGQUERY_BYTES_PROCESSED, operation(), price.bytes_processed as f64);
            self.record(&family::BIGQUERY_BYTES_BILLED, operation(), price.bytes_billed as f64);
            self.record(&family::BIGQUERY_TOTAL_COST_USD, operation(), price.usd);
        }
    }
}

impl Sink for MetricsSink {
    fn name(&self) -> &'static str {
        "metrics"
    }

    fn wants(&self, topic: Topic, _: Level, _: &str) -> bool {
        topic == Topic::Fact || (topic == Topic::Call && self.counts_calls)
    }

    fn least_level(&self) -> Option<Level> {
        self.counts_calls.then_some(Level::Trace)
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes and rows are measured, not counted, here")]
    fn accept(&self, event: &Redacted<Event<'_>>) {
        match &event.fact {
            Fact::Log { .. } => {}
            Fact::Started { call, arguments } => self.started(call, arguments),
            Fact::Finished { call, outcome, duration, exit_code, failure: _ } => {
                self.finished(call, *outcome, *duration, *exit_code, event.time);
            }
            Fact::Captured { operation, failure, panic: _ } => {
                let labels = labels(&[("operation", operation), ("error_type", &failure.error_type)]);
                self.count(&family::OPERATION_ERROR, labels);
            }
            Fact::FeatureUsed { feature } => self.count(&family::CLI_FEATURE_USAGE, labels(&[("feature", feature)])),
            Fact::Priced(price) => self.priced(price),
            Fact::CostAlert { operation, reason, usd: _, threshold_usd: _ } => {
                self.count(&family::BIGQUERY_COST_ALERT, labels(&[("operation", operation), ("reason", reason)]));
            }
            Fact::Queried { query_type, duration, bytes_processed, rows, slot_time, cache_hit } => {
                let by_type = || labels(&[("query_type", query_type)]);
                let cache_hit = if *cache_hit { "true" } else { "false" };
                let counted = labels(&[("query_type", query_type), ("cache_hit", cache_hit)]);
                self.count(&family::BIGQUERY_QUERY_COUNT, counted);
                self.record(&family::BIGQUERY_QUERY_BYTES_PROCESSED, by_type(), *bytes_processed as f64);
                if let Some(duration) = duration {
                    self.record(&family::BIGQUERY_QUERY_DURATION_SECONDS, by_type(), duration.as_secs_f64());
                }
                if let Some(rows) = rows {
                    self.record(&family::BIGQUERY_QUERY_ROWS_RETURNED, by_type(), *rows as f64);
                }
                if let Some(slot_time) = slot_time {
                    self.record(&family::BIGQUERY_QUERY_SLOT_SECONDS, by_type(), slot_time.as_secs_f64());
                }
            }
            Fact::DatasetOperation { operation_type, dataset } => {
                let labels = labels(&[("operation_type", operation_type), ("dataset", dataset)]);
                self.count(&family::BIGQUERY_OPERATION, labels);
            }
            Fact::HealthChecked { check, score, duration, status: _, message: _ } => {
                let check = || labels(&[("check", check)]);
                self.record(&family::HEALTH_CHECK_STATUS, check(), *score);
                self.record(&family::HEALTH_CHECK_DURATION_SECONDS, check(), duration.as_secs_f64());
            }
            Fact::QualityChecked { check, dataset, status, severity, value, duration, message: _ } => {
                let counted = || labels(&[("check", check), ("dataset", dataset), ("severity", severity)]);
                self.count(&family::DATA_QUALITY_CHECK_EXECUTED, counted());
                let verdict = match *status {
                    "passed" => &family::DATA_QUALITY_CHECK_PASSED,
                    "errored" => &family::DATA_QUALITY_CHECK_ERRORED,
                    _ => &family::DATA_QUALITY_CHECK_FAILED,
                };
                self.count(verdict, counted());
                let check = || labels(&[("check", check)]);
                if let Some(duration) = duration {
                    self.record(&family::DATA_QUALITY_CHECK_DURATION_SECONDS, check(), duration.as_secs_f64());
                }
                if let Some(value) = value {
                    self.record(&family::DATA_QUALITY_CHECK_VALUE, check(), *value);
                }
            }
        }
    }

    fn flush(&self, _: Instant) -> Result<(), FlushError> {
        Ok(())
    }
}

fn labels(pairs: &[(&'static str, &str)]) -> Labels {
    pairs.iter().map(|&(name, value)| (Cow::Borrowed(name), value.to_owned())).collect()
}

fn with_tags(mut labels: Labels, call: &CallInfo) -> Labels {
    labels.extend(call.tags.iter().map(|(name, value)| (Cow::Borrowed(*name), value.clone())));
    labels
}

/// The label that bears the name of a call.
const fn own_label(kind: CallsiteKind) -> &'static str {
    match kind {
        CallsiteKind::Command => "command",
        CallsiteKind::Operation | CallsiteKind::Errors | CallsiteKind::Cost => "operation",
    }
}

/// The label that tells durations of good calls from others.
const fn time_label(kind: CallsiteKind, outcome: Outcome) -> (&'static str, &'static str) {
    match (kind, outcome) {
        (CallsiteKind::Command, Outcome::Ok) => ("success", "true"),
        (CallsiteKind::Command, _) => ("success", "false"),
        _ => ("outcome", outcome.as_str()),
    }
}

/// What a call site's cells say, as series.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn add_callsite(snapshot: &mut Builder, callsite: &Callsite, tags: &Labels, totals: &Totals) {
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
    let labels = |pairs: &[(&'static str, &str)]| {
        let mut labels = labels(pairs);
        labels.extend(tags.iter().cloned());
        labels
    };
    for outcome in Outcome::ALL {
        let count = totals.count(outcome);
        if count == 0 {
            continue;
        }
        let seconds = Duration::from_nanos(totals.nanos[outcome.index()]).as_secs_f64();
        let buckets = &totals.buckets[outcome.index()];
        snapshot.histogram(time, labels(&[name, time_label(kind, outcome)]), buckets, seconds);
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
