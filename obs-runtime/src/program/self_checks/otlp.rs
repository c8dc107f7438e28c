//! Checks of the endpoints of OTLP.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use crate::base::clock;
use crate::checks::health::check::HealthCheck;
use crate::checks::health::status::Health;
use crate::config::otlp::OtlpSignal;
use crate::config::validated::Config;
use crate::exporters::otlp::client::OtlpClient;
use crate::exporters::otlp::rejection::Rejection;
use crate::exporters::otlp::request::OtlpRequest;
use crate::program::otlp::client;

/// A check for each signal that is exported. It sends a request without data, which an endpoint has to accept.
pub fn checks(config: &Config, timeout: Duration) -> Vec<HealthCheck> {
    let traces = client(config, OtlpSignal::Traces).map(|client| {
        HealthCheck::new("obs.otlp_traces", move || {
            accepts(&client, &ExportTraceServiceRequest::default(), "TRACES", timeout)
        })
    });
    let metrics = client(config, OtlpSignal::Metrics).map(|client| {
        HealthCheck::new("obs.otlp_metrics", move || {
            accepts(&client, &ExportMetricsServiceRequest::default(), "METRICS", timeout)
        })
    });
    let logs = client(config, OtlpSignal::Logs).map(|client| {
        HealthCheck::new("obs.otlp_logs", move || {
            accepts(&client, &ExportLogsServiceRequest::default(), "LOGS", timeout)
        })
    });
    [traces, metrics, logs].into_iter().flatten().collect()
}

/// Sends a request without data.
fn accepts(client: &OtlpClient, request: &impl OtlpRequest, signal: &str, timeout: Duration) -> Result<Health, String> {
    let deadline = clock::deadline(Instant::now(), timeout);
    match client.export(request, Some(deadline)) {
        Ok(()) => Ok(Health::healthy()),
        Err(rejection @ Rejection::RateLimited { .. }) => Ok(Health::degraded(rejection.reason(client.url(), signal))),
        Err(rejection) => Err(rejection.reason(client.url(), signal)),
    }
}
