//! The results of health checks.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::base::clock;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::checks::health::check::HealthCheck;
use crate::checks::health::status::{Health, Status};
use crate::checks::runner::details::{redacted, rfc3339, shown_name, timestamp};
use crate::events::event::Fact;
use crate::events::failure_facts::FailureFacts;
use crate::events::field::Field;
use crate::events::span::SpanDetails;
use crate::exporters::interface::Topic;
use crate::instrument::call::entry::Entry;
use crate::instrument::call::span::{DetachedEnd, DetachedSpan};
use crate::pipeline::global;

/// The results of a run of health checks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// The worst status of all checks, where an unhealthy check that is not critical counts as degraded. Unknown when there
    /// is no check; skipped when health checks are disabled.
    pub status: Status,
    /// The result of each check, sorted by name.
    pub checks: Vec<HealthResult>,
}

impl HealthReport {
    pub(super) fn new(checks: Vec<HealthResult>) -> Self {
        let worst = checks.iter().map(|check| match check.status {
            Status::Unhealthy if !check.critical => Status::Degraded,
            status => status,
        });
        Self { status: worst.max().unwrap_or(Status::Unknown), checks }
    }
}

/// The result of one health check.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HealthResult {
    /// The check's name.
    pub name: Cow<'static, str>,
    /// Its status.
    pub status: Status,
    /// Whether its failure makes the report unhealthy.
    pub critical: bool,
    /// The duration of the check, in seconds; 0 when it was skipped.
    pub duration_seconds: f64,
    /// When it ended.
    #[serde(serialize_with = "rfc3339")]
    pub time: SystemTime,
    /// The age of the result, in seconds, if it was cached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<f64>,
    /// The message of the check, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The details of the check, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

impl HealthResult {
    pub(super) fn new(check: &HealthCheck, health: Health, duration: Duration) -> Self {
        let Health { status, message, details } = health;
        Self {
            name: shown_name(check.check.name.clone()),
            status,
            critical: check.critical,
            duration_seconds: duration.as_secs_f64(),
            time: clock::wall(),
            age_seconds: None,
            message: message.map(global::redact),
            details: details.map(redacted),
        }
    }

    /// When it ended, as RFC 3339.
    pub(super) fn time_rfc3339(&self) -> String {
        timestamp(self.time)
    }

    /// Ends the span of the check with the result.
    pub(super) fn end_span(&self, span: DetachedSpan, check: &HealthCheck) {
        let has_failed = self.status == Status::Unhealthy;
        let failure = has_failed.then(|| FailureFacts {
            error_type: self.status.as_str().into(),
            message: self.message.clone().unwrap_or_default().into(),
            sources: Vec::new(),
        });
        span.end(DetachedEnd {
            name: self.name.clone(),
            op: "check",
            outcome: if has_failed { Outcome::Error } else { Outcome::Ok },
            place: Some(check.place()),
            function: check.check.function_name(),
            details: SpanDetails::of(vec![Field::new("obs.check.status", self.status.as_str())], failure),
        });
    }

    /// Logs and measures the result.
    pub(super) fn report(&self, check: &HealthCheck) {
        let level = match self.status {
            Status::Healthy | Status::Unknown | Status::Skipped => check.check.level,
            Status::Unhealthy if check.critical => Level::Error,
            Status::Degraded | Status::Unhealthy => Level::Warning,
        };
        global::emit(Topic::Fact, level, global::source(check.place()), |_| {
            let mut entry = Entry::default();
            entry.describe(check.check.describe);
            let ran = self.status != Status::Skipped;
            let fact = Fact::HealthChecked {
                check: Cow::Borrowed(&*self.name),
                status: self.status.as_str(),
                score: self.status.score(),
                duration: ran.then(|| Duration::try_from_secs_f64(self.duration_seconds).unwrap_or_default()),
                message: self.message.as_deref().map(Into::into),
            };
            (fact, entry.details())
        });
    }
}
