//! A number of bytes, and how far it can be trusted.

use std::fmt;

use serde::Serialize;

/// How far a number of bytes can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Figure {
    /// What `BigQuery` itself would say.
    Exact,
    /// The true number is this or less.
    UpperBound,
    /// No number can be given.
    Unknown {
        /// What is not known, each named.
        why: Vec<String>,
    },
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => f.write_str("exact"),
            Self::UpperBound => f.write_str("upper bound"),
            Self::Unknown { .. } => f.write_str("unknown"),
        }
    }
}

/// A number of bytes together with its figure, so that the two cannot part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Amount {
    Exact(u64),
    AtMost(u64),
    Unknown(Vec<String>),
}

impl Amount {
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(vec![why.into()])
    }

    /// Both amounts together, as trustworthy as the less trustworthy of the two.
    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown(mut why), Self::Unknown(more)) => {
                for reason in more {
                    if !why.contains(&reason) {
                        why.push(reason);
                    }
                }
                Self::Unknown(why)
            }
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
            (Self::Exact(a), Self::Exact(b)) => Self::Exact(a.saturating_add(b)),
            (Self::Exact(a) | Self::AtMost(a), Self::Exact(b) | Self::AtMost(b)) => Self::AtMost(a.saturating_add(b)),
        }
    }

    /// The same number, no longer called exact.
    pub(super) fn at_most(self) -> Self {
        match self {
            Self::Exact(bytes) => Self::AtMost(bytes),
            other => other,
        }
    }

    pub(super) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Exact(bytes) | Self::AtMost(bytes) => Some(*bytes),
            Self::Unknown(_) => None,
        }
    }

    pub(super) fn figure(&self) -> Figure {
        match self {
            Self::Exact(_) => Figure::Exact,
            Self::AtMost(_) => Figure::UpperBound,
            Self::Unknown(why) => Figure::Unknown { why: why.clone() },
        }
    }
}
