//! Where events go. A new sink is one file with one exhaustive `match` on [`Fact`](crate::events::event::Fact).

use std::time::Instant;

use crate::base::level::Level;
use crate::events::event::Event;
use crate::exporters::error_event::Sealed;
use crate::redact::redactor::Redacted;

/// What an event is about, as far as a sink decides by it whether it wants the event at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The start or end of one call of an annotated function (commands aside). There can be millions a second, and call
    /// sites count them by themselves.
    Call,
    /// A line that the program or a library logged.
    Log,
    /// Everything else: rare, and wanted by whoever measures.
    Fact,
    /// An error with all that is known of it, or a step on the way to one: for who tracks errors.
    Report,
}

/// A place to which events go.
///
/// A sink never blocks its caller, never returns an error to it and never calls back into the pipeline. What it has to
/// drop, it counts by reason with [`drops::count`](crate::metrics::drop_counters::count). Flushes are noted by the pipeline; a sink that
/// also delivers at other times notes these with [`delivery_stats::record`](crate::metrics::delivery_stats::record).
pub trait Exporter: Send + Sync {
    /// Its name, as in `obs.dropped{sink="…"}`.
    fn name(&self) -> &'static str;

    /// Whether it wants events of that topic and level by that logger. Asked before an event is made.
    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool;

    /// The least level at which it may want single calls or log lines, whatever the logger; `None` for never. Asked when
    /// it is installed, so that what nobody wants costs one comparison.
    fn least_level(&self) -> Option<Level>;

    /// Whether a report is worth more to it with the calls that led to the error.
    fn wants_stack_traces(&self) -> bool {
        false
    }

    /// Which share of runs, from 0 to 1, it wants to be told of call by call.
    fn trace_sample_rate(&self) -> f64 {
        0.0
    }

    /// Takes an event.
    fn accept(&self, event: &Redacted<Event<'_>>);

    /// Whether it opens reports on a thread of its own.
    fn opens_reports(&self) -> bool {
        false
    }

    /// Takes a report, of which it opens what it does not need at once where it sends it.
    fn accept_report(&self, report: Sealed) {
        report.open(|event| self.accept(event));
    }

    /// Brings everything taken so far to where it belongs, until the deadline at most.
    ///
    /// # Errors
    /// Says what could not be brought there.
    fn flush(&self, deadline: Instant) -> Result<(), FlushError>;

    /// Ends what it does by itself: nothing is sent any more, so that a sink that is made later takes its place.
    fn close(&self) {}

    /// What it has taken and not yet brought to where it belongs: events, or requests. Nothing for a sink without a queue.
    fn queued(&self) -> usize {
        0
    }
}

/// Why a sink could not bring everything to where it belongs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sink}: {reason}")]
pub struct FlushError {
    /// Which sink.
    pub sink: &'static str,
    /// Why.
    pub reason: String,
}

/// What an exporter keeps of the metrics that the program counts by the macros of the `metrics` crate. It is handed keys
/// whose label values are redacted, cut and bounded in number; names and labels are as the program gives them, and to be
/// made safe by the exporter.
#[cfg(feature = "_user-metrics")]
pub trait UserMetrics: ::metrics::Recorder + Send + Sync {
    /// Makes small what has gathered since. Called about once a second once there is a histogram.
    fn upkeep(&self) {}

    /// What a person should know of names that clash and the like: each text once.
    fn take_warnings(&self) -> Vec<String>;
}
