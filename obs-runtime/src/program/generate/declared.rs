//! What a program declares, sorted, as generators read it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::base::cron::Cron;
use crate::base::declaration::Declaration;
use crate::base::schedule::Schedule;
use crate::checks::quality::list;
use crate::metrics::callsite::CallsiteKind;
use crate::metrics::registry;

/// The most runs that are looked at for the longest gap: more than a year has minutes.
const MAX_RUNS: usize = 530_000;

/// Where the look at runs begins: the 1st of January 2026. A fixed time, so that the result is the same at any time.
const BEGIN: i64 = 1_767_225_600;

/// How far it goes: the longest gap of a schedule on the 29th of February is 8 years.
const YEARS: i64 = 9;

/// What a program declares.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// `SERVICE_NAME`.
    pub service: String,
    /// Functions with `#[tracked_command]`.
    pub commands: Vec<Function>,
    /// Functions with `#[track_performance]`.
    pub operations: Vec<Function>,
    /// Functions with `#[bq_cost]`.
    pub costs: Vec<Function>,
    /// Data-quality checks.
    pub quality_checks: Vec<QualityCheck>,
    /// Health checks.
    pub health_checks: Vec<HealthCheck>,
}

/// An annotated function. Several with one name are one.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// The name of the command or operation.
    pub name: String,
    /// Owner, runbook and objectives.
    pub declaration: Declaration,
    /// The schedule of a command.
    pub schedule: Option<Schedule>,
}

/// A data-quality check.
#[derive(Clone, Debug)]
pub struct QualityCheck {
    /// The name; of a check with `for_each`, that before the brackets.
    pub name: String,
    /// The data set, or empty.
    pub dataset: String,
    /// `info`, `warning` or `critical`.
    pub severity: &'static str,
    /// Whether it is one check for each item of a list.
    pub for_each: bool,
    /// The owner of the data.
    pub owner: Option<&'static str>,
    /// The page that says what to do.
    pub runbook: Option<&'static str>,
}

/// A health check.
#[derive(Clone, Debug)]
pub struct HealthCheck {
    /// The name.
    pub name: String,
    /// Whether its failure makes the program unhealthy.
    pub critical: bool,
    /// Who is responsible for what is checked.
    pub owner: Option<&'static str>,
    /// The page that says what to do.
    pub runbook: Option<&'static str>,
}

impl Declared {
    /// What the linked program declares, for the service of this name.
    pub fn of_program(service: String) -> Self {
        let some = |text: &'static str| (!text.is_empty()).then_some(text);
        let quality = |check: &crate::checks::quality::check::QualityCheck| QualityCheck {
            name: check.name().to_owned(),
            dataset: check.dataset_name().to_owned(),
            severity: check.severity.as_str(),
            for_each: check.is_for_each(),
            owner: some(check.owner),
            runbook: some(check.runbook),
        };
        let health = |check: &crate::checks::health::check::HealthCheck| HealthCheck {
            name: check.name().to_owned(),
            critical: check.is_critical(),
            owner: some(check.owner),
            runbook: some(check.runbook),
        };
        let mut quality_checks: Vec<_> = list::checks().iter().map(|check| quality(check)).collect();
        quality_checks.sort_by(|left, right| left.name.cmp(&right.name));
        quality_checks.dedup_by(|left, right| left.name == right.name);
        let mut health_checks: Vec<_> =
            crate::checks::health::list::checks().iter().map(|check| health(check)).collect();
        health_checks.sort_by(|left, right| left.name.cmp(&right.name));
        Self {
            service,
            commands: functions(CallsiteKind::Command),
            operations: functions(CallsiteKind::Operation),
            costs: functions(CallsiteKind::Cost),
            quality_checks,
            health_checks,
        }
    }

    /// All owners that are declared.
    pub fn owners(&self) -> BTreeSet<&'static str> {
        let functions = [&self.commands, &self.operations, &self.costs].into_iter().flatten();
        let owners = functions.map(|function| function.declaration.owner);
        let owners = owners.chain(self.quality_checks.iter().map(|check| check.owner));
        owners.chain(self.health_checks.iter().map(|check| check.owner)).flatten().collect()
    }

    /// The owner of what declares none: the one that everything else has, if there is only one.
    pub fn common_owner(&self) -> Option<&'static str> {
        let owners = self.owners();
        owners.first().copied().filter(|_| owners.len() == 1)
    }
}

/// The functions of a kind, by name. What several attributes of one name declare is put together.
fn functions(kind: CallsiteKind) -> Vec<Function> {
    let mut named: BTreeMap<&str, Function> = BTreeMap::new();
    let mut sites = registry::callsites();
    sites.retain(|site| site.function_name().is_some());
    sites.sort_by_key(|site| site.place());
    for site in &sites {
        if site.kind() == kind {
            let function = named.entry(site.name()).or_default();
            site.name().clone_into(&mut function.name);
            function.schedule = function.schedule.or(site.cron_schedule());
            function.declaration = function.declaration.or(site.declaration());
        }
    }
    // Owner and runbook may stand in another attribute of the function.
    for site in sites.iter().filter(|site| site.kind() != CallsiteKind::Command && kind != CallsiteKind::Command) {
        if let Some(function) = named.get_mut(site.name()) {
            let Declaration { owner, runbook, .. } = site.declaration();
            function.declaration = function.declaration.or(Declaration { owner, runbook, ..Declaration::NONE });
        }
    }
    named.into_values().collect()
}

/// The longest time between two runs of a schedule, over years and changes of the clock. `None` if the time zone is not known.
pub fn longest_gap(schedule: &Schedule) -> Option<Duration> {
    if let Some(every) = schedule.every {
        return Some(every);
    }
    let (cron, zone) = (Cron::parse(schedule.five_fields())?, schedule.zone()?);
    let begin = Timestamp::from_second(BEGIN).ok()?;
    let end = Timestamp::from_second(BEGIN + YEARS * 366 * 86_400).ok()?;
    let mut last = cron.next(begin, &zone)?;
    let mut longest = 0;
    for _ in 0..MAX_RUNS {
        let next = cron.next(last, &zone)?;
        longest = longest.max(next.as_second() - last.as_second());
        last = next;
        if last > end {
            break;
        }
    }
    Some(Duration::from_secs(longest.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_counts_weekends_short_months_and_changes_of_the_clock() {
        const HOUR: u64 = 3600;
        for (cron, zone, hours) in [
            ("0 3 * * *", "UTC", 24),
            ("0 3 * * *", "Europe/Berlin", 25),
            // There is no 02:30 on one day of the year.
            ("30 2 * * *", "Europe/Berlin", 47),
            ("0 3 * * 1-5", "UTC", 72),
            ("0 0 31 * *", "UTC", 61 * 24),
            ("0 0 29 2 *", "UTC", 1461 * 24),
        ] {
            let gap = longest_gap(&Schedule::new(cron).timezone(zone));
            assert_eq!(gap, Some(Duration::from_secs(hours * HOUR)), "{cron} {zone}");
        }
        let every = Schedule::new("@every 6h").every_millis(6 * HOUR * 1000);
        assert_eq!(longest_gap(&every), Some(Duration::from_secs(6 * HOUR)));
        assert_eq!(longest_gap(&Schedule::new("@daily").timezone("Nowhere/Else")), None);
    }
}
