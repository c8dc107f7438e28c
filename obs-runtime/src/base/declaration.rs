//! What an attribute declares for those who operate the program: owner, runbook and objectives.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// The share of calls that must succeed, as given in `slo = "99.5%"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Objective {
    may_fail_per_million: u32,
}

impl Objective {
    /// What may fail of a million calls: 5000 for 99.5 %.
    #[must_use]
    pub const fn may_fail_per_million(self) -> u32 {
        self.may_fail_per_million
    }

    /// The share as a percentage: 99.5.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(1_000_000_u32.saturating_sub(self.may_fail_per_million)) / 10_000.0
    }
}

/// `99.5%`.
impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent())
    }
}

/// As a percentage.
impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.percent())
    }
}

/// What an attribute declares for those who operate the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Declaration {
    /// The responsible team.
    pub owner: Option<&'static str>,
    /// Address of the page that says what to do.
    pub runbook: Option<&'static str>,
    /// The share of calls that must succeed, and end within `slo_latency`.
    pub slo: Option<Objective>,
    /// How long a call may take.
    pub slo_latency: Option<Duration>,
}

impl Declaration {
    /// Nothing.
    pub const NONE: Self = Self { owner: None, runbook: None, slo: None, slo_latency: None };

    /// Sets the objective by what may fail of a million calls.
    pub const fn set_slo(&mut self, may_fail_per_million: u32) {
        self.slo = Some(Objective { may_fail_per_million });
    }

    /// What is declared here, and of the rest what the other one declares.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            owner: self.owner.or(other.owner),
            runbook: self.runbook.or(other.runbook),
            slo: self.slo.or(other.slo),
            slo_latency: self.slo_latency.or(other.slo_latency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Declaration;

    #[test]
    fn objectives_are_shown_as_they_are_written() {
        for (parts, shown) in [(5000, "99.5%"), (10_000, "99%"), (1, "99.9999%"), (999_999, "0.0001%"), (300, "99.97%")]
        {
            let mut declaration = Declaration::NONE;
            declaration.set_slo(parts);
            assert_eq!(declaration.slo.unwrap().to_string(), shown);
        }
    }
}
