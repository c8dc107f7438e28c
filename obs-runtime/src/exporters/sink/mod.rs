//! Exporters of a program's own: implement [`Sink`] and pass it to
//! [`ObservabilityBuilder::sink`](crate::ObservabilityBuilder::sink).

pub(crate) mod conversion;
pub(crate) mod definition;
pub(crate) mod event;
pub(crate) mod exporter;

pub use definition::{Sink, SinkError, SinkInitError};
pub use event::{EventKind, RedactedEvent, SinkCall, SinkFailure};
