//! The layout of JSON lines.

use std::fmt;

/// The names and places of fields in a JSON line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogLayout {
    /// Names of obs; the fields of an event beside them.
    Flat,
    /// Names of obs; the fields of an event in an object `fields`.
    Nested,
    /// Elastic Common Schema.
    Ecs,
    /// Structured logging of Google Cloud.
    Gcp,
    /// Reserved attributes of Datadog.
    Datadog,
    /// The log data model of OpenTelemetry: each line is a request of OTLP in JSON.
    Otel,
}

impl LogLayout {
    pub(crate) const ALL: [Self; 6] = [Self::Flat, Self::Nested, Self::Ecs, Self::Gcp, Self::Datadog, Self::Otel];

    /// The value of `LOG_LAYOUT`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Nested => "nested",
            Self::Ecs => "ecs",
            Self::Gcp => "gcp",
            Self::Datadog => "datadog",
            Self::Otel => "otel",
        }
    }
}

impl fmt::Display for LogLayout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The form of the time of a JSON line in the layouts flat, nested and datadog. The others define their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogTime {
    /// RFC 3339 in UTC, with microseconds.
    Rfc3339,
    /// Milliseconds since 1970, as a number.
    UnixMillis,
    /// Nanoseconds since 1970, as a number.
    UnixNanos,
}

impl LogTime {
    pub(crate) const ALL: [Self; 3] = [Self::Rfc3339, Self::UnixMillis, Self::UnixNanos];

    /// The value of `LOG_TIME`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Rfc3339 => "rfc3339",
            Self::UnixMillis => "unix_ms",
            Self::UnixNanos => "unix_ns",
        }
    }
}

impl fmt::Display for LogTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
