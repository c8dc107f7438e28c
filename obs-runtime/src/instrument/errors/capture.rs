//! What is captured by hand.

use std::borrow::Cow;
use std::error::Error;
use std::panic::Location;

use crate::base::call_scope::Frame;
use crate::base::clock::Stamp;
use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::event::{Details, Fact};
use crate::events::event_id::EventId;
use crate::events::failure::Failure;
use crate::events::report::Layer;
use crate::exporters::interface::Topic;
use crate::instrument::error_dedup::pending_error;
use crate::instrument::error_dedup::pending_error::{Captures, Step};
use crate::pipeline::global;

/// Captures an error by hand: one log line, `operation.error{operation,error_type}`, one event in Sentry. The operation is
/// the one of the context, or `unknown` outside of any. Gives the id of the event; none when nobody takes it, as before obs
/// is initialised.
///
/// An error that an annotated function has captured, or that one captures later on its way, is one event with what all of
/// them say of it. It is known again by its place in memory when it is boxed (`Box<dyn Error>`, `anyhow`, `eyre`), and
/// otherwise by its words: in the function that called the one which failed, unless another annotated one has succeeded
/// since, and, outside of any annotated function, on the same thread or in the same task within ten seconds. Where that
/// does not hold, it is two events. Two captures by hand are always two.
///
/// ```
/// if let Err(error) = "x".parse::<i32>() {
///     obs_runtime::capture_error(&error);
/// }
///
/// fn load() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     Err("no such table".into())
/// }
/// if let Err(error) = load() {
///     obs_runtime::capture_error(&*error);
/// }
/// ```
#[track_caller]
pub fn capture_error<E: Error + ?Sized + 'static>(error: &E) -> Option<EventId> {
    let source = global::caller(Location::caller());
    global::pipeline()?;
    let name = operation();
    let step = Step {
        name: name.clone(),
        level: Level::Error,
        source: source.clone(),
        frame: Frame::NONE,
        start: Stamp::now(),
        captures: Captures::ByHand,
        swallows: false,
    };
    let layer = || Layer { name: name.clone(), attribute: "capture_error", fields: Vec::new(), tags: Vec::new() };
    let passed = pending_error::fail(&step, &Failure::borrowed(&error), layer);
    // What was captured before has its line already.
    let level = if passed.again { Level::Debug } else { Level::Error };
    global::emit(Topic::Fact, level, source, |_| {
        let failure = passed.failure.unwrap_or_default();
        (Fact::Captured { operation: name, failure, panic: false }, Details::default())
    });
    passed.event
}

/// Captures a message by hand: one log line of that level, one event in Sentry. Messages that differ in numbers and ids
/// only stand together there. Gives the id of the event; none when nobody takes it.
///
/// ```
/// use obs_runtime::{Level, capture_message};
///
/// capture_message(Level::Warning, "the feed of 2026-11-26 is empty");
/// ```
#[track_caller]
pub fn capture_message<'a>(level: Level, message: impl Into<Cow<'a, str>>) -> Option<EventId> {
    let (source, message) = (global::caller(Location::caller()), message.into());
    let event = pending_error::message(level, message.clone(), source.clone(), Details::default());
    global::emit(Topic::Log, level, source, |_| (Fact::Log { message }, Details::default()));
    event
}

fn operation() -> Cow<'static, str> {
    let operation = Context::with_current(|context| context.operation().map(str::to_owned));
    operation.map_or(Cow::Borrowed(crate::events::event::UNKNOWN_OPERATION), Cow::Owned)
}
