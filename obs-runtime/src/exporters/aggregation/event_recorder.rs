//! Updates the series of one event.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::outcome::Outcome;
use crate::events::event::{CallInfo, Event, Fact, Price};
use crate::exporters::aggregation::calls::{call_families, labels, name_label};
use crate::exporters::aggregation::series_store::SeriesStore;
use crate::metrics::callsite::{CallsiteKind, Tags};
use crate::metrics::catalogue as family;
use crate::metrics::catalogue::Family;
use crate::metrics::snapshot::Labels;

/// Updates the series of an event, with the event's tags as labels.
pub struct EventRecorder<'s> {
    /// The series.
    pub store: &'s SeriesStore,
    /// Whether to count calls, which call sites count otherwise.
    pub counts_calls: bool,
    /// The event's tags.
    pub tags: &'s Tags,
}

impl EventRecorder<'_> {
    fn tagged(&self, mut labels: Labels) -> Labels {
        labels.extend(self.tags.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned(value.clone()))));
        labels
    }

    fn record(&self, family: &'static Family, labels: Labels, value: f64) {
        self.store.record(family, self.tagged(labels), value);
    }

    fn count(&self, family: &'static Family, labels: Labels) {
        self.record(family, labels, 1.0);
    }

    fn started(&self, call: &CallInfo, arguments: &[&'static str], at: SystemTime) {
        if call.kind != CallsiteKind::Command {
            return;
        }
        let command = || labels(&[("command", &call.name)]);
        self.record(&family::CLI_COMMAND_LAST_START_TIMESTAMP_SECONDS, command(), unix_seconds(at));
        let schedule = call.run.as_ref().and_then(|run| run.schedule());
        if let Some(due) = schedule.and_then(|schedule| schedule.next_after(at)) {
            self.record(&family::CLI_COMMAND_NEXT_RUN_TIMESTAMP_SECONDS, command(), unix_seconds(due));
        }
        // Until it ends.
        self.record(&family::CLI_COMMAND_LAST_EXIT_CODE, command(), -1.0);
        for argument in arguments {
            self.count(&family::CLI_COMMAND_ARGUMENT, labels(&[("command", &call.name), ("argument", argument)]));
        }
        if self.counts_calls {
            self.count(&family::CLI_COMMAND_STARTED, labels(&[("command", &call.name)]));
        }
    }

    fn finished(&self, call: &CallInfo, outcome: Outcome, duration: Duration, exit_code: Option<u8>, at: SystemTime) {
        if call.kind == CallsiteKind::Command {
            let command = || labels(&[("command", &call.name)]);
            if let Some(code) = exit_code {
                self.record(&family::CLI_COMMAND_LAST_EXIT_CODE, command(), f64::from(code));
            }
            self.record(&family::CLI_COMMAND_LAST_DURATION_SECONDS, command(), duration.as_secs_f64());
            if outcome.is_ok() {
                self.record(&family::CLI_COMMAND_LAST_SUCCESS_TIMESTAMP_SECONDS, command(), unix_seconds(at));
                self.record(&family::CLI_COMMAND_CONSECUTIVE_FAILURES, command(), 0.0);
            } else {
                self.store.increase(&family::CLI_COMMAND_CONSECUTIVE_FAILURES, self.tagged(command()), 1.0);
            }
        }
        if !self.counts_calls {
            return;
        }
        let Some([seconds, success, failure]) = call_families(call.kind) else { return };
        let name = (name_label(call.kind), &*call.name);
        self.record(seconds, labels(&[name, ("outcome", outcome.as_str())]), duration.as_secs_f64());
        self.record(success, labels(&[name]), f64::from(u8::from(outcome.is_ok())));
        for failed in Outcome::ALL.into_iter().filter(|failed| !failed.is_ok()) {
            let ended_so = f64::from(u8::from(outcome == failed));
            self.record(failure, labels(&[name, ("outcome", failed.as_str())]), ended_so);
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

    /// Counts a data-quality check, and sets its status.
    fn judged(&self, checked: &dyn Fn() -> Labels, status: &str) {
        let (verdict, score) = match status {
            "passed" => (&family::DATA_QUALITY_CHECK_PASSED, Some(1.0)),
            "warned" => (&family::DATA_QUALITY_CHECK_FAILED, Some(0.5)),
            "errored" => (&family::DATA_QUALITY_CHECK_ERRORED, None),
            _ => (&family::DATA_QUALITY_CHECK_FAILED, Some(0.0)),
        };
        self.count(&family::DATA_QUALITY_CHECK_EXECUTED, checked());
        for family in [
            &family::DATA_QUALITY_CHECK_PASSED,
            &family::DATA_QUALITY_CHECK_FAILED,
            &family::DATA_QUALITY_CHECK_ERRORED,
        ] {
            self.record(family, checked(), f64::from(u8::from(family.name == verdict.name)));
        }
        match score {
            Some(score) => self.record(&family::DATA_QUALITY_CHECK_STATUS, checked(), score),
            None => self.store.remove(&family::DATA_QUALITY_CHECK_STATUS, &self.tagged(checked())),
        }
    }

    /// Updates the series of an event.
    #[expect(clippy::cast_precision_loss, reason = "bytes and rows are measured, not counted, here")]
    pub fn record_event(&self, event: &Event<'_>) {
        match &event.fact {
            Fact::Log { .. } | Fact::Reported(_) | Fact::Traced(_) | Fact::Breadcrumb { .. } => {}
            Fact::Started { call, arguments } => self.started(call, arguments, event.time),
            Fact::Finished { call, outcome, duration, exit_code, failure: _ } => {
                self.finished(call, *outcome, *duration, *exit_code, event.time);
            }
            Fact::Captured { operation, failure, panic: _ } => {
                let labels = labels(&[("operation", operation), ("error_type", &failure.error_type)]);
                self.count(&family::OPERATION_ERROR, labels);
            }
            Fact::ArgumentUsed { command, argument } => {
                self.count(&family::CLI_COMMAND_ARGUMENT, labels(&[("command", command), ("argument", argument)]));
            }
            Fact::FeatureUsed { feature } => self.count(&family::CLI_FEATURE_USAGE, labels(&[("feature", feature)])),
            Fact::Priced(price) => self.priced(price),
            Fact::CostAlert { operation, reason, .. } => {
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
                match score {
                    Some(score) => self.record(&family::HEALTH_CHECK_STATUS, check(), *score),
                    // A skipped check must not keep its previous status.
                    None => self.store.remove(&family::HEALTH_CHECK_STATUS, &self.tagged(check())),
                }
                if let Some(duration) = duration {
                    self.record(&family::HEALTH_CHECK_DURATION_SECONDS, check(), duration.as_secs_f64());
                }
            }
            Fact::QualityChecked { check, dataset, status, severity, value, duration, message: _ } => {
                let checked = || labels(&[("check", check), ("dataset", dataset), ("severity", severity)]);
                self.judged(&checked, status);
                self.record(
                    &family::DATA_QUALITY_CHECK_LAST_RUN_TIMESTAMP_SECONDS,
                    checked(),
                    unix_seconds(event.time),
                );
                if let Some(duration) = duration {
                    let labels = labels(&[("check", check)]);
                    self.record(&family::DATA_QUALITY_CHECK_DURATION_SECONDS, labels, duration.as_secs_f64());
                }
                if let Some(value) = value {
                    self.record(&family::DATA_QUALITY_CHECK_VALUE, checked(), *value);
                }
            }
        }
    }
}

/// Seconds since 1970.
fn unix_seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
