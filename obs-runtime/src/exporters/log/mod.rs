//! Log lines, as JSON or text, on standard error and in a file.

pub(crate) mod destination;
pub(crate) mod exporter;
pub(crate) mod fields;
pub(crate) mod json;
pub(crate) mod layout;
#[cfg(unix)]
pub(crate) mod log_device;
pub(crate) mod log_file;
pub(crate) mod log_output;
pub(crate) mod object_writer;
pub(crate) mod otel_line;
pub(crate) mod sampler;
pub(crate) mod shared_filter;
pub(crate) mod terminal_summary;
pub(crate) mod text;
pub(crate) mod timestamp;
