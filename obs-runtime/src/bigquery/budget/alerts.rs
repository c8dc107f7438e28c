//! Alerts when the use of a budget passes 50, 80 and 100 %, each once per period, over all processes.

use crate::bigquery::budget::resolved::ResolvedBudget;
use crate::bigquery::budget::store::BudgetStoreError;
use crate::bigquery::scope;
use crate::bigquery::scope::{nanos, usd};
use crate::pipeline::global;

/// The parts of a limit that are alerted of, in percent.
const PERCENTS: [u8; 3] = [50, 80, 100];

/// Alerts if what is spent of a budget has passed one of [`PERCENTS`]. If several are passed at once, only of the highest.
pub fn alert(name: &str) {
    let Ok(resolved) = ResolvedBudget::named(name) else { return };
    match passed(&resolved) {
        Ok(Some((percent, spent))) => scope::budget_passed(&resolved.budget, &resolved.period, percent, spent),
        Ok(None) => {}
        Err(error) => global::warn(format!("whether the budget `{name}` needs an alert is not known: {error}")),
    }
}

/// The highest part that is passed and was not alerted of, and what is spent, in US dollars.
fn passed(resolved: &ResolvedBudget) -> Result<Option<(u8, f64)>, BudgetStoreError> {
    let name = &*resolved.budget.name;
    let spent = resolved.store.used(name, resolved.since)?.spent_nanos;
    let mut highest = None;
    for percent in PERCENTS {
        if is_passed(spent, nanos(resolved.budget.usd), percent)
            && resolved.store.alert_once(name, resolved.since, percent)?
        {
            highest = Some((percent, usd(spent)));
        }
    }
    Ok(highest)
}

fn is_passed(spent: u64, limit: u64, percent: u8) -> bool {
    limit > 0 && u128::from(spent).saturating_mul(100) >= u128::from(limit).saturating_mul(u128::from(percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_passed_when_it_is_reached() {
        assert!(is_passed(50, 100, 50) && !is_passed(49, 100, 50));
        assert!(is_passed(u64::MAX, u64::MAX, 100) && !is_passed(0, 0, 50));
    }
}
