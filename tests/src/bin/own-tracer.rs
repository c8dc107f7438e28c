//! A program with a tracer of its own, in one of several situations, by its first argument. Prints each span that the tracer exports
//! as a line of JSON.

use std::borrow::Cow;
use std::num::ParseIntError;

use obs_runtime::{
    FutureInContext as _, context_headers, dq_check, track_performance, tracked_command, with_error_tracking,
};
use opentelemetry::trace::{Span as _, SpanId, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter};
use serde_json::{Map, json};
use tracing::{Instrument as _, Subscriber};
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

#[tracked_command(name = "job")]
async fn job(tracer: SdkTracer) {
    let headers: Map<_, _> =
        context_headers().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    println!("{}", json!({"headers": headers}));
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
        "provider-and-layer-above" => {
            let tracer = set_provider(Sampler::AlwaysOn);
            registry().with(obs_runtime::layer()).with(layer(&tracer)).init();
            (tracer, true)
        }
        "provider-and-layer-below" => {
            let tracer = set_provider(Sampler::AlwaysOn);
            registry().with(layer(&tracer)).with(obs_runtime::layer()).init();
            (tracer, true)
        }
        "layer-above" => {
            let tracer = tracer();
            registry().with(obs_runtime::layer()).with(layer(&tracer)).init();
            (tracer, true)
        }
        "layer-below" => {
            let tracer = tracer();
            registry().with(layer(&tracer)).with(obs_runtime::layer()).init();
            (tracer, true)
        }
        other => return Err(format!("no situation {other}").into()),
    };
    let _guard = obs_runtime::Observability::builder().subscriber(!is_own_registry).init()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(job(tracer.clone()));
    call_in_program_span(&tracer);
    let mut span = tracer.start("alone");
    span.end();
    Ok(())
}
