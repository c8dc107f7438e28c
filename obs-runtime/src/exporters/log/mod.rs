//! Log lines: JSON or text on standard error, JSON in a file.

pub(crate) mod exporter;
pub(crate) mod file;
pub(crate) mod json;
pub(crate) mod level;
pub(crate) mod object;
pub(crate) mod sampler;
pub(crate) mod terminal_summary;
pub(crate) mod text;
pub(crate) mod timestamp;
pub(crate) mod writer;
