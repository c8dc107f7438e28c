//! The message and the fields of an event, for exporters that write lines.

use std::borrow::Cow;
use std::time::Duration;

use crate::events::event::{CallInfo, Fact, Price, UNKNOWN_OPERATION};
use crate::events::failure_facts::FailureFacts;
use crate::events::field::{Text, Value};

impl Fact<'_> {
    /// The message of a log line about the event.
    pub fn message(&self) -> Text<'_> {
        let message = match self {
            Self::Log { message } | Self::Breadcrumb { category: _, message } => return Cow::Borrowed(message),
            Self::Started { call, arguments: _ } => format!("{} started", call.name),
            Self::Finished { call, outcome, duration, failure: _, exit_code: _ } => {
                format!("{} finished: {outcome} in {}", call.name, human_duration(*duration))
            }
            Self::Captured { operation, failure, panic } => {
                let failed = if *panic { "panicked" } else { "failed" };
                format!("{operation} {failed}: {}", failure.message)
            }
            Self::Reported(report) => match report.causes.first() {
                Some(first) => format!("{}: {}", report.operation, first.message),
                None => report.operation.to_string(),
            },
            Self::Traced(recorded) => format!("trace of {}", recorded.span.name),
            Self::FeatureUsed { feature } => format!("feature {feature} used"),
            Self::ArgumentUsed { command, argument } => format!("argument {argument} of {command} used"),
            Self::Priced(Price { operation, estimate, is_lower_bound, usd, bytes_processed: _, bytes_billed: _ }) => {
                let verb = match (estimate, is_lower_bound) {
                    (true, _) => "is estimated to cost",
                    (false, true) => "cost at least",
                    (false, false) => "cost",
                };
                format!("{} {verb} {usd:.6} USD", spender(operation))
            }
            Self::CostAlert { operation, usd, threshold_usd: _, reason: _, budget: _, refusal: Some(refusal) } => {
                if *usd > 0.0 {
                    format!("{} would cost {usd:.6} USD, {refusal}", spender(operation))
                } else {
                    format!("{} was refused a query, {refusal}", spender(operation))
                }
            }
            Self::CostAlert { operation: _, usd, threshold_usd, reason, budget: Some(budget), refusal: None } => {
                let over = threshold_usd.unwrap_or_default();
                format!("{usd:.6} USD of the budget `{budget}` are spent, over its {reason} of {over} USD")
            }
            Self::CostAlert { operation, usd, threshold_usd, reason, budget: None, refusal: None } => {
                let over = threshold_usd.unwrap_or_default();
                format!("{} costs {usd:.6} USD, over its {reason} of {over} USD", spender(operation))
            }
            Self::Queried { query_type, duration, bytes_processed, rows: _, slot_time: _, cache_hit } => {
                let from_cache = if *cache_hit { " from the cache" } else { "" };
                let took = duration.map(|duration| format!(" in {}", human_duration(duration))).unwrap_or_default();
                format!("{query_type} query read {bytes_processed} bytes{from_cache}{took}")
            }
            Self::DatasetOperation { operation_type, dataset } => format!("{operation_type} on {dataset}"),
            Self::HealthChecked { check, status, score: _, duration: _, message } => {
                with_message(format!("health check {check}: {status}"), message.as_deref())
            }
            Self::QualityChecked { check, dataset: _, status, severity: _, value, duration: _, message } => {
                match (message, value) {
                    (None, Some(value)) => format!("check {check} {status}: {value}"),
                    (message, _) => with_message(format!("check {check} {status}"), message.as_deref()),
                }
            }
        };
        Cow::Owned(message)
    }

    /// Visits the fields that describe the event, besides those that it has itself. Their names are unique.
    pub fn fields(&self, visit: &mut dyn FnMut(&str, Value<'_>)) {
        match self {
            Self::Log { message: _ } => {}
            Self::Started { call, arguments: _ } => call.fields(visit),
            Self::Finished { call, outcome, duration, failure, exit_code } => {
                call.fields(visit);
                visit("outcome", outcome.as_str().into());
                visit("duration_seconds", duration.as_secs_f64().into());
                optional(visit, "exit_code", *exit_code);
                if let Some(failure) = failure {
                    failure.fields(visit);
                }
            }
            Self::Captured { operation, failure, panic } => {
                visit("call", borrowed(operation));
                visit("panic", (*panic).into());
                failure.fields(visit);
            }
            Self::Reported(report) => {
                visit("event_id", report.id.to_string().into());
                visit("error_type", borrowed(&report.error_type));
            }
            Self::Traced(recorded) => visit("call", borrowed(&recorded.span.name)),
            Self::Breadcrumb { category, message: _ } => visit("category", borrowed(category)),
            Self::FeatureUsed { feature } => visit("feature", borrowed(feature)),
            Self::ArgumentUsed { command, argument } => {
                visit("call", borrowed(command));
                visit("argument", borrowed(argument));
            }
            Self::Priced(Price { operation, estimate, is_lower_bound, usd, bytes_processed, bytes_billed }) => {
                visit("call", borrowed(operation));
                visit("cost_kind", if *estimate { "estimate" } else { "actual" }.into());
                if *is_lower_bound {
                    visit("cost_is_lower_bound", true.into());
                }
                visit("cost_usd", (*usd).into());
                visit("bytes_processed", (*bytes_processed).into());
                visit("bytes_billed", (*bytes_billed).into());
            }
            Self::CostAlert { operation, usd, threshold_usd, reason, budget, refusal: _ } => {
                visit("call", borrowed(operation));
                visit("cost_usd", (*usd).into());
                optional(visit, "threshold_usd", *threshold_usd);
                visit("reason", (*reason).into());
                if let Some(budget) = budget {
                    visit("budget", borrowed(budget));
                }
            }
            Self::Queried { query_type, duration, bytes_processed, rows, slot_time, cache_hit } => {
                visit("query_type", borrowed(query_type));
                optional(visit, "duration_seconds", duration.map(|duration| duration.as_secs_f64()));
                visit("bytes_processed", (*bytes_processed).into());
                optional(visit, "rows", *rows);
                optional(visit, "slot_seconds", slot_time.map(|time| time.as_secs_f64()));
                visit("cache_hit", (*cache_hit).into());
            }
            Self::DatasetOperation { operation_type, dataset } => {
                visit("operation_type", borrowed(operation_type));
                visit("dataset", borrowed(dataset));
            }
            Self::HealthChecked { check, status, score, duration, message: _ } => {
                visit("check", borrowed(check));
                visit("status", (*status).into());
                optional(visit, "score", *score);
                optional(visit, "duration_seconds", duration.map(|duration| duration.as_secs_f64()));
            }
            Self::QualityChecked { check, dataset, status, severity, value, duration, message: _ } => {
                visit("check", borrowed(check));
                if !dataset.is_empty() {
                    visit("dataset", borrowed(dataset));
                }
                visit("status", (*status).into());
                visit("severity", (*severity).into());
                optional(visit, "value", *value);
                optional(visit, "duration_seconds", duration.map(|duration| duration.as_secs_f64()));
            }
        }
    }
}

