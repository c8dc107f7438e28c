//! The Sentry exporter, as the program configures it.

use std::sync::Arc;

use crate::config::problem::ConfigError;
use crate::config::validated::Config;
use crate::exporters::sentry::exporter::SentrySink;
use crate::exporters::sentry::options::SentryOptions;
use crate::exporters::sink::Sink;

/// The exporter, if it is enabled.
pub fn sink(config: &Config, options: SentryOptions) -> Result<Option<Arc<dyn Sink>>, ConfigError> {
    let sink = SentrySink::new(config, options).map_err(|_| ConfigError::of("SENTRY_DSN"))?;
    Ok(sink.map(|sink| Arc::new(sink) as Arc<dyn Sink>))
}
