//! Converts a report to an event of Sentry.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use ::sentry::protocol::{
    self, Attachment, Breadcrumb, Event as SentryEvent, Exception, LogEntry, Map, Mechanism, Stacktrace, Thread, User,
};
use serde_json::Value as Json;

use crate::base::declaration::Declaration;
use crate::base::level::Level;
use crate::base::stack::Stack;
use crate::events::event::{Event, EventContext, Fact};
use crate::events::event_id::EventId;
use crate::events::field::{Field, Text};
use crate::events::report::{self, Layer, ReportKind};
use crate::exporters::sentry::breadcrumbs::Crumb;
use crate::exporters::sentry::command_runs;
use crate::exporters::sentry::contexts::{contexts, json, level, limited, tag, tags, user};
use crate::exporters::sentry::event_size;
use crate::exporters::sentry::frames::KnownPlace;
use crate::exporters::sentry::grouping::{self, Bug};
use crate::exporters::sentry::options::Settings;
use crate::exporters::sentry::queue::Prepared;
use crate::metrics::callsite::{Callsite, CallsiteKind, Tags};
use crate::metrics::registry;
use crate::redact::redactor::Redacted;

/// The most bytes of a message.
const MAX_MESSAGE: usize = 8000;

/// The most bytes of a name.
const MAX_NAME: usize = 200;

/// The logger of what obs emits, also for calls of the program.
const OWN_LOGGER: &str = "obs_runtime";

/// A redacted report with its breadcrumbs. The worker's thread makes it an event, which looks up the names of functions.
pub struct EventDraft {
    id: EventId,
    kind: ReportKind,
    time: SystemTime,
    level: Level,
    logger: String,
    captured_at: Option<String>,
    file: Option<String>,
    module: Option<String>,
    place: Option<String>,
    operation: String,
    error_type: String,
    user: Option<User>,
    command: Option<String>,
    /// Types and messages, outermost first.
    causes: Vec<(String, String)>,
    tags: Vec<Tags>,
    contexts: Map<String, protocol::Context>,
    owner: Option<&'static str>,
    scope: EventContext<'static>,
    passed: Vec<String>,
    extra: Vec<(String, Json)>,
    own_fingerprint: Vec<String>,
    attachments: Vec<Attachment>,
    left_out: u64,
    stack: Option<Stack>,
    crumbs: Vec<Arc<Crumb>>,
}

/// What the operation declares, and of the rest what the command does.
fn declared(operation: &str, command: Option<&str>) -> Declaration {
    let mut of = (Declaration::NONE, Declaration::NONE);
    for site in registry::callsites() {
        let is_command = site.kind() == CallsiteKind::Command;
        if !is_command && site.name() == operation {
            of.0 = of.0.or(site.declaration());
        } else if is_command && command.unwrap_or(operation) == site.name() {
            of.1 = of.1.or(site.declaration());
        }
    }
    of.0.or(of.1)
}

fn owned(text: &Text<'_>, longest: usize) -> String {
    limited(text, longest).into_owned()
}