impl CallInfo {
    /// Tags are not included: they are among the event's own fields.
    fn fields(&self, visit: &mut dyn FnMut(&str, Value<'_>)) {
        let Self { kind, name, run: _, event } = self;
        visit("call", borrowed(name));
        visit("attribute", kind.as_str().into());
        optional(visit, "event_id", event.map(|event| event.to_string()));
    }
}

impl FailureFacts<'_> {
    fn fields(&self, visit: &mut dyn FnMut(&str, Value<'_>)) {
        let Self { error_type, message, sources } = self;
        visit("error_type", borrowed(error_type));
        visit("error", borrowed(message));
        if !sources.is_empty() {
            visit("error_sources", sources.join(": ").into());
        }
    }
}

fn borrowed<'a>(text: &'a Text<'_>) -> Value<'a> {
    Value::Text(Cow::Borrowed(text))
}

fn optional<'a, T: Into<Value<'a>>>(visit: &mut dyn FnMut(&str, Value<'_>), name: &str, value: Option<T>) {
    if let Some(value) = value {
        visit(name, value.into());
    }
}

/// The subject of a message about cost.
fn spender<'a>(operation: &'a Text<'_>) -> &'a str {
    if operation == UNKNOWN_OPERATION { "a query outside of any operation" } else { operation }
}

fn with_message(what: String, message: Option<&str>) -> String {
    match message {
        Some(message) if !message.is_empty() => format!("{what}: {message}"),
        _ => what,
    }
}

/// A duration in the units that fit it: `850 µs`, `12 ms`, `1.2 s`, `2 min 5 s`, `3 h 4 min`.
fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_nanos() {
        0..1_000_000 => format!("{} µs", duration.as_micros()),
        1_000_000..1_000_000_000 => format!("{} ms", duration.as_millis()),
        1_000_000_000..60_000_000_000 => format!("{:.1} s", duration.as_secs_f64()),
        60_000_000_000..3_600_000_000_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::outcome::Outcome;
    use crate::metrics::callsite::CallsiteKind;

    fn fields(fact: &Fact<'_>) -> Vec<String> {
        let mut fields = Vec::new();
        fact.fields(&mut |name, value| fields.push(format!("{name}={value}")));
        fields
    }

    #[test]
    fn a_finished_command_has_a_message_and_fields() {
        let fact = Fact::Finished {
            call: CallInfo { kind: CallsiteKind::Command, name: "nightly-load".into(), run: None, event: None },
            outcome: Outcome::Error,
            duration: Duration::from_millis(1234),
            failure: Some(FailureFacts {
                error_type: "timeout".into(),
                message: "no answer".into(),
                sources: vec!["connection".into(), "reset".into()],
            }),
            exit_code: Some(1),
        };
        assert_eq!(fact.message(), "nightly-load finished: error in 1.2 s");
        assert_eq!(
            fields(&fact),
            [
                "call=nightly-load",
                "attribute=tracked_command",
                "outcome=error",
                "duration_seconds=1.234",
                "exit_code=1",
                "error_type=timeout",
                "error=no answer",
                "error_sources=connection: reset",
            ]
        );
    }

    #[test]
    fn a_check_has_its_message_or_its_value() {
        let check = |value, message: Option<&'static str>| Fact::QualityChecked {
            check: "null_ids".into(),
            dataset: Cow::Borrowed(""),
            status: "failed",
            severity: "critical",
            value,
            duration: Some(Duration::ZERO),
            message: message.map(Cow::Borrowed),
        };
        assert_eq!(check(Some(12.0), Some("12 > 10")).message(), "check null_ids failed: 12 > 10");
        assert_eq!(check(Some(12.5), None).message(), "check null_ids failed: 12.5");
        assert_eq!(check(None, None).message(), "check null_ids failed");
        assert_eq!(
            fields(&check(Some(12.0), None)),
            ["check=null_ids", "status=failed", "severity=critical", "value=12", "duration_seconds=0"]
        );
    }

    #[test]
    fn durations_use_fitting_units() {
        for (duration, words) in [
            (Duration::from_micros(850), "850 µs"),
            (Duration::from_millis(12), "12 ms"),
            (Duration::from_secs(125), "2 min 5 s"),
            (Duration::from_secs(11_045), "3 h 4 min"),
        ] {
            assert_eq!(human_duration(duration), words);
        }
    }
}
