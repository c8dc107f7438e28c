//! `OBS_BUDGETS`: limits on the cost of queries for each day, week or month.

use std::fmt;

use crate::config::parse;
use crate::config::parse::Parsed;

/// A limit on the cost of queries in each period, for all processes that share a state folder.
///
/// ```
/// use obs_runtime::config::{Budget, BudgetPeriod};
///
/// let budget = Budget::new("marketing", 50.0, BudgetPeriod::Day);
/// assert_eq!(budget.to_string(), "marketing=50USD/day");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Budget {
    /// The name, as in `#[bq_cost(budget = "…")]`.
    pub name: String,
    /// The limit in US dollars.
    pub usd: f64,
    /// The period that the limit applies to.
    pub period: BudgetPeriod,
}

impl Budget {
    /// A limit of `usd` US dollars for each period.
    #[must_use]
    pub fn new(name: impl Into<String>, usd: f64, period: BudgetPeriod) -> Self {
        Self { name: name.into(), usd, period }
    }
}

/// The period of a budget, in the time zone of `OBS_BUDGET_TIMEZONE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BudgetPeriod {
    /// A calendar day.
    Day,
    /// A week, from Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

impl BudgetPeriod {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// `day`, `week` or `month`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}USD/{}", self.name, self.usd, self.period.as_str())
    }
}

/// Parses budgets such as `name=50USD/day`, separated by commas. Names must be unique.
pub fn parse(text: &str) -> Parsed<Vec<Budget>> {
    let mut budgets: Vec<Budget> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let budget = one(part)?;
        if budgets.iter().any(|other| other.name == budget.name) {
            return Err(None);
        }
        budgets.push(budget);
    }
    Ok(budgets)
}

fn one(text: &str) -> Parsed<Budget> {
    let (name, rest) = text.split_once('=').ok_or(None)?;
    let name = name.trim().to_owned();
    let (amount, period) = rest.split_once('/').ok_or_else(|| Some(format!("{name}={}/day", rest.trim())))?;
    let (amount, period) = (amount.trim(), period.trim());
    let digits = amount.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let currency = amount.strip_prefix(digits).unwrap_or_default();
    let number = digits.trim();
    let usd = parse::usd(number).map_err(|near| near.map(|usd| format!("{name}={usd}USD/{period}")))?;
    let known = BudgetPeriod::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(period));
    let period = known.ok_or_else(|| {
        let words = BudgetPeriod::ALL.map(BudgetPeriod::as_str);
        parse::nearest(period, words).map(|period| format!("{name}={usd}USD/{period}"))
    })?;
    if name.is_empty() || !currency.eq_ignore_ascii_case("USD") {
        return Err(Some(format!("{name}={usd}USD/{}", period.as_str())).filter(|_| !name.is_empty()));
    }
    Ok(Budget { name, usd, period })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_parsed() {
        let text = "daily-marketing=50USD/day, all = 1000.5 usd / Month,";
        let budgets = parse(text).unwrap();
        let written: Vec<_> = budgets.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["daily-marketing=50USD/day", "all=1000.5USD/month"]);
    }

    #[test]
    fn an_invalid_budget_is_rejected_with_a_suggestion() {
        assert_eq!(parse("a=50USD/days").unwrap_err().as_deref(), Some("a=50USD/day"));
        assert_eq!(parse("a=50/day").unwrap_err().as_deref(), Some("a=50USD/day"));
        assert_eq!(parse("a=50EUR/day").unwrap_err().as_deref(), Some("a=50USD/day"));
        assert_eq!(parse("a=$50USD/week").unwrap_err().as_deref(), Some("a=50USD/week"));
        assert_eq!(parse("a=50USD").unwrap_err().as_deref(), Some("a=50USD/day"));
        for wrong in ["a", "=5USD/day", "a=USD/day", "a=1USD/day,a=2USD/day"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
