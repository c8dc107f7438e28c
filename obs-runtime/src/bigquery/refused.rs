//! The error of a query that would cost too much.

use std::fmt;

use crate::bigquery::price::Price;
use crate::events::failure::ErrorKind;

/// A query was not run, because it would cost more than it may.
///
/// It bears the estimate, the limit that was in its way, and the query as it may leave: without its literals.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "refused before it ran: `{operation}` would cost ${:.6} ({} bytes) by this query, {limit}",
    estimate.usd,
    estimate.bytes_billed
)]
#[non_exhaustive]
pub struct CostRefused {
    /// The operation whose query it is: the scope that has the limit.
    pub operation: String,
    /// What the query would cost.
    pub estimate: Price,
    /// What it may not pass.
    pub limit: CostLimit,
    /// The query, without the literals that it holds; none where only its bytes were known.
    pub query: Option<Box<str>>,
}

/// What the cost of a query may not pass.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CostLimit {
    /// `max_usd` of a scope.
    Usd {
        /// The limit in US dollars.
        max_usd: f64,
        /// What the scope's other queries have cost, or are about to.
        used_usd: f64,
    },
    /// `max_bytes` of a scope, or of the query itself.
    Bytes {
        /// The limit in bytes billed.
        max_bytes: u64,
        /// What the scope's other queries were billed for, or are about to be.
        used_bytes: u64,
    },
    /// A budget.
    Budget {
        /// Its name.
        name: String,
        /// What it allows in one period, in US dollars.
        limit_usd: f64,
        /// What of it is spent, or held by queries that are running, in US dollars.
        used_usd: f64,
        /// The period that is meant: `2026-11-26`, `2026-W48`, `2026-11`.
        period: Box<str>,
    },
    /// A budget of that name is not defined: `OBS_BUDGETS`.
    UnknownBudget {
        /// Its name.
        name: String,
    },
    /// What is left of a budget could not be read or written.
    BudgetUnavailable {
        /// Its name.
        name: String,
        /// Why, with the file that is concerned.
        why: String,
    },
}

impl CostLimit {
    /// The label of `bigquery.cost_alert`: `limit`, `budget`, `budget_undefined` or `budget_unavailable`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Usd { .. } | Self::Bytes { .. } => "limit",
            Self::Budget { .. } => "budget",
            Self::UnknownBudget { .. } => "budget_undefined",
            Self::BudgetUnavailable { .. } => "budget_unavailable",
        }
    }

    /// The name of the budget, if it is one.
    #[must_use]
    pub fn budget(&self) -> Option<&str> {
        match self {
            Self::Usd { .. } | Self::Bytes { .. } => None,
            Self::Budget { name, .. } | Self::UnknownBudget { name } | Self::BudgetUnavailable { name, .. } => {
                Some(name)
            }
        }
    }
}

impl fmt::Display for CostLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usd { max_usd, used_usd } => {
                write!(formatter, "which is over its limit of ${max_usd} (${used_usd:.6} are used)")
            }
            Self::Bytes { max_bytes, used_bytes } => {
                write!(formatter, "which is over its limit of {max_bytes} bytes ({used_bytes} are used)")
            }
            Self::Budget { name, limit_usd, used_usd, period } => write!(
                formatter,
                "which is over what is left of the budget `{name}` for {period}: ${used_usd:.6} of ${limit_usd} are used"
            ),
            Self::UnknownBudget { name } => {
                write!(formatter, "and there is no budget `{name}`: define it, as OBS_BUDGETS=\"{name}=50USD/day\"")
            }
            Self::BudgetUnavailable { name, why } => {
                write!(formatter, "and the budget `{name}` cannot be read or written: {why}")
            }
        }
    }
}

impl ErrorKind for CostRefused {
    fn error_kind(&self) -> &'static str {
        "cost_refused"
    }
}
