//! tracing-opentelemetry: the traces of the program.

use obs_runtime::{Observability, SpanContext, child_env, context_headers, track_performance};
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use serde_json::{Value, json};
use tracing::{Subscriber, info, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::Result;
use crate::order::{Layers, Order, start_with};

struct Tracer(SdkTracerProvider);

impl Layers for Tracer {
    fn on<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(self) -> impl Layer<S> + Send + Sync {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("program"))
    }
}

#[track_performance(level = "info")]
fn traced_step() {
    info!("in the function");
}

/// As in the guide of obs.
fn current_span() -> Option<SpanContext> {
    let context = tracing::Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| SpanContext {
        trace_id: span.trace_id().to_bytes(),
        span_id: span.span_id().to_bytes(),
        is_sampled: span.is_sampled(),
    })
}

/// A trace of two spans, with lines in each of them and outside.
pub fn run(order: Order) -> Result<Value> {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let _guard = start_with(order, Observability::builder().trace_context(current_span), Tracer(provider))?;
    let mut left = Vec::new();
    info_span!("outer").in_scope(|| {
        info!("in the outer span");
        info_span!("inner").in_scope(|| {
            traced_step();
            left = vec![context_headers(), child_env()];
        });
    });
    info!("outside");
    let spans: Vec<SpanData> = exporter.get_finished_spans()?;
    let shown = |span: &SpanData| {
        let context = &span.span_context;
        json!({"name": span.name, "trace": context.trace_id().to_string(), "span": context.span_id().to_string(),
            "parent": span.parent_span_id.to_string()})
    };
    Ok(json!({"left": left, "spans": spans.iter().map(shown).collect::<Vec<_>>()}))
}
