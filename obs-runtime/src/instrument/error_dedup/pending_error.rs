//! The way of an error through the calls that it passes, from where it was captured first to where it is handled: told
//! once, with what every function on the way says of it.
//!
//! A call that ends by an error leaves it waiting for the call around it. Does that one end by the same error, it adds what
//! it knows, and the error goes on; does it end otherwise, the error was handled there, and is told. At the outermost call,
//! at a flush and after a few seconds it is told with what is known by then. Whether it is the same error, its
//! [`Sighting`] says: by its place in memory, or by its words where it was the last thing that happened in the call
//! around. In doubt it is another one: an error is rather told twice than not at all.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use crate::base::call_scope;
use crate::base::call_scope::Frame;
use crate::base::clock::Stamp;
use crate::base::command_run::Run;
use crate::base::level::Level;
use crate::base::stack::Stack;
use crate::context::current::Context;
use crate::events::event::{Details, Event, Fact, FailureFacts, Source};
use crate::events::event_id::EventId;
use crate::events::failure::Failure;
use crate::events::fingerprint::Sighting;
use crate::events::panics;
use crate::events::panics::Panic;
use crate::events::report::{Cause, Layer, Report, ReportKind};
use crate::exporters::error_event::Incident;
use crate::exporters::interface::Topic;
use crate::instrument::error_dedup::flush;
use crate::instrument::error_dedup::rate_limit;
use crate::instrument::error_dedup::store::{Journey, Met, State, Store};
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;

/// A call that ends while an error passes it, or something that was captured by hand.
#[derive(Clone, Debug)]
pub struct Step {
    /// The operation's or command's name; the context's operation of what is captured by hand.
    pub name: Cow<'static, str>,
    /// How bad an error is that passes here.
    pub level: Level,
    /// Where it stands.
    pub source: Source<'static>,
    /// The call; none for one that an error passes without being held up.
    pub frame: Frame,
    /// When it began.
    pub start: Stamp,
    /// Whether an error that nobody has captured yet is captured here.
    pub captures: Captures,
    /// Whether it goes no further than here.
    pub swallows: bool,
}

/// Whether a call captures errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captures {
    /// It does.
    Yes,
    /// It was captured by hand.
    ByHand,
    /// Should it be captured in the call around, what this one knows of it is told too.
    IfTheNextDoes,
    /// It does not.
    No,
}

/// What a command says of itself. It hangs on the context of what runs in it, and stands on the errors that are handled
/// there as well.
#[derive(Clone, Debug)]
pub struct Around(pub Layer<'static>);

/// What is known of an error once it has passed a call.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// Whether it was captured before.
    pub again: bool,
    /// Its report, if anybody is told of it.
    pub event: Option<EventId>,
    /// What can be said of it.
    pub failure: Option<FailureFacts<'static>>,
}

/// An error passes a call.
pub fn fail(step: &Step, failure: &Failure<'_>, layer: impl FnOnce() -> Layer<'static>) -> Passed {
    let sighting = failure.sighting();
    let facts = sighting.facts();
    let mut passed = pass(step, Some(sighting), None, layer);
    passed.failure = Some(facts);
    passed
}

/// A panic unwinds through a call.
pub fn unwind(step: &Step, layer: impl FnOnce() -> Layer<'static>) -> Passed {
    let last = panics::last_since(step.start);
    let facts = panic_facts(last.as_ref());
    let mut passed = pass(step, None, last, layer);
    passed.failure = Some(facts);
    passed
}

/// What can be said of a panic.
pub fn panic_facts(last: Option<&Panic>) -> FailureFacts<'static> {
    let message = last.map_or(Cow::Borrowed("panicked"), |last| Cow::Owned(last.to_string()));
    FailureFacts { error_type: Cow::Borrowed("panic"), message, sources: Vec::new() }
}

/// A call has ended well, or was dropped: what waited for it was handled there.
#[cold]
pub fn end(frame: Frame, well: bool) {
    tell(Store::with(|store| store.leave(frame, None, well)).unwrap_or_default());
}

fn pass(
    step: &Step,
    sighting: Option<Sighting>,
    panic: Option<Panic>,
    layer: impl FnOnce() -> Layer<'static>,
) -> Passed {
    let here = if step.frame.is_some() { step.frame.number } else { call_scope::current() };
    let mut layer = Some(layer);
    let mut layers = Vec::new();
    let met = Store::with(|store| match store.meet(step, here, sighting.as_ref()) {
        Met::Captured(journey) => {
            journey.add(layer.take().map(|layer| layer()), sighting.as_ref(), step);
            Some((journey.key, journey.event()))
        }
        Met::Kept(kept) => {
            layers = kept;
            None
        }
        Met::Nothing => None,
    });
    let met = met.flatten();
    let again = met.is_some();
    let captures = matches!(step.captures, Captures::Yes | Captures::ByHand);
    let key = match (met, layer) {
        (Some((key, event)), _) => Some((key, event)),
        (None, Some(layer)) if captures => {
            let what = sighting.map_or(What::Panic(panic), What::Error);
            begin(step, what, here, move || {
                layers.push(layer());
                layers
            })
        }
        (None, Some(layer)) if step.captures == Captures::IfTheNextDoes && here != 0 => {
            layers.push(layer());
            keep(step, sighting, here, layers);
            None
        }
        _ => None,
    };
    let last = key.map(|(key, _)| key);
    let ended = Store::with(|store| match last {
        Some(key) if step.swallows => {
            let mut ended = store.end(key);
            ended.extend(store.leave(step.frame, None, false));
            ended
        }
        _ if step.frame.is_some() => store.leave(step.frame, last, false),
        Some(key) if here == 0 => store.end(key),
        _ => Vec::new(),
    });
    tell(ended.unwrap_or_default());
    Passed { again, event: key.and_then(|(_, event)| event), failure: None }
}

