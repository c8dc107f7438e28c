//! Sends the spans of sampled runs by OTLP.
//!
//! A bounded queue decouples the program from the server; the worker's thread sends what is in it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use crate::base::level::Level;
use crate::config::otlp_target::TraceSampler;
use crate::config::validated::Config;
use crate::events::active_span::{self, Roots};
use crate::events::event::{Event, Fact};
use crate::events::span::{Sampling, TraceRoot};
use crate::exporters::interface::{Exporter, FlushError, Flushed, Topic, a_little_before};
use crate::exporters::otlp::client::OtlpClient;
use crate::exporters::otlp::program_tracer;
use crate::exporters::otlp::rejection::Rejection;
use crate::exporters::otlp::resource::scope;
use crate::exporters::otlp::spans::{self, SpanItem};
use crate::exporters::otlp::stack_trace::StackTraces;
use crate::exporters::otlp::worker::{DROP_REASONS, Left, Worker};
use crate::redact::redactor::Redacted;

/// The exporter's name.
pub const NAME: &str = "otlp_traces";

/// Gets the duration and the result of each request.
pub type OnDelivery = Arc<dyn Fn(Duration, Result<(), String>) + Send + Sync>;

/// Sends spans.
pub struct TraceExporter {
    worker: Worker<SpanItem>,
    sampler: TraceSampler,
    keeps_errors: bool,
    url: String,
}

impl TraceExporter {
    /// An exporter that sends by that client. `on_delivery` gets the result of each request.
    pub fn new(client: OtlpClient, resource: Resource, config: &Config, on_delivery: OnDelivery) -> Self {
        let url = client.url().to_owned();
        let traces = StackTraces::new(config.flush_timeout / 4);
        let worker = Worker::new(NAME, SpanItem::size, move |items: &[SpanItem], deadline| {
            let spans = items.iter().map(|item| item.with_stack(&traces)).collect();
            let begun = Instant::now();
            let result = send(&client, &resource, spans, deadline);
            // Without their number: a reason that is new is warned of.
            let reason =
                |rejection: &Rejection| format!("spans not sent: {}", rejection.reason(client.url(), "TRACES"));
            on_delivery(begun.elapsed(), result.as_ref().copied().map_err(reason));
            result
        });
        Self { worker, sampler: config.trace_sampler(), keeps_errors: config.tracing_keep_errors, url }
    }
}

fn send(
    client: &OtlpClient,
    resource: &Resource,
    spans: Vec<Span>,
    deadline: Option<Instant>,
) -> Result<(), Rejection> {
    let scope_spans = ScopeSpans { scope: Some(scope()), spans, ..ScopeSpans::default() };
    let resource_spans =
        ResourceSpans { resource: Some(resource.clone()), scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    let request = ExportTraceServiceRequest { resource_spans: vec![resource_spans] };
    client.export(&request, deadline)
}

impl Exporter for TraceExporter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, topic: Topic, _: Level, _: &str) -> bool {
        topic == Topic::Report
    }

    fn wants_stack_traces(&self) -> bool {
        // Of errors in a recorded trace.
        active_span::current_span().is_some()
    }

    fn sampling(&self, root: &TraceRoot) -> Sampling {
        if let Some(is_sampled) = root.decision {
            return if is_sampled { Sampling::Yes } else { Sampling::No };
        }
        if self.sampler.samples(&root.trace, root.caller.as_ref()) {
            Sampling::Yes
        } else if self.keeps_errors {
            Sampling::IfFailed
        } else {
            Sampling::No
        }
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        let Fact::Traced(recorded) = &event.fact else { return };
        if let Some(program) = &recorded.elsewhere.begun {
            program_tracer::end(program, recorded, &event.context);
            return;
        }
        // Another exporter may want what this one does not.
        let sampling = self.sampling(&recorded.decided_by());
        if sampling == Sampling::Yes || sampling == Sampling::IfFailed && recorded.has_failed() {
            self.worker.send(spans::of_trace(recorded, &event.context));
        }
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        let Left { items, is_reported } = self.worker.flush(a_little_before(deadline));
        if items == 0 || is_reported {
            // Each request was recorded when the server answered.
            return Ok(Flushed::Nothing);
        }
        let reason = format!(
            "spans not sent to {}: no answer in time (OBS_FLUSH_TIMEOUT); is it the URL of a collector \
             (OTEL_EXPORTER_OTLP_ENDPOINT), and can this machine reach it?",
            self.url
        );
        Err(FlushError { sink: NAME, reason })
    }

    fn close(&self) {
        active_span::set_roots(Roots::Never);
        self.worker.close();
    }

    fn drop_reasons(&self) -> &'static [&'static str] {
        &DROP_REASONS
    }

    fn queued(&self) -> usize {
        self.worker.queued()
    }
}

impl fmt::Debug for TraceExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TraceExporter").field("url", &self.url).finish_non_exhaustive()
    }
}
