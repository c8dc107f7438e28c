//! How much a line matters.

use std::fmt;

/// The level of a log line, from least to most important.
///
/// `tracing` knows five levels; [`Critical`](Self::Critical) is the framework's sixth and stands above `Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Finest detail.
    Trace,
    /// Detail for whoever looks for a fault.
    Debug,
    /// What a reader of the log wants to know of a normal run.
    Info,
    /// Something is off, the work goes on.
    Warning,
    /// Something failed.
    Error,
    /// Something failed that needs somebody at once.
    Critical,
}

impl Level {
    /// Every level, least important first.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name as it stands in a log line: `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR`, `CRITICAL`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// The level of that name in any case; `WARN` is `WARNING`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("warn") {
            return Some(Self::Warning);
        }
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(name))
    }

    /// The nearest level that `tracing` has; `Critical` becomes `ERROR`.
    #[must_use]
    pub const fn to_tracing(self) -> tracing_core::Level {
        match self {
            Self::Trace => tracing_core::Level::TRACE,
            Self::Debug => tracing_core::Level::DEBUG,
            Self::Info => tracing_core::Level::INFO,
            Self::Warning => tracing_core::Level::WARN,
            Self::Error | Self::Critical => tracing_core::Level::ERROR,
        }
    }
}

impl From<tracing_core::Level> for Level {
    fn from(level: tracing_core::Level) -> Self {
        match level {
            tracing_core::Level::TRACE => Self::Trace,
            tracing_core::Level::DEBUG => Self::Debug,
            tracing_core::Level::INFO => Self::Info,
            tracing_core::Level::WARN => Self::Warning,
            tracing_core::Level::ERROR => Self::Error,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