impl EventDraft {
    /// Copies a report; `None` for another event.
    pub fn of(event: &Redacted<Event<'_>>, crumbs: Vec<Arc<Crumb>>) -> Option<Self> {
        let Fact::Reported(report) = &event.fact else { return None };
        let scope = &event.context;
        let file = event.source.file.as_deref().map(|file| limited(file, MAX_NAME).into_owned());
        let mut contexts = contexts(scope, report.all_layers());
        if let Some(slug) = scope.operation.as_deref().and_then(command_runs::monitor_of) {
            let monitor = Map::from([("slug".to_owned(), slug.into())]);
            contexts.insert("monitor".to_owned(), protocol::Context::Other(monitor));
        }
        let declared = declared(&report.operation, scope.operation.as_deref());
        if declared.owner.is_some() || declared.runbook.is_some() {
            let told = [("owner", declared.owner), ("runbook", declared.runbook)];
            let told = told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
            contexts.insert("ownership".to_owned(), protocol::Context::Other(told.collect()));
        }
        let named = |layer: &Layer<'_>| format!("{} ({})", limited(&layer.name, MAX_NAME), layer.attribute);
        let optional = |text: &Option<Text<'_>>| text.as_ref().map(|text| Cow::Owned(text.to_string()));
        Some(Self {
            id: report.id,
            kind: report.kind,
            time: event.time,
            level: scope.level.unwrap_or(event.level),
            logger: owned(&event.source.logger, MAX_NAME),
            file: file.clone(),
            captured_at: file.zip(event.source.line).map(|(file, line)| format!("{file}:{line}")),
            module: event.source.module.as_ref().map(|module| owned(module, MAX_NAME)),
            place: report.place.as_ref().map(|place| owned(place, MAX_NAME)),
            operation: owned(&report.operation, MAX_NAME),
            error_type: owned(&report.error_type, MAX_NAME),
            user: user(scope),
            command: scope.operation.as_ref().map(|operation| owned(operation, MAX_NAME)),
            causes: report
                .causes
                .iter()
                .map(|cause| (owned(&cause.type_name, MAX_NAME), owned(&cause.message, MAX_MESSAGE)))
                .collect(),
            tags: report.all_layers().map(|layer| layer.tags.clone()).chain([event.tags.clone()]).collect(),
            contexts,
            owner: declared.owner,
            scope: EventContext {
                correlation_id: optional(&scope.correlation_id),
                operation: optional(&scope.operation),
                tags: Cow::Owned(scope.tags.to_vec()),
                ..EventContext::default()
            },
            passed: report.layers.iter().map(named).collect(),
            extra: event.fields.iter().map(|Field { name, value }| (name.to_string(), json(value))).collect(),
            own_fingerprint: report.own_fingerprint().iter().map(|part| owned(part, MAX_NAME)).collect(),
            attachments: report.all_layers().flat_map(|layer| &layer.attachments).map(attachment).collect(),
            left_out: report.left_out,
            stack: report.stack.clone(),
            crumbs,
        })
    }

    /// Makes the event, and its attachments.
    pub fn prepare(mut self, settings: &Settings) -> Prepared {
        let attachments = std::mem::take(&mut self.attachments);
        Prepared { event: self.into_event(settings), attachments }
    }

