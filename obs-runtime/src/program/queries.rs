//! BigQuery queries at the end of a program.

#[cfg(feature = "bigquery")]
use crate::bigquery::client::{cancel, running};
#[cfg(feature = "bigquery")]
use crate::pipeline::global;

/// Cancels the queries that run, because the process is about to end, and counts what they cost. Takes at most half of the
/// flush timeout.
pub fn end() {
    #[cfg(feature = "bigquery")]
    if let Some(pipeline) = global::pipeline() {
        running::end(pipeline.config().flush_timeout / 2);
    }
}

/// Counts what cancelled queries cost, because obs is shut down. Takes at most half of the flush timeout.
pub fn finish() {
    #[cfg(feature = "bigquery")]
    if let Some(pipeline) = global::pipeline() {
        cancel::finish(pipeline.config().flush_timeout / 2);
    }
}
