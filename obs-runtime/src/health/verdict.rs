//! What a health check may say.

use std::fmt::{self, Display};

use serde::Serialize;

use crate::failure::shown;

/// How something is, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing was checked.
    Unknown,
    /// All is well.
    Healthy,
    /// It works, not as it should.
    Degraded,
    /// It does not work.
    Unhealthy,
}

impl Status {
    /// `healthy`, `degraded`, `unhealthy` or `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
        }
    }

    /// What a command says with its exit code: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Unhealthy => 2,
            Self::Unknown => 3,
        }
    }

    pub(super) const fn score(self) -> f64 {
        match self {
            Self::Healthy => 1.0,
            Self::Degraded => 0.5,
            Self::Unhealthy | Self::Unknown => 0.0,
        }
    }
}

impl Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What a health check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub(super) status: Status,
    pub(super) message: Option<String>,
}

impl Health {
    /// All is well.
    #[must_use]
    pub const fn healthy() -> Self {
        Self { status: Status::Healthy, message: None }
    }

    /// It works, not as it should.
    pub fn degraded(message: impl Into<String>) -> Self {
        Self { status: Status::Degraded, message: Some(message.into()) }
    }

    /// It does not work.
    pub fn unhealthy(message: impl Into<String>) -> Self {
        Self { status: Status::Unhealthy, message: Some(message.into()) }
    }
}

/// What a function under `#[health_check]` may return.
#[diagnostic::on_unimplemented(
    message = "a health check cannot return `{Self}`",
    label = "this says nothing about health",
    note = "return (), bool, Health, or a Result of these with an error that can be displayed"
)]
pub trait IntoHealth {
    /// What the value says.
    fn into_health(self) -> Health;
}

impl IntoHealth for Health {
    fn into_health(self) -> Health {
        self
    }
}

impl IntoHealth for () {
    fn into_health(self) -> Health {
        Health::healthy()
    }
}

impl IntoHealth for bool {
    fn into_health(self) -> Health {
        if self { Health::healthy() } else { Health { status: Status::Unhealthy, message: None } }
    }
}

impl<T: IntoHealth, E: Display> IntoHealth for Result<T, E> {
    fn into_health(self) -> Health {
        match self {
            Ok(value) => value.into_health(),
            // The alternate form of `anyhow` and `eyre` shows the sources as well.
            Err(error) => Health::unhealthy(shown(&format_args!("{error:#}"))),
        }
    }
}
