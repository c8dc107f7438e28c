//! The Datadog exporter, as the program configures it.

use std::sync::Arc;

use crate::config::validated::Config;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::datadog::exporter::{DatadogExporter, Settings};
use crate::exporters::interface::Exporter;
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::global;

/// The exporter, if it is enabled.
pub fn exporter(config: &Config, metrics: &Arc<MetricAggregator>) -> Option<Arc<dyn Exporter>> {
    if !config.datadog_enabled {
        return None;
    }
    let or = |text: &Option<String>, default: &String| text.as_ref().unwrap_or(default).clone();
    let settings = Settings {
        agent: config.datadog_agent(),
        interval: config.datadog_interval,
        service: or(&config.datadog_service, &config.service_name),
        env: or(&config.datadog_env, &config.environment),
        version: or(&config.datadog_version, &config.version),
        entity_id: config.datadog_entity_id.clone(),
        service_checks: config.datadog_service_checks,
        command_events: config.datadog_command_events,
        metrics: config.metrics_enabled,
    };
    let measured = config.metrics_enabled.then(|| Arc::clone(metrics));
    let source = move || measured.as_ref().map_or_else(Snapshot::default, |metrics| metrics.snapshot());
    Some(Arc::new(DatadogExporter::new(settings, Box::new(source), Box::new(global::warn))))
}
