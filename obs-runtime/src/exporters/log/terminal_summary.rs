//! The line on the terminal when a command fails: the error and the ids to search for.

use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::events::event::{Event, Fact};
use crate::events::event_id::EventId;
use crate::events::event_status::{self, EventStatus};
use crate::events::failure_facts::FailureFacts;
use crate::exporters::log::text::{TextFormat, colour, escape};

/// The line about a failed outermost command.
pub struct TerminalSummary {
    /// The error with its sources.
    text: Vec<u8>,
    correlation_id: Option<String>,
    event: Option<EventId>,
}

impl TerminalSummary {
    /// The line about an event; `None` unless the event is the end of an outermost command that failed.
    pub fn of(event: &Event<'_>, format: TextFormat) -> Option<Self> {
        let Fact::Finished { call, outcome: Outcome::Error, failure: Some(failure), .. } = &event.fact else {
            return None;
        };
        if !call.run.as_ref().is_some_and(|run| run.is_outermost()) {
            return None;
        }
        let FailureFacts { error_type: _, message, sources } = failure;
        let mut text = Vec::new();
        format.coloured(colour(Level::Critical), &mut text, |text| text.extend_from_slice(b"error:"));
        text.push(b' ');
        escape(&call.name, &mut text);
        // Many errors include the messages of their sources.
        let new = sources.iter().scan(message.to_string(), |said, source| {
            let is_new = !said.contains(&**source);
            said.push_str(source);
            Some(is_new.then_some(source))
        });
        for cause in std::iter::once(message).chain(new.flatten()) {
            text.extend_from_slice(b": ");
            escape(cause, &mut text);
        }
        let correlation_id = event.context.correlation_id.as_ref().map(ToString::to_string);
        Some(Self { text, correlation_id, event: call.event })
    }

    /// Whether it is not known yet whether Sentry accepts the event.
    pub fn is_waiting(&self) -> bool {
        self.event.and_then(event_status::of) == Some(EventStatus::Queued)
    }

    /// The line with its end of line. Names the Sentry event only if the server has accepted it.
    pub fn into_line(self) -> Vec<u8> {
        let Self { text: mut line, correlation_id, event } = self;
        let status = event.and_then(|id| Some((id, event_status::of(id)?)));
        let event = status.map(|(id, status)| match status {
            EventStatus::Accepted => format!("Sentry event {id}"),
            EventStatus::Queued => "not sent: no answer from Sentry in time".to_owned(),
            EventStatus::NotSent(reason) => format!("not sent: {reason}"),
        });
        let correlation_id = correlation_id.map(|id| format!("correlation id {id}"));
        let ids: Vec<_> = correlation_id.into_iter().chain(event).collect();
        if !ids.is_empty() {
            escape(&format!(" ({})", ids.join(", ")), &mut line);
        }
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::events::active_span::Active;
    use crate::events::command_run::CommandRun;
    use crate::events::event::{CallInfo, EventContext, Source};
    use crate::metrics::callsite::CallsiteKind;

    fn ended(outcome: Outcome, run: CommandRun, event: Option<EventId>) -> Event<'static> {
        let call = CallInfo { kind: CallsiteKind::Command, name: "load".into(), run: Some(Arc::new(run)), event };
        let failure = FailureFacts {
            error_type: "timeout".into(),
            message: "no answer\nof users.csv: timed out".into(),
            sources: vec!["timed out".into(), "connection reset".into()],
        };
        Event {
            time: SystemTime::UNIX_EPOCH,
            level: Level::Error,
            source: Source::default(),
            context: EventContext { correlation_id: Some("run-7".into()), ..EventContext::default() },
            fact: Fact::Finished {
                call,
                outcome,
                duration: Duration::ZERO,
                failure: (outcome != Outcome::Ok).then_some(failure),
                exit_code: Some(1),
            },
            fields: Vec::new(),
            tags: Vec::new(),
        }
    }

    #[test]
    fn the_sources_and_the_ids_are_on_one_line() {
        let written = |event: &Event<'_>, coloured| {
            String::from_utf8(TerminalSummary::of(event, TextFormat { coloured }).unwrap().into_line()).unwrap()
        };
        let event = ended(Outcome::Error, CommandRun::begin(None, None, &Active::Nothing), None);
        let plain = "error: load: no answer\\nof users.csv: timed out: connection reset (correlation id run-7)\n";
        assert_eq!(written(&event, false), plain);
        assert_eq!(written(&event, true), plain.replace("error:", "\x1b[1;31merror:\x1b[0m"));
        // No error tracker has taken that one.
        let unknown = ended(Outcome::Error, CommandRun::begin(None, None, &Active::Nothing), Some(EventId::fresh()));
        assert_eq!(written(&unknown, false), plain);
    }

    #[cfg(feature = "sentry")]
    #[test]
    fn an_event_is_named_only_if_it_was_accepted() {
        let id = EventId::fresh();
        let line = || {
            let event = ended(Outcome::Error, CommandRun::begin(None, None, &Active::Nothing), Some(id));
            let summary = TerminalSummary::of(&event, TextFormat { coloured: false }).unwrap();
            let is_waiting = summary.is_waiting();
            (String::from_utf8(summary.into_line()).unwrap(), is_waiting)
        };
        for (status, says, waits) in [
            (EventStatus::Queued, "not sent: no answer from Sentry in time".to_owned(), true),
            (EventStatus::NotSent("it is full".into()), "not sent: it is full".to_owned(), false),
            (EventStatus::Accepted, format!("Sentry event {id}"), false),
        ] {
            event_status::set(id, status);
            let (line, is_waiting) = line();
            assert!(line.ends_with(&format!("(correlation id run-7, {says})\n")), "{line}");
            assert_eq!(is_waiting, waits, "{line}");
        }
    }

    #[test]
    fn only_an_outermost_command_that_failed_has_a_line() {
        let applies_to = |event: &Event<'_>| TerminalSummary::of(event, TextFormat { coloured: false }).is_some();
        assert!(applies_to(&ended(Outcome::Error, CommandRun::begin(None, None, &Active::Nothing), None)));
        assert!(!applies_to(&ended(Outcome::Ok, CommandRun::begin(None, None, &Active::Nothing), None)));
        // A panic has a line of its own.
        assert!(!applies_to(&ended(Outcome::Panic, CommandRun::begin(None, None, &Active::Nothing), None)));
        let outer = Arc::new(CommandRun::begin(None, None, &Active::Nothing));
        assert!(!applies_to(&ended(Outcome::Error, CommandRun::begin(Some(outer), None, &Active::Nothing), None)));
    }
}
