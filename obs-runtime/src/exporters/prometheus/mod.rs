//! Prometheus: text formats, textfile and Pushgateway.

#[cfg(feature = "prometheus")]
pub(crate) mod ages;
#[cfg(feature = "prometheus")]
pub(crate) mod exposition;
#[cfg(feature = "prometheus")]
pub(crate) mod format;
#[cfg(feature = "prometheus")]
pub(crate) mod names;
#[cfg(feature = "prometheus")]
pub(crate) mod openmetrics;
#[cfg(feature = "prometheus")]
pub(crate) mod parse;
#[cfg(feature = "prometheus")]
pub(crate) mod pushgateway;
#[cfg(feature = "prometheus")]
pub(crate) mod rendered;
#[cfg(feature = "prometheus")]
pub(crate) mod text;
#[cfg(feature = "prometheus")]
pub(crate) mod textfile;
#[cfg(feature = "prometheus")]
pub(crate) mod textfile_error;
#[cfg(feature = "prometheus")]
pub(crate) mod textfile_exporter;
#[cfg(feature = "prometheus")]
pub(crate) mod user_metrics;
