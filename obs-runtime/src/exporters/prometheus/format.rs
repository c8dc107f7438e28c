//! The text formats that Prometheus accepts.

use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::{openmetrics, text};

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus' text format, version 0.0.4.
    Text,
    /// OpenMetrics 1.0, with exemplars.
    OpenMetrics,
}

impl Format {
    /// The content type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Renders an exposition in this format.
    #[must_use]
    pub fn render(self, exposition: &Exposition) -> String {
        match self {
            Self::Text => text::write(exposition),
            Self::OpenMetrics => openmetrics::write(exposition),
        }
    }
}
