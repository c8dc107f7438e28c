//! The Sentry exporter, as the program configures it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::TlsConfig;

use crate::config::problem::ConfigError;
use crate::config::validated::Config;
use crate::exporters::http;
use crate::exporters::interface::Exporter;
use crate::exporters::sentry::connection::ConnectionOptions;
use crate::exporters::sentry::exporter::SentryExporter;
use crate::exporters::sentry::options::SentryOptions;
use crate::instrument::errors::logged;
use crate::pipeline::global;
use crate::pipeline::layer::log_capture;

/// The exporter, if it is enabled. From now on lines of the program are events, if the configuration says so.
pub fn exporter(config: &Config, options: SentryOptions) -> Result<Option<Arc<dyn Exporter>>, ConfigError> {
    let is_debug = config.sentry_debug;
    let on_delivery = move |duration: Duration, result: Result<(), String>| {
        if is_debug {
            log_delivery(duration, &result);
        }
        global::record_delivery("sentry", duration, result);
    };
    let exporter =
        SentryExporter::new(config, options, connection(config), Arc::new(on_delivery), Arc::new(global::redact_named));
    let exporter = exporter.map_err(|_| ConfigError::of_secret("SENTRY_DSN"))?;
    log_capture::set(config.sentry_events_from_logs.filter(|_| exporter.is_some()), logged::capture);
    Ok(exporter.map(|exporter| Arc::new(exporter) as Arc<dyn Exporter>))
}

/// How the server is reached.
pub fn connection(config: &Config) -> ConnectionOptions {
    let trusted = certificates(config).and_then(|(_, path)| trusted(&path).ok());
    ConnectionOptions { tunnel: config.sentry_tunnel.clone(), trusted }
}

/// The certificates that are trusted instead of the public ones: `SENTRY_CA_CERTS`, or `SSL_CERT_FILE` as other programs read it.
pub fn certificates(config: &Config) -> Option<(&'static str, PathBuf)> {
    let of_others = || std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let own = || config.sentry_ca_certs.clone().map(|path| ("SENTRY_CA_CERTS", path));
    let any = || own().or_else(|| of_others().map(|path| ("SSL_CERT_FILE", path)));
    config.sentry_enabled.then(any).flatten()
}

fn trusted(path: &Path) -> Result<TlsConfig, String> {
    std::fs::read(path).map_err(|error| error.to_string()).and_then(|pem| http::trusting(&pem))
}

/// Why the certificates that are to be trusted are not.
pub fn problem(config: &Config) -> Option<String> {
    let (name, path) = certificates(config)?;
    let problem = trusted(&path).err()?;
    Some(format!("{name}={}: {problem}; going on with the public certificates", path.display()))
}

/// Logs a delivery, for `SENTRY_DEBUG`.
fn log_delivery(duration: Duration, result: &Result<(), String>) {
    let result = result.as_ref().map_or_else(|failure| &**failure, |()| "the server has accepted an envelope");
    global::inform(format!("sentry: {result} ({} ms)", duration.as_millis()));
}