/// What begins its way.
enum What {
    Error(Sighting),
    Panic(Option<Panic>),
}

/// An error that is captured here first. Whether more of it is told than a count is asked before anything is looked at.
fn begin(
    step: &Step,
    what: What,
    here: u64,
    layers: impl FnOnce() -> Vec<Layer<'static>>,
) -> Option<(u64, Option<EventId>)> {
    let pipeline = global::pipeline()?;
    let context = Context::current();
    if let Some(run) = context.extension::<Run>() {
        run.count_error();
    }
    let is_wanted = pipeline.wants(Topic::Report, step.level, &step.source.logger);
    let allowed = if is_wanted { rate_limit::allow(&*pipeline, &step.source) } else { None };
    let state = match allowed {
        None => State::LeftOut,
        Some(left_out) => State::Open(Box::new(report(&*pipeline, step, &what, layers(), left_out))),
    };
    let sighting = match what {
        What::Error(sighting) => Some(sighting),
        What::Panic(_) => None,
    };
    let journey = Journey::new(pipeline, context, step, state, sighting, here);
    let event = journey.event();
    let key = Store::with(|store| store.begin(journey))?;
    if here != 0 && event.is_some() {
        flush::watch();
    }
    Some((key, event))
}

fn report(
    pipeline: &dyn Pipeline,
    step: &Step,
    what: &What,
    layers: Vec<Layer<'static>>,
    left_out: u64,
) -> Report<'static> {
    let (kind, error_type, causes) = match what {
        What::Error(sighting) => (ReportKind::Error, sighting.error_type.clone(), sighting.causes.clone()),
        What::Panic(last) => {
            let message = last.as_ref().map_or(Cow::Borrowed("panicked"), |last| last.words.clone().into());
            let type_name = Cow::Borrowed("panic");
            (ReportKind::Panic, type_name.clone(), vec![Cause { type_name, message }])
        }
    };
    let stack = match what {
        What::Panic(Some(last)) => last.stack.clone(),
        _ => pipeline.wants_stack_traces().then(Stack::capture).flatten(),
    };
    let operation = layers.first().map_or_else(|| step.name.clone(), |layer| layer.name.clone());
    let place = match what {
        What::Panic(Some(Panic { place: Some((file, line)), .. })) => Some(Cow::Owned(format!("{file}:{line}"))),
        _ => None,
    };
    Report { id: EventId::fresh(), kind, operation, error_type, causes, layers, left_out, place, stack }
}

/// An error that nobody has captured, should the call around do so.
fn keep(step: &Step, sighting: Option<Sighting>, here: u64, layers: Vec<Layer<'static>>) {
    let Some(pipeline) = global::pipeline() else { return };
    if layers.iter().all(|layer| layer.fields.is_empty())
        || !pipeline.wants(Topic::Report, step.level, &step.source.logger)
    {
        return;
    }
    let journey = Journey::new(pipeline, Context::default(), step, State::Kept(layers), sighting, here);
    Store::with(|store| store.begin(journey));
}

/// A panic was seen where it began.
pub fn panicked(last: Panic, source: Source<'static>) {
    let operation = Context::with_current(|context| context.operation().map(str::to_owned));
    let step = Step {
        name: operation.map_or(Cow::Borrowed(crate::events::event::UNKNOWN_OPERATION), Cow::Owned),
        level: Level::Error,
        source,
        frame: Frame::NONE,
        start: Stamp::ZERO,
        captures: Captures::Yes,
        swallows: false,
    };
    let here = call_scope::current();
    let key = begin(&step, What::Panic(Some(last)), here, Vec::new);
    if here == 0
        && let Some((key, _)) = key
    {
        tell(Store::with(|store| store.end(key)).unwrap_or_default());
    }
}

/// Tells a message that was captured by hand; the id of its report, if anybody is told.
pub fn message(
    level: Level,
    text: Cow<'_, str>,
    source: Source<'static>,
    details: Details<'static>,
) -> Option<EventId> {
    let pipeline = global::pipeline()?;
    if !pipeline.wants(Topic::Report, level, &source.logger) {
        return None;
    }
    let left_out = rate_limit::allow(&*pipeline, &source)?;
    let context = Context::current();
    let operation = context
        .operation()
        .map_or(Cow::Borrowed(crate::events::event::UNKNOWN_OPERATION), |operation| operation.to_owned().into());
    let report = Report {
        id: EventId::fresh(),
        kind: ReportKind::Message,
        operation,
        error_type: Cow::Borrowed("message"),
        causes: vec![Cause { type_name: Cow::Borrowed(""), message: text }],
        layers: Vec::new(),
        left_out,
        place: None,
        stack: pipeline.wants_stack_traces().then(Stack::capture).flatten(),
    };
    let id = report.id;
    let fact = Fact::Reported(Box::new(report));
    let Details { fields, tags } = details;
    let event = Event { time: SystemTime::now(), level, source, context: context.event_context(), fact, fields, tags };
    pipeline.emit(Topic::Report, event);
    Some(id)
}

/// Tells of errors whose way is over.
pub(super) fn tell(ended: Vec<Ended>) {
    for Ended { pipeline, mut incident } in ended {
        let report = &mut incident.report;
        if let Some(around) = incident.context.extension::<Around>()
            && !report.layers.iter().any(|layer| (&layer.name, layer.attribute) == (&around.0.name, around.0.attribute))
        {
            report.layers.push(around.0.clone());
        }
        pipeline.report(incident);
    }
}

/// An error whose way is over.
pub(super) struct Ended {
    pub(super) pipeline: Arc<dyn Pipeline>,
    pub(super) incident: Incident,
}
