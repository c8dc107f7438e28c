//! One real test event through each exporter.

use std::collections::BTreeMap;
use std::time::{Instant, SystemTime};

use crate::base::level::Level;
use crate::base::trace_context::TraceContext;
use crate::context::scope::LogContext;
use crate::events::event_id::EventId;
use crate::events::event_status::{self, EventStatus};
use crate::instrument::errors::capture::capture_message;
use crate::instrument::performance::track_performance;
use crate::metrics::delivery_stats;
use crate::metrics::delivery_stats::DeliveryStats;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::program::doctor::finding::Finding;

/// The operation that is recorded.
const OPERATION: &str = "obs.doctor";

/// Records an operation with a message and flushes. Returns what each exporter says of it; nothing if obs is not initialised.
pub fn send() -> Vec<Finding> {
    let Some(pipeline) = global::pipeline() else { return Vec::new() };
    let begun = SystemTime::now();
    // Sampled at any sampling rate.
    let trace = TraceContext::begin(None).with_sampled(true).to_string();
    let context = LogContext::from_headers(|name| (name == "traceparent").then_some(&*trace));
    let event =
        context.scope(|| track_performance(OPERATION, || capture_message(Level::Info, "a test event of `doctor`")));
    global::flush(FlushMode::Ongoing(Instant::now()));
    let delivered = delivery_stats::all();
    pipeline.queued().into_iter().map(|(sink, queued)| finding(sink, queued, begun, &delivered, event)).collect()
}

/// Whether Datadog's API is used in place of an agent, which confirms nothing.
fn uses_datadog_api() -> bool {
    cfg!(feature = "datadog-agentless")
        && global::pipeline().is_some_and(|pipeline| pipeline.config().datadog_agentless == Some(true))
}

fn finding(
    sink: &'static str,
    queued: usize,
    begun: SystemTime,
    delivered: &BTreeMap<&'static str, DeliveryStats>,
    event: Option<EventId>,
) -> Finding {
    let subject = format!("send to {}", sink.replace('_', " "));
    let delivery = delivered.get(sink).cloned().unwrap_or_default();
    if let Some(failure) = delivery.failure {
        return Finding::problem(subject, format!("the test event was not delivered: {failure}"), "");
    }
    let status = event.filter(|_| sink == "sentry").and_then(event_status::of);
    if let Some(EventStatus::NotSent(reason)) = &status {
        let advice = "SENTRY_SAMPLE_RATE, before_send or ignore_errors may drop it";
        return Finding::warning(subject, format!("the test event was not sent: {reason}"), advice);
    }
    if delivery.last_success.is_none_or(|at| at < begun) || status == Some(EventStatus::Queued) {
        let message = format!("nothing was confirmed; {queued} events wait");
        return Finding::warning(
            subject,
            message,
            "OBS_FLUSH_TIMEOUT may be too short, or a sampler drops the test event",
        );
    }
    Finding::ok(
        subject,
        match (sink, event) {
            ("sentry", Some(event)) => format!("accepted the event {event}"),
            ("datadog", _) if uses_datadog_api() => format!("accepted operation.success{{operation:{OPERATION}}}"),
            ("datadog", _) => format!("sent operation.success{{operation:{OPERATION}}}; the agent confirms nothing"),
            ("otlp_traces" | "otlp_logs", _) => format!("accepted the operation {OPERATION}"),
            ("textfile" | "pushgateway" | "otlp_metrics", _) => {
                format!("accepted operation.success{{operation=\"{OPERATION}\"}}")
            }
            _ => "delivered".to_owned(),
        },
    )
}
