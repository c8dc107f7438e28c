//! The line on the terminal when a command fails: the error and the ids to search for.

use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::events::event::{Event, Fact, FailureFacts};
use crate::exporters::log::text::{TextFormat, colour, escape};

/// Whether an event is the end of an outermost command that failed.
pub fn applies_to(event: &Event<'_>) -> bool {
    match &event.fact {
        Fact::Finished { call, outcome: Outcome::Error, failure: Some(_), .. } => {
            call.run.as_ref().is_some_and(|run| run.is_outermost())
        }
        _ => false,
    }
}

/// Writes the line, its end of line included: the error with its sources, the correlation id and the id of the Sentry event.
pub fn write(event: &Event<'_>, format: TextFormat, line: &mut Vec<u8>) {
    let Fact::Finished { call, failure: Some(failure), .. } = &event.fact else { return };
    let FailureFacts { error_type: _, message, sources } = failure;
    format.coloured(colour(Level::Critical), line, |line| line.extend_from_slice(b"error:"));
    line.push(b' ');
    escape(&call.name, line);
    // Many errors include the messages of their sources.
    let new = sources.iter().scan(message.to_string(), |said, source| {
        let is_new = !said.contains(&**source);
        said.push_str(source);
        Some(is_new.then_some(source))
    });
    for cause in std::iter::once(message).chain(new.flatten()) {
        line.extend_from_slice(b": ");
        escape(cause, line);
    }
    let correlation_id = event.context.correlation_id.as_ref().map(|id| format!("correlation id {id}"));
    let event_id = call.event.map(|id| format!("Sentry event {id}"));
    let ids: Vec<_> = correlation_id.into_iter().chain(event_id).collect();
    if !ids.is_empty() {
        escape(&format!(" ({})", ids.join(", ")), line);
    }
    line.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::base::command_run::CommandRun;
    use crate::events::event::{CallInfo, EventContext, Source};
    use crate::events::event_id::EventId;
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
            let mut line = Vec::new();
            write(event, TextFormat { coloured }, &mut line);
            String::from_utf8(line).unwrap()
        };
        let event = ended(Outcome::Error, CommandRun::begin(None, None, None), None);
        let plain = "error: load: no answer\\nof users.csv: timed out: connection reset (correlation id run-7)\n";
        assert_eq!(written(&event, false), plain);
        assert_eq!(written(&event, true), plain.replace("error:", "\x1b[1;31merror:\x1b[0m"));
        let id = EventId::fresh();
        let sent = written(&ended(Outcome::Error, CommandRun::begin(None, None, None), Some(id)), false);
        assert!(sent.ends_with(&format!("(correlation id run-7, Sentry event {id})\n")), "{sent}");
    }

    #[test]
    fn only_an_outermost_command_that_failed_has_a_line() {
        assert!(applies_to(&ended(Outcome::Error, CommandRun::begin(None, None, None), None)));
        assert!(!applies_to(&ended(Outcome::Ok, CommandRun::begin(None, None, None), None)));
        // The standard library prints panics.
        assert!(!applies_to(&ended(Outcome::Panic, CommandRun::begin(None, None, None), None)));
        let outer = Arc::new(CommandRun::begin(None, None, None));
        assert!(!applies_to(&ended(Outcome::Error, CommandRun::begin(Some(outer), None, None), None)));
    }
}
