//! Errors and messages that the program captures by calls of its own.

use std::borrow::Cow;
use std::error::Error;
use std::ops::DerefMut;
use std::panic::Location;

use crate::base::clock::Stamp;
use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::event::{Details, Fact, UNKNOWN_OPERATION};
use crate::events::event_id::EventId;
use crate::events::failure::Failure;
use crate::events::report::{Layer, ReportKind};
use crate::exporters::interface::Topic;
use crate::instrument::error_dedup::propagation::{self, CallExit, Captures};
use crate::instrument::errors::message::report_message;
use crate::pipeline::global;

/// An error that [`capture_error`] takes: any type with [`Error`], and a `Box<dyn Error>`, an `anyhow::Error` or an
/// `eyre::Report`, which do not implement it. `Kind` tells these apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an error",
    note = "`capture_error` takes a reference to a type that implements `std::error::Error`, to a `Box<dyn Error>`, or to an error of \
            anyhow or eyre; `capture_message` takes text"
)]
pub trait CapturableError<Kind> {
    #[doc(hidden)]
    fn failure<'v>(error: &'v &'v Self) -> Failure<'v>;
}

/// The kind of types that implement [`Error`].
#[derive(Debug)]
pub enum ErrorType {}

/// The kind of boxes of this type.
#[derive(Debug)]
pub struct ErrorBox<E: ?Sized>(std::marker::PhantomData<E>);

impl<E: Error + ?Sized> CapturableError<ErrorType> for E {
    fn failure<'v>(error: &'v &'v Self) -> Failure<'v> {
        Failure::borrowed(error)
    }
}

// By `DerefMut`, because `Arc<dyn Error>` implements `Deref` as well as `Error`.
macro_rules! boxes {
    ($($error:ty),*) => {$(
        impl<E: DerefMut<Target = $error>> CapturableError<ErrorBox<$error>> for E {
            fn failure<'v>(error: &'v &'v Self) -> Failure<'v> {
                Failure::boxed::<dyn Error>(&***error)
            }
        }
    )*};
}

boxes!(dyn Error, dyn Error + Send, dyn Error + Send + Sync);

/// Captures an error: one log line, `operation.error{operation,error_type}`, one event in Sentry. The operation is that of
/// the context, or `unknown` outside of any. Returns the id of the event; `None` when no sink takes it, as before obs is
/// initialised.
///
/// An error that an annotated function has captured, or captures later, is one event with what all of them say of it. A
/// boxed error (`Box<dyn Error>`, `anyhow`, `eyre`) is recognised by its address. Any other is recognised by its message: in
/// the function that called the failed one, unless another annotated function has succeeded since; and, outside of any
/// annotated function, in the same task on the same thread, within ten seconds. Otherwise it is two events. Two calls of
/// this function are always two events.
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
///     obs_runtime::capture_error(&error);
/// }
/// ```
#[track_caller]
pub fn capture_error<E: CapturableError<Kind> + ?Sized, Kind>(error: &E) -> Option<EventId> {
    let source = global::caller(Location::caller());
    global::pipeline()?;
    let name = operation();
    let exit = CallExit {
        name: name.clone(),
        level: Level::Error,
        source: source.clone(),
        ends_scope: false,
        start: Stamp::now(),
        captures: Captures::Manually,
        swallows: false,
    };
    let layer = || Layer { name: name.clone(), attribute: "capture_error", fields: Vec::new(), tags: Vec::new() };
    let captured = propagation::fail(&exit, &E::failure(&error), layer);
    // An error that was captured before has its line already.
    let level = if captured.again { Level::Debug } else { Level::Error };
    global::emit(Topic::Fact, level, source, |_| {
        let failure = captured.failure.unwrap_or_default();
        (Fact::Captured { operation: name, failure, panic: false }, Details::default())
    });
    captured.event
}

/// Captures a message: one log line of that level, one event in Sentry, where messages that differ in numbers and ids only
/// are one issue. Returns the id of the event; `None` when no sink takes it.
///
/// ```
/// use obs_runtime::{Level, capture_message};
///
/// capture_message(Level::Warning, "the feed of 2026-11-26 is empty");
/// ```
#[track_caller]
pub fn capture_message<'a>(level: Level, message: impl Into<Cow<'a, str>>) -> Option<EventId> {
    let (source, message) = (global::caller(Location::caller()), message.into());
    let event = report_message(ReportKind::Message, level, message.clone(), source.clone(), Details::default());
    global::emit(Topic::Log, level, source, |_| (Fact::Log { message }, Details::default()));
    event
}

fn operation() -> Cow<'static, str> {
    let operation = Context::with_current(|context| context.operation().map(str::to_owned));
    operation.map_or(Cow::Borrowed(UNKNOWN_OPERATION), Cow::Owned)
}
