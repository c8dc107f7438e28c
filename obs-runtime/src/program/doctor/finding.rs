//! One thing that `doctor` has looked at.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::pipeline::global;

/// How well something works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// It is not configured.
    Off,
    /// It works.
    Ok,
    /// It works in part, or is probably not meant so.
    Warning,
    /// It does not work.
    Problem,
}

impl Grade {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// What was found. Its texts are redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub subject: Cow<'static, str>,
    pub status: Grade,
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    fn new(subject: impl Into<Cow<'static, str>>, status: Grade, message: String, advice: Option<String>) -> Self {
        let advice = advice.filter(|advice| !advice.is_empty()).map(global::redact);
        Self { subject: subject.into(), status, message: global::redact(message), advice }
    }

    pub fn off(subject: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(subject, Grade::Off, message.into(), None)
    }

    pub fn ok(subject: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(subject, Grade::Ok, message.into(), None)
    }

    pub fn warning(
        subject: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(subject, Grade::Warning, message.into(), Some(advice.into()))
    }

    pub fn problem(
        subject: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(subject, Grade::Problem, message.into(), Some(advice.into()))
    }
}
