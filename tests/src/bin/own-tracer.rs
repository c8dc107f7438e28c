//! A program with a tracer of its own, in one of several situations, by its first argument. Prints each span that the tracer exports
//! as a line of JSON.

use std::borrow::Cow;
use std::num::ParseIntError;
use std::time::Duration;

use obs_runtime::{
    FutureInContext as _, context_headers, dq_check, track_performance, tracked_command, with_error_tracking,
};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, Span as SdkSpan, SpanData, SpanExporter, SpanProcessor,
};
use serde_json::{Map, Value, json};
use tracing::{Instrument as _, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Prints spans.
#[derive(Debug)]
struct Printer;

impl SpanExporter for Printer {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let attributes = |attributes: &[KeyValue]| {
            attributes.iter().map(|of| (of.key.to_string(), of.value.to_string().into())).collect::<Map<_, _>>()
        };
        for span in batch {
            let events: Vec<_> = span
                .events
                .iter()
                .map(|event| json!({"name": event.name, "attributes": attributes(&event.attributes)}))
                .collect();
            let (parent, of_span) = (span.parent_span_id, &span.span_context);
            let nanos = span.end_time.duration_since(span.start_time).map(|took| took.as_nanos()).ok();
            println!(
                "{}",
                json!({
                    "trace": of_span.trace_id().to_string(), "id": of_span.span_id().to_string(), "name": span.name,
                    "parent": (parent != SpanId::INVALID).then(|| parent.to_string()), "kind": format!("{:?}", span.span_kind),
                    "status": format!("{:?}", span.status), "attributes": attributes(&span.attributes), "events": events,
                    "links": span.links.iter().count(), "is_over": nanos.is_some_and(|nanos| nanos > 0),
                })
            );
        }
        Ok(())
    }
}

/// Calls an annotated function in each span that the program begins by itself.
#[derive(Debug)]
struct Calling;

