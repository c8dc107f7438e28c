//! Service checks and events, and their lines in DogStatsD's format:
//!
//! `_sc|name|status|d:time|#tags|c:container|m:message` and `_e{title,text}:title|text|d:time|k:key|t:type|#tags|c:container`,
//! with lengths in bytes.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::outcome::Outcome;
use crate::events::event::{CallInfo, Event, Fact};
use crate::events::failure_facts::FailureFacts;
use crate::exporters::datadog::names;
use crate::exporters::datadog::names::{TagList, Tags};
use crate::metrics::callsite::CallsiteKind;

/// What all that a process sends has in common.
#[derive(Debug)]
pub struct Sender {
    /// Tags of everything.
    pub constant: Tags,
    /// The field `c:`.
    pub container: Option<String>,
}

/// The service check of all health checks, which the tag `check` distinguishes.
pub const SERVICE_CHECK: &str = "health_check";

/// The most characters of a title and of a text. Datadog accepts 100 and 4,000, but a line must fit into a packet.
const TITLE: usize = 100;
const TEXT: usize = 1000;

/// The service check of a health check.
#[derive(Debug)]
pub struct ServiceCheck {
    /// 0 to 3: ok, warning, critical, unknown.
    pub status: u8,
    /// Seconds since 1970.
    pub time: u64,
    /// All tags, without those of everything.
    pub tags: Tags,
    pub message: Option<String>,
}

/// The event of a command that failed.
#[derive(Debug)]
pub struct CommandFailed {
    pub title: String,
    pub text: String,
    /// Seconds since 1970.
    pub time: u64,
    /// Datadog groups events of the same key.
    pub key: String,
    /// `error` or `warning`.
    pub alert: &'static str,
    /// All tags, without those of everything.
    pub tags: Tags,
}

/// A service check or an event.
#[derive(Debug)]
pub enum Message {
    Check(ServiceCheck),
    Event(Box<CommandFailed>),
}

impl Message {
    /// What is sent of an event besides metrics, which are read from their source.
    pub fn of(constant: &Tags, event: &Event<'_>, service_checks: bool, command_events: bool) -> Option<Self> {
        match &event.fact {
            Fact::HealthChecked { check, status, score: _, duration: _, message } if service_checks => {
                Some(Self::Check(ServiceCheck::new(constant, event, check, status, message.as_deref())))
            }
            Fact::Finished { call: call @ CallInfo { kind: CallsiteKind::Command, .. }, outcome, failure, .. }
                if command_events && !outcome.is_ok() =>
            {
                Some(Self::Event(Box::new(CommandFailed::new(constant, event, call, *outcome, failure.as_ref()))))
            }
            Fact::Log { .. }
            | Fact::Started { .. }
            | Fact::Finished { .. }
            | Fact::Captured { .. }
            | Fact::Reported(_)
            | Fact::Traced(_)
            | Fact::Breadcrumb { .. }
            | Fact::FeatureUsed { .. }
            | Fact::ArgumentUsed { .. }
            | Fact::Priced(_)
            | Fact::CostAlert { .. }
            | Fact::Queried { .. }
            | Fact::DatasetOperation { .. }
            | Fact::HealthChecked { .. }
            | Fact::QualityChecked { .. } => None,
        }
    }
}

impl ServiceCheck {
    /// The service check of a health check.
    pub fn new(constant: &Tags, event: &Event<'_>, check: &str, status: &str, message: Option<&str>) -> Self {
        let status = match status {
            "healthy" => 0,
            "degraded" => 1,
            "unhealthy" => 2,
            _ => 3,
        };
        let message = message.map(|message| names::text(message, TEXT));
        Self { status, time: seconds(event.time), tags: tags(constant, event, &[("check", check)]), message }
    }
}

impl CommandFailed {
    /// The event of a command that failed.
    pub fn new(
        constant: &Tags,
        event: &Event<'_>,
        call: &CallInfo,
        outcome: Outcome,
        failure: Option<&FailureFacts<'_>>,
    ) -> Self {
        let ended = match outcome {
            Outcome::Ok => "ended",
            Outcome::Error => "failed",
            Outcome::Panic => "panicked",
            Outcome::Cancelled => "was cancelled",
        };
        let title = names::text(&format!("{} {ended}", call.name), TITLE);
        let text = failure.map_or_else(String::new, |failure| {
            let said = format!("{}: {}", failure.error_type, failure.message);
            failure.sources.iter().fold(said, |said, source| said + "\ncaused by: " + source)
        });
        let id =
            event.context.correlation_id.as_deref().map(|id| format!("\ncorrelation_id: {id}")).unwrap_or_default();
        // An event needs a text.
        let text = names::text(format!("{text}{id}").trim_start(), TEXT);
        let text = if text.is_empty() { title.clone() } else { text };
        Self {
            title,
            text,
            time: seconds(event.time),
            key: names::text(&call.name, TITLE),
            alert: if outcome == Outcome::Cancelled { "warning" } else { "error" },
            tags: tags(constant, event, &[("command", &call.name), ("outcome", outcome.as_str())]),
        }
    }
}

impl Sender {
    /// The line of a service check.
    pub fn service_check(&self, check: &ServiceCheck) -> String {
        let message = check.message.as_deref().map_or_else(String::new, |message| {
            // The text must not contain a field separator or this field's prefix.
            let message = names::one_line(message).replace('|', "/").replace("m:", "m\\:");
            format!("|m:{message}")
        });
        let (status, time, tags, container) = (check.status, check.time, self.tags(&check.tags), self.container());
        format!("_sc|{SERVICE_CHECK}|{status}|d:{time}{tags}{container}{message}")
    }

    /// The line of an event.
    pub fn command_failed(&self, event: &CommandFailed) -> String {
        let (title, text) = (names::one_line(&event.title), names::one_line(&event.text));
        let key = names::one_line(&event.key).replace('|', "/");
        let (time, alert, tags, container) = (event.time, event.alert, self.tags(&event.tags), self.container());
        format!("_e{{{},{}}}:{title}|{text}|d:{time}|k:{key}|t:{alert}{tags}{container}", title.len(), text.len())
    }

    fn tags(&self, own: &Tags) -> String {
        let tags: Vec<_> = self.constant.iter().chain(own).map(|(name, value)| format!("{name}:{value}")).collect();
        if tags.is_empty() { String::new() } else { format!("|#{}", tags.join(",")) }
    }

    fn container(&self) -> String {
        self.container.as_ref().map(|id| format!("|c:{id}")).unwrap_or_default()
    }
}

/// The tags of an event, without the constant ones.
fn tags(constant: &Tags, event: &Event<'_>, own: &[(&str, &str)]) -> Tags {
    let mut list = TagList::after(constant);
    let more = event.tags.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in own.iter().copied().chain(more) {
        list.add(name, value);
    }
    list.finish()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
