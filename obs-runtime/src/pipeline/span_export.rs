//! Spans of `tracing` as spans of recorded traces.

use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::base::clock;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::config::otlp::OtlpSignal;
use crate::config::validated::Config;
use crate::events::active_span::{ActiveSpan, OpenSpan};
use crate::events::event::{Details, Fact};
use crate::events::span::{Span, SpanDetails};
use crate::events::span_buffer;
use crate::exporters::interface::Topic;
use crate::metrics::callsite::SourceLocation;
use crate::pipeline::global;
use crate::pipeline::layer::checked_layer::CheckedLayer;
use crate::pipeline::layer::span_layer::{ClosedSpan, SpanFilter, SpanLayer};

/// The layer that records spans of `tracing`, by `TRACING_LEVEL`.
pub fn span_layer<S: tracing_core::Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    let enabled = |level: Level, target: &str| {
        global::pipeline().is_some_and(|pipeline| pipeline.config().tracing_level.enables(level, target))
    };
    let least = || global::pipeline()?.config().tracing_level.least();
    SpanLayer::new(closed).with_filter(SpanFilter::new(enabled, least, wants_events))
}

/// The same without a filter of `tracing_subscriber`.
pub fn unfiltered_span_layer<S: tracing_core::Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    CheckedLayer::new(SpanLayer::new(closed), |metadata| {
        let enabled =
            |config: &Config| config.tracing_level.enables(Level::from_tracing(*metadata.level()), metadata.target());
        span_buffer::any()
            && (metadata.is_span() || wants_events())
            && global::pipeline().is_some_and(|pipeline| enabled(pipeline.config()))
    })
}

/// Whether events are part of spans: they are where spans are exported and log records are not.
fn wants_events() -> bool {
    let wants = |config: &Config| config.exports_otlp(OtlpSignal::Traces) && !config.exports_otlp(OtlpSignal::Logs);
    global::pipeline().is_some_and(|pipeline| wants(pipeline.config()))
}

fn closed(closed: ClosedSpan<'_>) {
    let ClosedSpan { open: OpenSpan { active: ActiveSpan { buffer, id }, parent, begun }, metadata, fields } = closed;
    let place = metadata.module_path().zip(metadata.file()).zip(metadata.line());
    let place = place.map(|((module, file), line)| SourceLocation { module, file, line });
    let ended = buffer.add(Span {
        id,
        parent,
        name: metadata.name().into(),
        op: "span",
        attribute: "tracing",
        begun,
        ended: clock::wall(),
        outcome: Outcome::Ok,
        calls: None,
        place,
        function: None,
        details: SpanDetails::of(fields.to_fields(), None),
    });
    for ended in ended {
        let source = place.map(global::source).unwrap_or_default();
        global::emit(Topic::Report, Level::Info, source, |_| (Fact::Traced(Box::new(ended)), Details::default()));
    }
}
