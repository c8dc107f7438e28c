//! What a health check may say.

use std::fmt::{self, Display};

use serde::Serialize;

use crate::checks::runner::details::Details;
use crate::events::failure::shown;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was not checked, on purpose.
    Skipped,
    /// There was nothing to check.
    Unknown,
    /// All is well.
    Healthy,
    /// It works, not as it should.
    Degraded,
    /// It does not work.
    Unhealthy,
}

impl Status {
    /// `healthy`, `degraded`, `unhealthy`, `unknown` or `skipped`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
        }
    }

    /// What a command says with its exit code: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown or skipped.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Unhealthy => 2,
            Self::Unknown | Self::Skipped => 3,
        }
    }

    /// As the gauge tells it; nothing of what was not checked.
    pub(super) const fn score(self) -> Option<f64> {
        match self {
            Self::Healthy => Some(1.0),
            Self::Degraded => Some(0.5),
            Self::Unhealthy => Some(0.0),
            Self::Unknown | Self::Skipped => None,
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
    pub(super) details: Option<Details>,
}

impl Health {
    /// All is well.
    #[must_use]
    pub const fn healthy() -> Self {
        Self { status: Status::Healthy, message: None, details: None }
    }

    /// It works, not as it should.
    pub fn degraded(message: impl Into<String>) -> Self {
        Self { status: Status::Degraded, message: Some(message.into()), details: None }
    }

    /// It does not work.
    pub fn unhealthy(message: impl Into<String>) -> Self {
        Self { status: Status::Unhealthy, message: Some(message.into()), details: None }
    }

    /// It was not checked, for this reason.
    pub(super) fn skipped(message: impl Into<String>) -> Self {
        Self { status: Status::Skipped, message: Some(message.into()), details: None }
    }

    /// With what else there is to tell, as JSON: texts in it are redacted, and more than 16 KiB is left out.
    ///
    /// ```
    /// use obs_runtime::Health;
    ///
    /// #[derive(serde::Serialize)]
    /// struct Pool {
    ///     free: u32,
    /// }
    /// let health = Health::degraded("few connections are free").with_details(&Pool { free: 2 });
    /// ```
    #[must_use]
    pub fn with_details(mut self, details: &impl Serialize) -> Self {
        self.details = Some(Details::new(details));
        self
    }
}

/// What a function under `#[health_check]` may return.
#[diagnostic::on_unimplemented(
    message = "a health check cannot return `{Self}`",
    label = "this says nothing about health",
    note = "return (), bool, Health, details as JSON, or a Result of these with an error that can be displayed"
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
        if self { Health::healthy() } else { Health { status: Status::Unhealthy, message: None, details: None } }
    }
}

/// All is well, and these are the details.
impl IntoHealth for serde_json::Value {
    fn into_health(self) -> Health {
        Health::healthy().with_details(&self)
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
