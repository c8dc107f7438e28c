//! A number of bytes, and whether it is exact.

use std::fmt;

use serde::Serialize;

/// Whether a number of bytes is exact, a bound, or unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Figure {
    /// The number that BigQuery would report.
    Exact,
    /// The true number is this or less.
    UpperBound,
    /// No number can be given.
    Unknown {
        /// What is not known, and why.
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

/// A number of bytes together with its figure.
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

    /// The sum, which is exact if both are, and unknown if one is.
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

    /// The larger of two amounts; unknown if one is.
    pub(super) fn larger(self, other: Self) -> Self {
        match (self.bytes(), other.bytes()) {
            (Some(a), Some(b)) => Self::AtMost(a.max(b)),
            (None, _) => self,
            (_, None) => other,
        }
    }

    /// This many of the same amount, as an upper bound.
    pub(super) fn times(self, number: u64) -> Self {
        match self.bytes() {
            Some(bytes) => Self::AtMost(bytes.saturating_mul(number)),
            None => self,
        }
    }

    /// The amount without some bytes of it, as an upper bound.
    pub(super) fn minus(self, less: u64) -> Self {
        match self.bytes() {
            Some(bytes) => Self::AtMost(bytes.saturating_sub(less)),
            None => self,
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
