//! The status of a health check, and what a check may return.

use std::fmt::{self, Display};

use serde::Serialize;

use crate::checks::runner::details::Details;
use crate::events::failure::shown;

/// The status of a health check, or of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// Not checked, on purpose.
    Skipped,
    /// Nothing to check.
    Unknown,
    /// Works.
    Healthy,
    /// Works with restrictions.
    Degraded,
    /// Does not work.
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

    /// The exit code of a command: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown or skipped.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Unhealthy => 2,
            Self::Unknown | Self::Skipped => 3,
        }
    }

    /// The value of the gauge; none if nothing was checked.
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

/// The result that a health check returns: a status, a message and details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub(super) status: Status,
    pub(super) message: Option<String>,
    pub(super) details: Option<Details>,
}

impl Health {
    /// The checked resource works.
    #[must_use]
    pub const fn healthy() -> Self {
        Self { status: Status::Healthy, message: None, details: None }
    }

    /// It works with restrictions.
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

    /// Why it does not work as it should, if so.
    #[cfg(all(feature = "bigquery", feature = "cli"))]
    pub(crate) fn restriction(self) -> Option<String> {
        self.message.filter(|_| self.status > Status::Healthy)
    }

    /// Adds details, serialised as JSON. Texts in them are redacted; details above 16 KiB are left out.
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

/// What a function with `#[health_check]` may return.
#[diagnostic::on_unimplemented(
    message = "a health check cannot return `{Self}`",
    label = "not a health check result",
    note = "return (), bool, Health, details as JSON, or a Result of these with an error that can be displayed"
)]
pub trait IntoHealth {
    /// Converts the value.
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

/// Healthy, with these details.
impl IntoHealth for serde_json::Value {
    fn into_health(self) -> Health {
        Health::healthy().with_details(&self)
    }
}

impl<T: IntoHealth, E: Display> IntoHealth for Result<T, E> {
    fn into_health(self) -> Health {
        match self {
            Ok(value) => value.into_health(),
            // The alternate form of `anyhow` and `eyre` includes the sources.
            Err(error) => Health::unhealthy(shown(&format_args!("{error:#}"))),
        }
    }
}
