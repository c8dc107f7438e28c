//! Prometheus: the text formats, the textfile of `node_exporter`, and the Pushgateway.

pub(crate) mod buffered_histogram;
pub(crate) mod earlier_layout;
pub(crate) mod exposition;
pub(crate) mod format;
pub(crate) mod names;
pub(crate) mod openmetrics;
pub(crate) mod parse;
pub(crate) mod pending_growth;
pub(crate) mod push_groups;
pub(crate) mod pushgateway;
pub(crate) mod rendered;
pub(crate) mod series_expiry;
pub(crate) mod shared_file;
pub(crate) mod text;
pub(crate) mod textfile;
pub(crate) mod textfile_error;
pub(crate) mod textfile_exporter;
pub(crate) mod user_metrics;
