//! Errors and messages that the program captures by calls of its own.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::ops::DerefMut;
use std::panic::Location;

use crate::base::clock::Stamp;
use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::event::{Details, Fact, UNKNOWN_OPERATION};
use crate::events::event_id::EventId;
use crate::events::failure::Failure;
use crate::events::field::{Field, Value};
use crate::events::report::{Attachment, Layer, ReportKind};
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
pub struct ErrorBox<E: ?Sized>(PhantomData<E>);

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
    ErrorCapture::new(error).send()
}

/// The most attachments of one capture.
const MAX_ATTACHMENTS: usize = 10;

/// An error to be captured, with what the program says of it. Nothing happens before [`send`](Self::send).
///
/// ```
/// use obs_runtime::{ErrorCapture, Level};
///
/// if let Err(error) = "x".parse::<i32>() {
///     ErrorCapture::new(&error)
///         .level(Level::Warning)
///         .tag("feed", "users")
///         .field("row", 17)
///         .fingerprint(["bad row", "users"])
///         .send();
/// }
/// ```
#[must_use = "an error is captured by send"]
pub struct ErrorCapture<'e, E: ?Sized, Kind> {
    error: &'e E,
    level: Level,
    layer: Layer<'static>,
    kind: PhantomData<Kind>,
}

impl<'e, E: CapturableError<Kind> + ?Sized, Kind> ErrorCapture<'e, E, Kind> {
    /// An error, as [`capture_error`] takes it, of level `error`.
    pub fn new(error: &'e E) -> Self {
        let layer = Layer { attribute: "capture_error", ..Layer::default() };
        Self { error, level: Level::Error, layer, kind: PhantomData }
    }

    /// The level of the line and of the event.
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// A tag of the event, by which people search.
    pub fn tag(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        self.layer.fields.push(Field::new(name, value.clone()));
        self.layer.tags.push((name, value));
        self
    }

    /// A field of the event: text, a number or a boolean.
    pub fn field(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value<'static>>) -> Self {
        self.layer.fields.push(Field::new(name, value));
        self
    }

    /// Attaches a text to the event as a file, such as the lines of a feed around a bad row. It is redacted as all text is, and cut after
    /// 64 KiB. An event has ten of them at most.
    ///
    /// ```
    /// # use obs_runtime::ErrorCapture;
    /// # let error = "x".parse::<i32>().unwrap_err();
    /// ErrorCapture::new(&error).attachment("rows.csv", "16,ada\n17,x\n18,bob\n").send();
    /// ```
    pub fn attachment(mut self, name: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        if self.layer.attachments.len() < MAX_ATTACHMENTS {
            self.layer.attachments.push(Attachment { name: name.into(), text: text.into() });
        }
        self
    }

    /// What the event is grouped by in Sentry. A part `{{ default }}` stands for what obs would group by.
    pub fn fingerprint<T: Into<Cow<'static, str>>>(mut self, parts: impl IntoIterator<Item = T>) -> Self {
        self.layer.fingerprint = parts.into_iter().map(Into::into).collect();
        self
    }

    /// Captures the error, as [`capture_error`] does. Returns the id of the event.
    #[track_caller]
    pub fn send(self) -> Option<EventId> {
        let Self { error, level, layer, kind: _ } = self;
        let source = global::caller(Location::caller());
        global::pipeline()?;
        let name = operation();
        let exit = CallExit {
            name: name.clone(),
            level,
            source: source.clone(),
            ends_scope: false,
            start: Stamp::now(),
            captures: Captures::Manually,
            swallows: false,
        };
        let layer = || Layer { name: name.clone(), ..layer };
        let captured = propagation::fail(&exit, &E::failure(&error), layer);
        // An error that was captured before has its line already.
        let level = if captured.again { Level::Debug } else { level };
        global::emit(Topic::Fact, level, source, |_| {
            let failure = captured.failure.unwrap_or_default();
            (Fact::Captured { operation: name, failure, panic: false }, Details::default())
        });
        captured.event
    }
}

impl<E: ?Sized, Kind> fmt::Debug for ErrorCapture<'_, E, Kind> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ErrorCapture").field("level", &self.level).finish_non_exhaustive()
    }
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
