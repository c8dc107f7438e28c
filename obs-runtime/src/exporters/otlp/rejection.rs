//! Why a request was not accepted, and what to do about it.

use std::time::Duration;

/// Why a request was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// There was no answer: the connection failed or timed out.
    Unreachable(String),
    /// The server allows no more for now.
    RateLimited {
        /// When it allows more again, if it says so.
        retry_after: Option<Duration>,
    },
    /// The server cannot take the request for now.
    Unavailable {
        /// The status.
        status: u16,
        /// When it can again, if it says so.
        retry_after: Option<Duration>,
    },
    /// The server does not take requests of this size.
    TooLarge,
    /// The server does not accept the request.
    Refused {
        /// The status.
        status: u16,
        /// What the server says; empty for nothing.
        message: String,
    },
    /// The server answers with a status of gRPC.
    #[cfg(feature = "otlp-grpc")]
    Status {
        /// The name of the status.
        code: &'static str,
        /// What the server says; empty for nothing.
        message: String,
        /// Whether the same request may be accepted later.
        is_retryable: bool,
        /// When, if it says so.
        retry_after: Option<Duration>,
    },
    /// The answer is not one of OTLP.
    NotOtlp(String),
    /// The server accepted a part of the request.
    Partial {
        /// How many items it rejected.
        rejected: u64,
        /// What the server says; empty for nothing.
        message: String,
    },
}

impl Rejection {
    /// Whether the same request may be accepted later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::RateLimited { .. } | Self::Unavailable { .. } => true,
            #[cfg(feature = "otlp-grpc")]
            Self::Status { is_retryable, .. } => *is_retryable,
            Self::TooLarge | Self::Refused { .. } | Self::NotOtlp(_) | Self::Partial { .. } => false,
        }
    }

    /// When the server takes requests again, if it says so.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after, .. } => *retry_after,
            #[cfg(feature = "otlp-grpc")]
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same, with what the server says in other words.
    #[must_use]
    pub fn with_words(mut self, words: impl FnOnce(&str) -> String) -> Self {
        match &mut self {
            Self::Refused { message, .. } | Self::Partial { message, .. } | Self::NotOtlp(message) => {
                *message = words(message);
            }
            #[cfg(feature = "otlp-grpc")]
            Self::Status { message, .. } => *message = words(message),
            Self::Unreachable(_) | Self::RateLimited { .. } | Self::Unavailable { .. } | Self::TooLarge => {}
        }
        self
    }

    /// The reason in `obs.dropped{reason="…"}`.
    pub const fn drop_reason(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "network",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "unavailable",
            Self::TooLarge => "too_large",
            Self::Refused { .. } => "refused",
            #[cfg(feature = "otlp-grpc")]
            Self::Status { is_retryable: true, .. } => "unavailable",
            #[cfg(feature = "otlp-grpc")]
            Self::Status { .. } => "refused",
            Self::NotOtlp(_) => "not_otlp",
            Self::Partial { .. } => "rejected",
        }
    }

    /// The cause and what to do. `url` is that of the requests; `signal` is `TRACES`, `METRICS` or `LOGS`.
    pub fn reason(&self, url: &str, signal: &str) -> String {
        let variables = format!("OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
        match self {
            // Of rustls, however it comes.
            Self::Unreachable(error) if error.contains("invalid peer certificate") => format!(
                "the certificate of {url} is not trusted: {error}; OTEL_EXPORTER_OTLP_CERTIFICATE can name a PEM file with \
                 that of its authority"
            ),
            Self::Unreachable(error) => {
                format!("{url} cannot be reached: {error}; does a collector listen there ({variables})?")
            }
            Self::RateLimited { .. } => {
                format!("{url} limits the rate (429); send less, or raise the limit of the server")
            }
            Self::Unavailable { status, .. } => {
                format!("{url} answers {status}; see the status or the log of the server")
            }
            Self::TooLarge => format!("{url} rejects the request as too large (413); raise the limit of the server"),
            Self::Refused { status: status @ (401 | 403), message } => format!(
                "{url} answers {status}{}; compare OTEL_EXPORTER_OTLP_HEADERS with the credentials that the server expects",
                said(message)
            ),
            Self::Refused { status: status @ (404 | 405), message } => format!(
                "{url} answers {status}{}; {variables} names no OTLP endpoint over HTTP: its port is usually 4318",
                said(message)
            ),
            Self::Refused { status, message } => {
                format!("{url} answers {status}{}; see the log of the server", said(message))
            }
            #[cfg(feature = "otlp-grpc")]
            Self::Status { code: code @ ("UNAUTHENTICATED" | "PERMISSION_DENIED"), message, .. } => format!(
                "{url} answers {code}{}; compare OTEL_EXPORTER_OTLP_HEADERS with the credentials that the server expects",
                said(message)
            ),
            #[cfg(feature = "otlp-grpc")]
            Self::Status { code: code @ "UNIMPLEMENTED", message, .. } => format!(
                "{url} answers {code}{}; {variables} names no OTLP endpoint over gRPC: its port is usually 4317",
                said(message)
            ),
            #[cfg(feature = "otlp-grpc")]
            Self::Status { code, message, .. } => {
                format!("{url} answers {code}{}; see the log of the server", said(message))
            }
            Self::NotOtlp(answer) => format!(
                "{url} does not answer as OTLP does: {answer}; {variables} is to name the HTTP port of a collector, usually 4318"
            ),
            Self::Partial { rejected, message } => {
                format!("{url} rejected {rejected} of them{}; see the log of the server", said(message))
            }
        }
    }
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}
