//! The exporters of OTLP, as the program configures them.

use std::sync::Arc;

use crate::config::otlp::{OtlpProtocol, OtlpSignal, Temporality};
use crate::config::validated::Config;
use crate::events::active_span::{self, Roots};
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::interface::Exporter;
use crate::exporters::log::shared_filter::SharedFilter;
use crate::exporters::otlp::client::OtlpClient;
use crate::exporters::otlp::exporter::{NAME, TraceExporter};
use crate::exporters::otlp::logs;
use crate::exporters::otlp::logs::LogsExporter;
use crate::exporters::otlp::metrics::{MetricsExporter, Settings};
use crate::exporters::otlp::resource::resource;
use crate::exporters::otlp::user_metrics;
use crate::pipeline::global;

/// The exporters of the signals that are enabled.
pub fn exporters(config: &Config, metrics: &Arc<MetricAggregator>, filter: &SharedFilter) -> Vec<Arc<dyn Exporter>> {
    [traces(config), self::metrics(config, metrics), logs(config, filter)].into_iter().flatten().collect()
}

/// The exporter of traces, if it is enabled.
fn traces(config: &Config) -> Option<Arc<dyn Exporter>> {
    let client = client(config, OtlpSignal::Traces)?;
    let sampler = config.trace_sampler();
    let begins_traces = sampler.rate > 0.0 || config.tracing_keep_errors || !sampler.parent_based;
    active_span::set_roots(if begins_traces { Roots::Always } else { Roots::Remote });
    let record = |duration, result| global::record_delivery(NAME, duration, result);
    Some(Arc::new(TraceExporter::new(client, resource(config), config, Arc::new(record))))
}

/// The exporter of metrics, if it is enabled.
fn metrics(config: &Config, metrics: &Arc<MetricAggregator>) -> Option<Arc<dyn Exporter>> {
    let client = client(config, OtlpSignal::Metrics)?;
    let settings = Settings {
        client,
        resource: resource(config),
        constant: vec![("service", config.service_name.clone()), ("environment", config.environment.clone())],
        interval: config.otel.metric_export_interval.duration(),
        timeout: config.otlp_target(OtlpSignal::Metrics).timeout,
        delta: config.otel.metrics_temporality != Temporality::Cumulative,
    };
    let metrics = Arc::clone(metrics);
    let record = |duration, result| global::record_delivery(user_metrics::NAME, duration, result);
    let source = Box::new(move || metrics.snapshot());
    Some(Arc::new(MetricsExporter::new(settings, source, Box::new(record), Box::new(global::warn))))
}

/// The exporter of log records, if it is enabled.
fn logs(config: &Config, filter: &SharedFilter) -> Option<Arc<dyn Exporter>> {
    let client = client(config, OtlpSignal::Logs)?;
    let record = |duration, result| global::record_delivery(logs::NAME, duration, result);
    Some(Arc::new(LogsExporter::new(client, resource(config), filter.clone(), config.log_sampling, Arc::new(record))))
}

/// A client for a signal, if it is to be exported.
pub fn client(config: &Config, signal: OtlpSignal) -> Option<OtlpClient> {
    let target = config.otlp_target(signal);
    if !config.exports_otlp(signal) || !is_supported(target.protocol) {
        return None;
    }
    let certificates = target.certificate.as_ref().and_then(|path| std::fs::read(path).ok());
    OtlpClient::new(target.clone(), certificates.as_deref()).or_else(|_| OtlpClient::new(target, None)).ok()
}

const fn is_supported(protocol: OtlpProtocol) -> bool {
    match protocol {
        OtlpProtocol::HttpProtobuf => true,
        OtlpProtocol::Grpc => cfg!(feature = "otlp-grpc"),
    }
}

/// What keeps a signal from being exported as configured.
pub fn problem(config: &Config, signal: OtlpSignal) -> Option<String> {
    let target = config.otlp_target(signal);
    if !is_supported(target.protocol) {
        return Some(format!(
            "OTEL_EXPORTER_OTLP_PROTOCOL={}: not supported without the feature otlp-grpc of obs-runtime, {} are not sent; \
             http/protobuf is",
            target.protocol,
            signal.path().trim_start_matches("v1/")
        ));
    }
    let path = target.certificate.clone()?;
    let problem = match std::fs::read(&path) {
        Ok(pem) => OtlpClient::new(target, Some(&pem)).err()?,
        Err(error) => error.to_string(),
    };
    Some(format!("OTEL_EXPORTER_OTLP_CERTIFICATE={}: {problem}; going on with the public certificates", path.display()))
}
