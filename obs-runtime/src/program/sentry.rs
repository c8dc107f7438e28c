//! The Sentry exporter, as the program configures it.

use std::sync::Arc;

use crate::config::problem::ConfigError;
use crate::config::validated::Config;
use crate::exporters::interface::Exporter;
use crate::exporters::sentry::exporter::SentryExporter;
use crate::exporters::sentry::options::SentryOptions;

/// The exporter, if it is enabled.
pub fn exporter(config: &Config, options: SentryOptions) -> Result<Option<Arc<dyn Exporter>>, ConfigError> {
    let exporter = SentryExporter::new(config, options).map_err(|_| ConfigError::of_secret("SENTRY_DSN"))?;
    Ok(exporter.map(|exporter| Arc::new(exporter) as Arc<dyn Exporter>))
}