impl SpanProcessor for Calling {
    fn on_start(&self, span: &mut SdkSpan, _: &Context) {
        if span.exported_data().is_some_and(|data| data.name == "by the program") {
            leaf();
        }
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn tracer() -> SdkTracer {
    SdkTracerProvider::builder().with_simple_exporter(Printer).build().tracer("program")
}

/// Sets the provider for the whole program. Returns a tracer of it.
fn set_provider(sampler: Sampler) -> SdkTracer {
    let provider = SdkTracerProvider::builder().with_simple_exporter(Printer).with_sampler(sampler).build();
    global::set_tracer_provider(provider.clone());
    provider.tracer("program")
}

#[track_performance]
#[with_error_tracking(context(file = "a.csv", password = "hunter2"))]
fn fails() -> Result<(), ParseIntError> {
    "nine".parse::<u32>().map(drop)
}

/// Has the first span of `tracing`. From there on, obs knows of a layer of `tracing-opentelemetry`.
#[track_performance]
fn first() {
    tracing::info_span!("first of tracing").in_scope(|| ());
}

#[track_performance]
fn leaf() {
    tracing::info!("leaf");
}

/// Has a span of the program's tracer inside.
#[track_performance]
fn around_program_span(tracer: &SdkTracer) {
    tracer.in_span("by the program", |context| {
        leaf();
        context.span().set_attribute(KeyValue::new("rows", 7));
    });
}

#[track_performance]
async fn in_task() {
    tokio::task::yield_now().await;
    tracing::info_span!("tracing in task").in_scope(leaf);
    leaf_later().instrument(tracing::info_span!("tracing around")).await;
}

#[track_performance]
async fn leaf_later() {
    tokio::task::yield_now().await;
    leaf();
}

#[dq_check(dataset = "users", severity = "info")]
fn users_have_rows() -> u32 {
    7
}

fn headers() -> Map<String, Value> {
    context_headers().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

#[tracked_command(name = "job")]
async fn job(tracer: SdkTracer) {
    println!("{}", json!({"headers": headers()}));
    first();
    let _ = fails();
    around_program_span(&tracer);
    let task = tokio::spawn(in_task().in_current_context());
    task.await.expect("it does not panic");
    std::thread::scope(|scope| {
        let run = obs_runtime::ClosureInContext::in_current_context(leaf_in_thread);
        scope.spawn(run);
    });
    tracing::info_span!("never entered");
    obs_runtime::run_dq_checks().await;
}

#[track_performance]
fn leaf_in_thread() {}

/// The program moves a span of `tracing` to the trace of another process.
#[tracked_command]
fn moves() {
    let span = tracing::info_span!("tracing moved");
    let caller = SpanContext::new(TraceId::from(7), SpanId::from(7), TraceFlags::SAMPLED, true, TraceState::NONE);
    span.set_parent(Context::new().with_remote_span_context(caller)).expect("the layer knows it");
    span.in_scope(|| tracing::info_span!("tracing inside").in_scope(leaf));
}

#[tracked_command]
fn in_processor(tracer: &SdkTracer) {
    tracer.in_span("by the program", |_| ());
}

/// Has spans of all kinds, in a trace that is not sampled.
#[tracked_command]
async fn unsampled(tracer: SdkTracer) {
    println!("{}", json!({"headers": headers()}));
    tracing::info_span!("tracing").in_scope(leaf);
    tokio::task::yield_now().await;
    tracer.in_span("by the program", |_| leaf());
    let inside =
        async move { tracing::info_span!("tracing in task").in_scope(|| tracer.in_span("in task", |_| leaf())) };
    tokio::spawn(inside.in_current_context()).await.expect("it does not panic");
}

/// A call within a span of the program's tracer.
fn call_in_program_span(tracer: &SdkTracer) {
    let span = tracer.start("request");
    let context = Context::current_with_span(span);
    let _attached = context.attach();
    leaf();
    tracing::warn!("in the request");
}

/// The layer that exports spans of `tracing` by a tracer.
fn layer<S: Subscriber + for<'s> LookupSpan<'s>>(tracer: &SdkTracer) -> impl tracing_subscriber::Layer<S> {
    tracing_opentelemetry::layer().with_tracer(tracer.clone())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let situation = std::env::args().nth(1).map_or(Cow::Borrowed(""), Cow::Owned);
    let (tracer, is_own_registry) = match &*situation {
        "provider" => (set_provider(Sampler::AlwaysOn), false),
        "sampled-out" => (set_provider(Sampler::AlwaysOff), false),
        "processor" => {
            let provider =
                SdkTracerProvider::builder().with_simple_exporter(Printer).with_span_processor(Calling).build();
            global::set_tracer_provider(provider.clone());
            (provider.tracer("program"), false)
        }
        "provider-and-layer-above" | "moved-above" => {
            let tracer = set_provider(Sampler::AlwaysOn);
            registry().with(obs_runtime::layer()).with(layer(&tracer)).init();
            (tracer, true)
        }
        "provider-and-layer-below" | "moved-below" => {
            let tracer = set_provider(Sampler::AlwaysOn);
            registry().with(layer(&tracer)).with(obs_runtime::layer()).init();
            (tracer, true)
        }
        "layer-above" | "unsampled-above" => {
            let tracer = tracer();
            registry().with(obs_runtime::layer()).with(layer(&tracer)).init();
            (tracer, true)
        }
        "layer-below" | "unsampled-below" => {
            let tracer = tracer();
            registry().with(layer(&tracer)).with(obs_runtime::layer()).init();
            (tracer, true)
        }
        other => return Err(format!("no situation {other}").into()),
    };
    let builder = obs_runtime::Observability::builder().subscriber(!is_own_registry);
    let is_unsampled = situation.starts_with("unsampled");
    let _guard = if is_unsampled { builder.tracing_sample_rate(0.0) } else { builder }.init()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    match &*situation {
        "moved-above" | "moved-below" => moves(),
        "processor" => in_processor(&tracer),
        _ if is_unsampled => runtime.block_on(unsampled(tracer)),
        _ => {
            runtime.block_on(job(tracer.clone()));
            call_in_program_span(&tracer);
            let mut span = tracer.start("alone");
            span.end();
        }
    }
    Ok(())
}