    fn into_event(self, settings: &Settings) -> SentryEvent<'static> {
        let place = self.known_place();
        let stacktrace = self.stack.as_ref().and_then(|stack| settings.names.stacktrace(stack, place.as_ref()));
        let (stacktrace, is_late) = stacktrace.unzip();
        let mut tags = tags(settings, &self.scope, &self.tags);
        tag(&mut tags, "operation", &self.operation);
        tag(&mut tags, "error_type", &self.error_type);
        if let Some(owner) = self.owner {
            tag(&mut tags, "owner", owner);
        }
        let mut event = SentryEvent {
            event_id: self.id.uuid(),
            level: if self.kind == ReportKind::Panic { protocol::Level::Fatal } else { level(self.level) },
            fingerprint: self.fingerprint(),
            transaction: Some(self.command.clone().unwrap_or_else(|| self.operation.clone())),
            logger: Some(self.logger().to_owned()),
            timestamp: self.time,
            platform: "native".into(),
            dist: settings.dist.clone().map(Into::into),
            user: self.user.clone(),
            tags,
            contexts: self.contexts.clone(),
            extra: self.extra(is_late.unwrap_or_default()),
            breadcrumbs: self.breadcrumbs(settings).into(),
            ..SentryEvent::default()
        };
        if self.kind.is_message() {
            let message = self.causes.into_iter().next().map(|(_, message)| message).unwrap_or_default();
            event.logentry = Some(LogEntry { message, params: Vec::new() });
            event.threads = stacktrace.map(|stacktrace| vec![thread(stacktrace)]).unwrap_or_default().into();
        } else {
            event.exception = self.exceptions(stacktrace).into();
        }
        event_size::fit(&mut event);
        event
    }

    /// Where the error comes from, as far as it is known without debug information.
    fn known_place(&self) -> Option<KnownPlace> {
        let place = if self.kind == ReportKind::Panic { self.place.as_ref() } else { self.captured_at.as_ref() };
        let (file, line) = place?.rsplit_once(':')?;
        let line = line.parse().ok()?;
        let is_it = |callsite: &&Callsite| {
            let place = callsite.place();
            place.file == file && u64::from(place.line) == line && *callsite.name() == *self.operation
        };
        // The location of a panic is its own.
        let callsite = || registry::callsites().into_iter().find(is_it).filter(|_| self.kind == ReportKind::Error);
        let function =
            |callsite: &Callsite| Some(format!("{}::{}", callsite.place().module, callsite.function_name()?));
        Some(KnownPlace { function: callsite().and_then(function), file: file.to_owned(), line })
    }

    /// The module of the code: of a capture by a call, whose module is not known, the one that all functions of the same file are in.
    fn module(&self) -> Option<&str> {
        let of_file = || {
            let file = self.file.as_deref()?;
            let callsites = registry::callsites().into_iter().map(Callsite::place);
            callsites.filter(|place| place.file == file).map(|place| place.module).reduce(grouping::module_of_both)
        };
        self.module.as_deref().or_else(of_file)
    }

    /// The logger: the program's module, also where obs itself speaks for it.
    fn logger(&self) -> &str {
        if self.logger == OWN_LOGGER { self.module().unwrap_or(OWN_LOGGER) } else { &self.logger }
    }

    fn breadcrumbs(&self, settings: &Settings) -> Vec<Breadcrumb> {
        let crumbs = self.crumbs.iter().map(|crumb| crumb.to_breadcrumb());
        match &settings.before_breadcrumb {
            Some(before) => crumbs.filter_map(|crumb| before(crumb)).collect(),
            None => crumbs.collect(),
        }
    }

    fn fingerprint(&self) -> Cow<'static, [Cow<'static, str>]> {
        let bug = Bug {
            kind: self.kind,
            error_type: &self.error_type,
            module: self.module(),
            operation: &self.operation,
            file: self.place.as_deref().map(|place| place.rsplit_once(':').map_or(place, |(file, _line)| file)),
            message: self.causes.last().map_or("", |(_, message)| message),
        };
        let parts = grouping::with_own(&self.own_fingerprint, || grouping::fingerprint(&bug));
        parts.into_iter().map(Cow::Owned).collect::<Vec<_>>().into()
    }

    /// The error and its sources as Sentry's exceptions: the root cause first, the returned error last.
    fn exceptions(&self, mut stacktrace: Option<Stacktrace>) -> Vec<Exception> {
        let panic = self.kind == ReportKind::Panic;
        let mechanism = |outermost: bool| Mechanism {
            ty: if panic { "panic" } else { "generic" }.to_owned(),
            handled: outermost.then_some(!panic),
            ..Mechanism::default()
        };
        let exception = |(index, (ty, value)): (usize, &(String, String))| Exception {
            ty: if ty.is_empty() { "Error".to_owned() } else { ty.clone() },
            value: Some(value.clone()),
            // The stack was taken where the returned error was captured.
            stacktrace: if index == 0 { stacktrace.take() } else { None },
            mechanism: (index == 0).then(|| mechanism(true)),
            ..Exception::default()
        };
        let mut exceptions: Vec<_> = self.causes.iter().enumerate().map(exception).collect();
        exceptions.reverse();
        exceptions
    }

    fn extra(&self, without_names: bool) -> Map<String, Json> {
        let mut extra: Map<String, Json> = self.extra.iter().cloned().collect();
        if !self.passed.is_empty() {
            extra.insert("passed".to_owned(), self.passed.clone().into());
        }
        if self.left_out > 0 {
            extra.insert("left_out_before".to_owned(), self.left_out.into());
        }
        if let Some(place) = &self.captured_at {
            extra.insert("captured_at".to_owned(), place.clone().into());
        }
        if without_names {
            extra.insert("stack_names".to_owned(), "not found within half of OBS_FLUSH_TIMEOUT".into());
        }
        extra
    }
}

fn attachment(of: &report::Attachment<'_>) -> Attachment {
    let (filename, buffer) = (owned(&of.name, MAX_NAME), of.text.as_bytes().to_vec());
    Attachment { filename, buffer, content_type: Some("text/plain".to_owned()), ..Attachment::default() }
}

fn thread(stacktrace: Stacktrace) -> Thread {
    Thread { current: true, stacktrace: Some(stacktrace), ..Thread::default() }
}
