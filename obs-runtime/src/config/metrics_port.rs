//! The port of the metrics endpoint.

use std::fmt;

/// The value of `PROMETHEUS_PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricsPort {
    /// This port; 0 means any free one.
    Port(u16),
    /// There is no endpoint, and no HTTP server.
    Off,
}

impl From<u16> for MetricsPort {
    fn from(port: u16) -> Self {
        Self::Port(port)
    }
}

/// As in the environment variable.
impl fmt::Display for MetricsPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => port.fmt(formatter),
            Self::Off => formatter.write_str("off"),
        }
    }
}
