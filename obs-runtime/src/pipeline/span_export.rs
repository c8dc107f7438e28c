//! Spans of `tracing` as spans of recorded traces.

use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::config::otlp::OtlpSignal;
use crate::config::validated::Config;
use crate::events::active_span::{Active, ActiveSpan, OpenSpan};
use crate::events::span::{Span, SpanDetails};
use crate::events::span_beginning::Beginning;
use crate::metrics::callsite::{SourceLocation, Tags};
use crate::pipeline::global;
use crate::pipeline::layer::checked_layer::CheckedLayer;
use crate::pipeline::layer::span_layer::{ClosedSpan, SpanFilter, SpanLayer, may_record};
use crate::pipeline::traces::{begin_root, emit};

/// The layer that records spans of `tracing`, by `TRACING_LEVEL`.
pub fn span_layer<S: tracing_core::Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    let enabled = |level: Level, target: &str| {
        global::pipeline().is_some_and(|pipeline| pipeline.config().tracing_level.enables(level, target))
    };
    let least = || global::pipeline()?.config().tracing_level.least();
    SpanLayer::new(begin, closed).with_filter(SpanFilter::new(enabled, least, wants_events))
}

/// The same without a filter of `tracing_subscriber`.
pub fn unfiltered_span_layer<S: tracing_core::Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    CheckedLayer::new(SpanLayer::new(begin, closed), |metadata| {
        let enabled =
            |config: &Config| config.tracing_level.enables(Level::from_tracing(*metadata.level()), metadata.target());
        may_record(metadata.is_span())
            && (metadata.is_span() || wants_events())
            && global::pipeline().is_some_and(|pipeline| enabled(pipeline.config()))
    })
}

/// Whether events are part of spans: they are where spans are exported and log records are not.
fn wants_events() -> bool {
    let wants = |config: &Config| config.exports_otlp(OtlpSignal::Traces) && !config.exports_otlp(OtlpSignal::Logs);
    global::pipeline().is_some_and(|pipeline| wants(pipeline.config()))
}

/// Begins the trace of a span that handles a request or a message.
fn begin(beginning: &Beginning) -> Result<OpenSpan, Active> {
    begin_root(beginning, None)
}

fn closed(closed: ClosedSpan<'_>) {
    let ClosedSpan { open, metadata, fields } = closed;
    let is_root = open.is_root();
    let OpenSpan { active: ActiveSpan { buffer, id }, parent, begun } = open;
    let place = metadata.module_path().zip(metadata.file()).zip(metadata.line());
    let place = place.map(|((module, file), line)| SourceLocation { module, file, line });
    // Those that are part of a trace do not say how they ended.
    let has_failed = is_root && fields.text("otel.status_code").is_some_and(|code| code.eq_ignore_ascii_case("error"));
    let name = fields.text("otel.name").filter(|_| is_root);
    let span = Span {
        id,
        parent,
        name: name.map_or(metadata.name().into(), |name| name.to_owned().into()),
        op: "span",
        attribute: "tracing",
        begun: begun.at(),
        ended: begun.end(),
        outcome: if has_failed { Outcome::Error } else { Outcome::Ok },
        calls: None,
        place,
        function: None,
        details: SpanDetails::of(fields.to_fields(), None),
    };
    emit(if is_root { buffer.end(span) } else { buffer.add(span) }, place, &Tags::new());
}
