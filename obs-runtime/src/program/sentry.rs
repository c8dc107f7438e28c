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
    let is_debug = config.sentry_debug;
    let on_delivery = move |duration: Duration, result: Result<(), String>| {
        if is_debug {
            log_delivery(duration, &result);
        }
        record_delivery(duration, result);
    };
    let exporter = SentryExporter::new(config, options, Arc::new(on_delivery), Arc::new(global::redact_named));
    let exporter = exporter.map_err(|_| ConfigError::of_secret("SENTRY_DSN"))?;
    Ok(exporter.map(|exporter| Arc::new(exporter) as Arc<dyn Exporter>))
}

/// Logs a delivery, for `SENTRY_DEBUG`.
fn log_delivery(duration: Duration, result: &Result<(), String>) {
    let result = result.as_ref().map_or_else(|failure| &**failure, |()| "the server has accepted an envelope");
    global::inform(format!("sentry: {result} ({} ms)", duration.as_millis()));
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
