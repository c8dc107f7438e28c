//! The trait of exporters. A new exporter is one file with one exhaustive `match` on [`Fact`](crate::events::event::Fact).

use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(any(feature = "otlp", feature = "sentry"))]
use crate::base::clock;
use crate::base::level::Level;
use crate::base::trace_context::TraceContext;
use crate::context::remote_parent::RemoteParent;
use crate::events::event::Event;
use crate::events::span::{Sampling, TraceRoot};
use crate::exporters::error_event::RawErrorEvent;
use crate::redact::redactor::Redacted;

/// The class of an event, by which an exporter decides whether it wants the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The start or end of a call of an annotated function, except of a command. There can be millions a second; call sites
    /// count them without events.
    Call,
    /// A log line of the program or a library.
    Log,
    /// Everything else: rare events, which metrics need.
    Fact,
    /// An error, panic or message with all that is known of it, or a breadcrumb: for error tracking.
    Report,
}

/// Sends events to a backend.
///
/// An exporter never blocks its caller, never returns an error to it and never calls back into the pipeline. It counts what
/// it drops, by reason, with [`drop_counters::count`](crate::metrics::drop_counters::count). The pipeline records flushes; an
/// exporter that also delivers at other times records that with
/// [`delivery_stats::record`](crate::metrics::delivery_stats::record).
///
/// By default, an exporter takes no events, as one that delivers the current metrics at each flush.
pub trait Exporter: Send + Sync {
    /// The exporter's name, as in `obs.dropped{sink="…"}`.
    fn name(&self) -> &'static str;

    /// Whether it wants events of that topic, level and logger. Called before an event is created.
    fn wants(&self, _topic: Topic, _level: Level, _logger: &str) -> bool {
        false
    }

    /// The lowest level at which it may want single calls or log lines of any logger; `None` for never. Cached, so that
    /// unwanted calls and lines cost one comparison.
    fn least_level(&self) -> Option<Level> {
        None
    }

    /// Whether it uses the stack traces of errors.
    fn wants_stack_traces(&self) -> bool {
        false
    }

    /// Whether it writes the line about a panic, of that logger, to standard error, in place of the standard library's message.
    fn replaces_panic_message(&self, _logger: &str) -> bool {
        false
    }

    /// Whether it wants the spans of a trace.
    fn sampling(&self, _root: &TraceRoot) -> Sampling {
        Sampling::No
    }

    /// What another process gets of a trace, besides `traceparent`. `parent` is the process that the trace came from.
    fn trace_headers(&self, _trace: &TraceContext, _parent: Option<&RemoteParent>) -> Vec<TraceHeader> {
        Vec::new()
    }

    /// Takes an event.
    fn accept(&self, _event: &Redacted<Event<'_>>) {}

    /// Whether it redacts reports on a thread of its own, which saves the failing function that time.
    fn redacts_reports(&self) -> bool {
        false
    }

    /// Takes a report that is not redacted yet.
    fn accept_report(&self, report: RawErrorEvent) {
        report.redact(|event| self.accept(event));
    }

    /// Delivers everything accepted so far, until the deadline.
    ///
    /// # Errors
    /// What is not delivered, and why.
    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError>;

    /// Delivers everything accepted so far, for the last time. What is not delivered until the deadline is lost, and counted.
    ///
    /// # Errors
    /// What is not delivered, and why.
    fn flush_last(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        self.flush(deadline)
    }

    /// Called instead of [`flush_last`](Self::flush_last) if a flush was late just before: counts what is lost, and takes little
    /// time.
    fn give_up(&self, _deadline: Instant) {}

    /// The reason of a flush that did not end in time, with what to look at. `limit` says how long it was waited for.
    fn late(&self, limit: String) -> String {
        limit
    }

    /// What depends on the deliveries of other exporters. Called before all exporters are flushed; the returned function
    /// runs after that.
    fn after_flush(&self) -> Option<Box<dyn FnOnce() + Send + '_>> {
        None
    }

    /// Stops background deliveries, so that an exporter of a later initialisation can replace this one.
    fn close(&self) {}

    /// Measures what tells of the start of a command, so that a run that is killed is known. The returned function delivers
    /// it, on another thread, until a deadline.
    fn at_start(self: Arc<Self>) -> Option<StartFlush> {
        None
    }

    /// The reasons for which it drops data, so that their counters are there before they first step.
    fn drop_reasons(&self) -> &'static [&'static str] {
        &["panic"]
    }

    /// The queue length: events or requests that are accepted and not delivered yet.
    fn queued(&self) -> usize {
        0
    }
}

/// What another process gets of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceHeader {
    /// The name of the header.
    pub header: &'static str,
    /// The name of the environment variable.
    pub variable: &'static str,
    /// The value.
    pub value: String,
}

/// Delivers what was measured at the start of a command.
pub type StartFlush = Box<dyn FnOnce(Instant) -> Result<Flushed, FlushError> + Send>;

/// What a complete flush has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flushed {
    /// It has delivered: this is a success of the exporter.
    Delivered,
    /// There was nothing to deliver, or the exporter records each delivery itself.
    Nothing,
}

/// Why a flush is incomplete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sink}: {reason}")]
pub struct FlushError {
    /// The exporter's name.
    pub sink: &'static str,
    /// The reason.
    pub reason: String,
}

/// A little before the deadline of a flush, so that the reason for what is left is that of the exporter, and not that its flush was late.
#[cfg(any(feature = "otlp", feature = "sentry"))]
pub fn a_little_before(deadline: Instant) -> Instant {
    let now = Instant::now();
    clock::deadline(now, deadline.saturating_duration_since(now) / 20 * 19)
}

/// The reason of a delivery that its backend did not answer before the deadline of a flush.
pub fn no_answer_within(limit: Duration) -> String {
    format!("no answer within {} (OBS_FLUSH_TIMEOUT)", rounded(limit))
}

/// A time limit, rounded up, so that a reason with it stays the same over deliveries, and is warned of once.
pub fn rounded(limit: Duration) -> humantime::FormattedDuration {
    const STEP: Duration = Duration::from_millis(100);
    let step = if limit > Duration::from_secs(1) { Duration::from_secs(1) } else { STEP };
    let steps = limit.as_nanos().div_ceil(step.as_nanos());
    humantime::format_duration(u32::try_from(steps).map_or(limit, |steps| step.saturating_mul(steps)))
}

/// Keeps the program's own metrics, from the macros of the `metrics` crate, for an exporter. The label values of keys are
/// redacted, cut and bounded in number; the exporter makes names and labels safe for its protocol.
#[cfg(feature = "_user-metrics")]
pub trait UserMetrics: ::metrics::Recorder + Send + Sync {
    /// Compacts histograms. Called about once a second after the first histogram is registered.
    fn upkeep(&self) {}

    /// New warnings, for example about conflicting names. Each is returned once.
    fn take_warnings(&self) -> Vec<String>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_rounded_up() {
        for (limit, rounded) in
            [(0, "0s"), (1, "100ms"), (250, "300ms"), (1000, "1s"), (1001, "2s"), (1998, "2s"), (60_000, "1m")]
        {
            let reason = no_answer_within(Duration::from_millis(limit));
            assert_eq!(reason, format!("no answer within {rounded} (OBS_FLUSH_TIMEOUT)"));
        }
        assert!(no_answer_within(Duration::MAX).starts_with("no answer within "));
    }
}
