//! Severity of log lines and errors.

use std::fmt;

/// The severity of a log line, least severe first.
///
/// `tracing` has five levels; [`Critical`](Self::Critical) is a sixth, above `Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// The most verbose level.
    Trace,
    /// Diagnostic detail.
    Debug,
    /// Progress of a normal run.
    Info,
    /// A problem that does not stop the work.
    Warning,
    /// A failure.
    Error,
    /// A failure that needs attention immediately.
    Critical,
}

impl Level {
    /// Every level, least severe first.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name as log lines contain it: `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.
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

    /// Parses a name, ignoring case. `WARN` is accepted for `WARNING`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("warn") {
            return Some(Self::Warning);
        }
        Self::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(name))
    }

    /// The corresponding level of `tracing`; `Critical` becomes `ERROR`.
    pub(crate) const fn to_tracing(self) -> tracing_core::Level {
        match self {
            Self::Trace => tracing_core::Level::TRACE,
            Self::Debug => tracing_core::Level::DEBUG,
            Self::Info => tracing_core::Level::INFO,
            Self::Warning => tracing_core::Level::WARN,
            Self::Error | Self::Critical => tracing_core::Level::ERROR,
        }
    }

    pub(crate) const fn from_tracing(level: tracing_core::Level) -> Self {
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
