//! The error of a query that is refused for its cost.

use std::fmt;

use crate::base::ffi::link_own;
use crate::bigquery::price::Price;
use crate::events::error_kind::{ErrorKind, RegisteredKind};

/// A query was refused because it would exceed a limit, or cancelled because it has passed one.
///
/// Contains the estimate, the limit, and the query with its literals masked. [What to do](crate::guide::troubleshooting#query-refused).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", sentence(self))]
#[non_exhaustive]
pub struct CostRefused {
    /// The operation of the scope with the limit.
    pub operation: String,
    /// The estimated price.
    pub estimate: Price,
    /// The limit that the query would exceed.
    pub limit: CostLimit,
    /// The query with its literals masked; `None` if only its bytes were known.
    pub query: Option<Box<str>>,
}

fn sentence(refused: &CostRefused) -> String {
    let CostRefused { operation, estimate, limit, query: _ } = refused;
    match limit {
        CostLimit::SlotHoursPassed { .. } => format!("cancelled while it ran: a query of `{operation}`, {limit}"),
        limit => format!("refused before it ran: `{operation}` would {} by this query, {limit}", amount(estimate)),
    }
}

/// What a query would cost. In an edition only its bytes are known.
fn amount(estimate: &Price) -> String {
    let Price { usd, bytes_billed } = estimate;
    if *usd > 0.0 || *bytes_billed == 0 {
        format!("cost ${usd:.6} ({bytes_billed} bytes)")
    } else {
        format!("read {bytes_billed} bytes")
    }
}

/// A limit on the cost of queries.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CostLimit {
    /// `max_usd` of a scope.
    Usd {
        /// The limit, in US dollars.
        max_usd: f64,
        /// What other queries in the scope have cost or currently hold, in US dollars.
        used_usd: f64,
    },
    /// `max_bytes` of a scope or of the query.
    Bytes {
        /// The limit, in billed bytes.
        max_bytes: u64,
        /// The bytes billed for, or held by, other queries in the scope.
        used_bytes: u64,
    },
    /// `max_slot_hours` of a scope.
    SlotHours {
        /// The limit, in slot hours.
        max_slot_hours: f64,
        /// The slot time of other queries in the scope, in hours.
        used_slot_hours: f64,
    },
    /// `max_slot_hours` of a scope, which a running query has passed. It is cancelled.
    SlotHoursPassed {
        /// The limit, in slot hours.
        max_slot_hours: f64,
        /// The slot time of the queries in the scope, that of the cancelled one so far included, in hours.
        used_slot_hours: f64,
    },
    /// There is a limit in US dollars or a budget, and what a statement of this type costs is not configured
    /// (`BIGQUERY_STATEMENT_USD_PER_TIB`).
    UnknownPrice {
        /// The type of the statement, such as `CREATE_MODEL`.
        statement: String,
    },
    /// A budget.
    Budget {
        /// The name of the budget.
        name: String,
        /// The limit per period, in US dollars.
        limit_usd: f64,
        /// The amounts spent, and held by running queries, in US dollars.
        used_usd: f64,
        /// The period: `2026-11-26`, `2026-W48`, `2026-11`.
        period: Box<str>,
    },
    /// `OBS_BUDGETS` does not define the budget: [what to do](crate::guide::troubleshooting#budget-undefined).
    UnknownBudget {
        /// The name of the budget.
        name: String,
    },
    /// The store of the budget could not be read or written: [what to do](crate::guide::troubleshooting#budget-unavailable).
    BudgetUnavailable {
        /// The name of the budget.
        name: String,
        /// The error, with the affected file.
        why: String,
    },
}

impl CostLimit {
    /// The `reason` label of `bigquery.cost_alert`: `limit`, `budget`, `budget_undefined` or `budget_unavailable`.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Usd { .. }
            | Self::Bytes { .. }
            | Self::SlotHours { .. }
            | Self::SlotHoursPassed { .. }
            | Self::UnknownPrice { .. } => "limit",
            Self::Budget { .. } => "budget",
            Self::UnknownBudget { .. } => "budget_undefined",
            Self::BudgetUnavailable { .. } => "budget_unavailable",
        }
    }

    /// The name of the budget, if it is one.
    #[must_use]
    pub fn budget(&self) -> Option<&str> {
        match self {
            Self::Usd { .. }
            | Self::Bytes { .. }
            | Self::SlotHours { .. }
            | Self::SlotHoursPassed { .. }
            | Self::UnknownPrice { .. } => None,
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
            Self::SlotHours { max_slot_hours, used_slot_hours } => {
                write!(
                    formatter,
                    "which is over its limit of {max_slot_hours} slot hours ({used_slot_hours:.6} are used)"
                )
            }
            Self::SlotHoursPassed { max_slot_hours, used_slot_hours } => {
                write!(
                    formatter,
                    "which has passed its limit of {max_slot_hours} slot hours ({used_slot_hours:.6} are used)"
                )
            }
            Self::UnknownPrice { statement } => write!(
                formatter,
                "and its limit is in US dollars, but what {statement} costs is not known: set \
                 BIGQUERY_STATEMENT_USD_PER_TIB={statement}=… to its price per TiB"
            ),
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

link_own! { ErrorKinds COST_REFUSED = RegisteredKind::of::<CostRefused>() }
