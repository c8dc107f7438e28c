//! Service checks and events in DogStatsD's format:
//!
//! `_sc|name|status|d:time|#tags|c:container|m:message` and `_e{title,text}:title|text|d:time|k:key|t:type|#tags|c:container`,
//! with lengths in bytes.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::outcome::Outcome;
use crate::events::event::{CallInfo, Event};
use crate::events::failure_facts::FailureFacts;
use crate::exporters::datadog::names;
use crate::exporters::datadog::names::{TagList, Tags};

/// What all that a process sends has in common.
#[derive(Debug)]
pub struct Sender {
    /// Tags of everything.
    pub constant: Tags,
    /// The field `c:`.
    pub container: Option<String>,
}

/// The service check of all health checks, which the tag `check` distinguishes.
const SERVICE_CHECK: &str = "health_check";

/// The most characters of a title and of a text. Datadog accepts 100 and 4,000, but a line must fit into a packet.
const TITLE: usize = 100;
const TEXT: usize = 1000;

impl Sender {
    /// The service check of a health check.
    pub fn service_check(&self, event: &Event<'_>, check: &str, status: &str, message: Option<&str>) -> String {
        let status = match status {
            "healthy" => 0,
            "degraded" => 1,
            "unhealthy" => 2,
            _ => 3,
        };
        let (time, tags, container) = (seconds(event.time), self.tags(event, &[("check", check)]), self.container());
        let message = message.map_or_else(String::new, |message| {
            // The text must not contain a field separator or this field's prefix.
            let message = names::text(message, TEXT).replace('|', "/").replace("m:", "m\\:");
            format!("|m:{message}")
        });
        format!("_sc|{SERVICE_CHECK}|{status}|d:{time}{tags}{container}{message}")
    }

    /// The event of a command that failed.
    pub fn command_failed(
        &self,
        event: &Event<'_>,
        call: &CallInfo,
        outcome: Outcome,
        failure: Option<&FailureFacts<'_>>,
    ) -> String {
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
        let alert = if outcome == Outcome::Cancelled { "warning" } else { "error" };
        let key = names::text(&call.name, TITLE).replace('|', "/");
        let tags = self.tags(event, &[("command", &call.name), ("outcome", outcome.as_str())]);
        let (time, container) = (seconds(event.time), self.container());
        format!("_e{{{},{}}}:{title}|{text}|d:{time}|k:{key}|t:{alert}{tags}{container}", title.len(), text.len())
    }

    fn tags(&self, event: &Event<'_>, own: &[(&str, &str)]) -> String {
        let mut list = TagList::after(&self.constant);
        let more = event.tags.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in own.iter().copied().chain(more) {
            list.add(name, value);
        }
        let tags = self.constant.iter().cloned().chain(list.finish());
        let tags: Vec<_> = tags.map(|(name, value)| format!("{name}:{value}")).collect();
        if tags.is_empty() { String::new() } else { format!("|#{}", tags.join(",")) }
    }

    fn container(&self) -> String {
        self.container.as_ref().map(|id| format!("|c:{id}")).unwrap_or_default()
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
