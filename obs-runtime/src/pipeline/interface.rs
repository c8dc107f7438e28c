//! The pipeline as the rest of obs sees it.

use crate::base::level::Level;
use crate::base::trace_context::TraceContext;
use crate::config::settings::Setting;
use crate::config::validated::Config;
use crate::context::remote_parent::RemoteParent;
use crate::events::event::Event;
use crate::events::field::{Text, Value};
use crate::events::span::{Sampling, TraceRoot};
use crate::exporters::error_event::ErrorEvent;
use crate::exporters::interface::{FlushError, Topic, TraceHeader};
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::background_flush::BackgroundFlush;
use crate::pipeline::flush::FlushMode;

/// Takes events, redacts them and hands them to exporters.
///
/// A trait object keeps redaction, exporters and protocols out of the machine code of a program that has annotated
/// functions but never initialises obs.
pub trait Pipeline: Send + Sync {
    /// The validated configuration.
    fn config(&self) -> &Config;

    /// Each variable's value and origin; empty in a test's pipeline.
    fn settings(&self) -> &[Setting];

    /// A snapshot of all metrics.
    fn measured(&self) -> Snapshot;

    /// The queue length of each exporter.
    fn queued(&self) -> Vec<(&'static str, usize)>;

    /// Whether errors of one place are reported at a limited rate.
    fn rate_limits_errors(&self) -> bool;

    /// Whether an exporter wants the stack traces of errors.
    fn wants_stack_traces(&self) -> bool;

    /// Whether a line about a panic, emitted on this thread now, is written to standard error in place of the standard
    /// library's message.
    fn replaces_panic_message(&self, logger: &str) -> bool;

    /// Whether an exporter wants the spans of a trace.
    fn sampling(&self, root: &TraceRoot) -> Sampling;

    /// What another process gets of a trace for these exporters, besides `traceparent`.
    fn trace_headers(&self, trace: &TraceContext, parent: Option<&RemoteParent>) -> Vec<TraceHeader>;

    /// Whether an exporter wants such an event.
    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool;

    /// The lowest level at which an exporter may want single calls or log lines; `None` for never.
    fn least_level(&self) -> Option<Level>;

    /// Redacts an event and hands it to each exporter that wants it. An event that an exporter emits meanwhile on the
    /// same thread is dropped and counted.
    fn emit(&self, topic: Topic, event: Event<'_>);

    /// Like [`emit`](Self::emit), for an error, panic or message with all that is known of it.
    fn report(&self, event: ErrorEvent);

    /// Notes that a metric, or the metrics of an operation or command, has reached the limit of series.
    fn overflow(&self, metric: &str);

    /// The metrics that have reached the limit of series, redacted and sorted.
    fn overflows(&self) -> Vec<String>;

    /// Redacts a text by value.
    fn text<'a>(&self, text: Text<'a>) -> Text<'a>;

    /// Redacts the value of that name.
    fn named<'a>(&self, name: &str, text: Text<'a>) -> Text<'a>;

    /// A keyed hash of a text.
    fn hashed(&self, text: &str) -> Value<'static>;

    /// The flush in the background.
    fn background_flush(&self) -> &BackgroundFlush;

    /// Flushes all exporters under `OBS_FLUSH_TIMEOUT`. Returns the failures that differ from the exporter's previous one.
    fn flush(&self, mode: FlushMode) -> Vec<FlushError>;
}
