//! The Sentry exporter, as the program configures it.

use std::sync::Arc;
use std::time::Duration;

use crate::config::problem::ConfigError;
use crate::config::validated::Config;
use crate::exporters::interface::Exporter;
use crate::exporters::sentry::exporter::SentryExporter;
use crate::exporters::sentry::options::SentryOptions;
use crate::metrics::delivery_stats;
use crate::pipeline::global;

/// The exporter, if it is enabled.
pub fn exporter(config: &Config, options: SentryOptions) -> Result<Option<Arc<dyn Exporter>>, ConfigError> {
    let exporter = SentryExporter::new(config, options, Arc::new(record_delivery));
    let exporter = exporter.map_err(|_| ConfigError::of_secret("SENTRY_DSN"))?;
    Ok(exporter.map(|exporter| Arc::new(exporter) as Arc<dyn Exporter>))
}

/// Records the result of a delivery, and warns when it failed for another reason than the one before.
fn record_delivery(duration: Duration, result: Result<(), String>) {
    let result = result.map_err(global::redact);
    let failure = result.clone().err();
    if delivery_stats::record("sentry", duration, result)
        && let Some(failure) = failure
    {
        global::warn(format!("sentry: {failure}"));
    }
}
