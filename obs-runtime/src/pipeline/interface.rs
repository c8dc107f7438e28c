//! From an event to all sinks, as the rest of obs knows it.

use crate::base::level::Level;
use crate::config::settings::Setting;
use crate::config::validated::Config;
use crate::events::event::Event;
use crate::events::field::{Text, Value};
use crate::exporters::error_event::Incident;
use crate::exporters::interface::{FlushError, Topic};
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::flush::FlushMode;

/// What becomes of events.
///
/// It is asked through a table of functions, which only who makes a pipeline names: annotated functions in a program that
/// never initialises obs bring nothing of redaction, sinks and protocols into its machine code.
pub trait Pipeline: Send + Sync {
    /// What obs was told to do.
    fn config(&self) -> &Config;

    /// Each variable's value and where it came from, if somebody said so.
    fn settings(&self) -> &[Setting];

    /// What was measured so far.
    fn measured(&self) -> Snapshot;

    /// What waits in each sink.
    fn queued(&self) -> Vec<(&'static str, usize)>;

    /// Whether there are to be no more reports of one place than a program's user can read.
    fn rate_limits_errors(&self) -> bool;

    /// Whether reports are worth more to any sink with the calls that led to the error.
    fn wants_stack_traces(&self) -> bool;

    /// Which share of runs is recorded call by call: as much as any sink wants.
    fn trace_sample_rate(&self) -> f64;

    /// Whether any sink wants such an event.
    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool;

    /// The least level at which any sink may want single calls or lines.
    fn least_level(&self) -> Option<Level>;

    /// Redacts an event and hands it to each sink that wants it.
    fn emit(&self, topic: Topic, event: Event<'_>);

    /// Redacts an error whose way is over, and hands it to each sink that wants it.
    fn report(&self, incident: Incident);

    /// Says that the limit of series was passed at a call site.
    fn overflow(&self);

    /// A text as it may leave.
    fn text<'a>(&self, text: Text<'a>) -> Text<'a>;

    /// The value of that name as it may leave.
    fn named<'a>(&self, name: &str, text: Text<'a>) -> Text<'a>;

    /// A keyed hash, equal for equal texts.
    fn hashed(&self, text: &str) -> Value<'static>;

    /// Flushes all sinks under `OBS_FLUSH_TIMEOUT`. Gives what failed and has not failed in the same way before.
    fn flush(&self, mode: FlushMode) -> Vec<FlushError>;
}
