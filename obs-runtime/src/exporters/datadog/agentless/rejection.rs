//! Why a request was not accepted, and what to do about it.

use std::time::Duration;

/// Why a request was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// There was no answer: the connection failed or timed out.
    Network(String),
    /// Datadog allows no more for now.
    RateLimited {
        /// When it allows more again, if it says so.
        reset: Option<Duration>,
    },
    /// Datadog cannot take the request for now.
    Unavailable {
        status: u16,
        /// When it can again, if it says so.
        retry_after: Option<Duration>,
    },
    /// The request is too large.
    TooLarge,
    /// The API key is not accepted.
    Forbidden { status: u16 },
    /// The request is not accepted.
    Refused {
        status: u16,
        /// What the server says; empty for nothing.
        message: String,
    },
    /// The answer is not one of Datadog.
    NotDatadog(String),
}

impl Rejection {
    /// Whether the same request may be accepted later.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Network(_) | Self::RateLimited { .. } | Self::Unavailable { .. } | Self::NotDatadog(_) => true,
            Self::TooLarge | Self::Forbidden { .. } | Self::Refused { .. } => false,
        }
    }

    /// When Datadog takes requests again, if it says so.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { reset: after } | Self::Unavailable { retry_after: after, .. } => *after,
            _ => None,
        }
    }

    /// The reason in `obs.dropped{reason="…"}`.
    pub const fn drop_reason(&self) -> &'static str {
        match self {
            Self::Network(_) => "network",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "unavailable",
            Self::TooLarge => "too_large",
            Self::Forbidden { .. } => "forbidden",
            Self::Refused { .. } => "refused",
            Self::NotDatadog(_) => "not_datadog",
        }
    }

    /// The cause and what to do. `url` is that of the API.
    pub fn reason(&self, url: &str) -> String {
        match self {
            Self::Network(error) => {
                format!(
                    "{url} cannot be reached: {error}; DATADOG_SITE names the site, DD_DD_URL another URL (HTTPS_PROXY is respected)"
                )
            }
            Self::RateLimited { reset: Some(reset) } => {
                format!("{url} limits the rate (429) for {} s; send less", reset.as_secs())
            }
            Self::RateLimited { reset: None } => format!("{url} limits the rate (429); send less"),
            Self::Unavailable { status, .. } => format!("{url} answers {status}; see the status of Datadog"),
            Self::TooLarge => format!("{url} rejects a request as too large (413)"),
            Self::Forbidden { status } => {
                format!(
                    "{url} answers {status}: it does not know the API key; compare DATADOG_API_KEY with DATADOG_SITE"
                )
            }
            Self::Refused { status, message } if message.is_empty() => format!("{url} answers {status}"),
            Self::Refused { status, message } => format!("{url} answers {status}: {message}"),
            Self::NotDatadog(answer) => {
                format!("{url} does not answer as Datadog does: {answer}; is DATADOG_SITE or DD_DD_URL right?")
            }
        }
    }
}
