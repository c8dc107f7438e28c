//! Series that are known without any event: what the program is, what it declares, and what the operating system tells.

use std::collections::BTreeMap;

use crate::base::declaration::Declaration;
use crate::base::schedule::Schedule;
use crate::checks::quality::list;
use crate::checks::runner::details::shown_declared;
use crate::config::validated::Config;
use crate::exporters::aggregation::aggregator::SeriesSource;
use crate::exporters::aggregation::calls::labels;
use crate::metrics::callsite::CallsiteKind;
use crate::metrics::catalogue as family;
use crate::metrics::snapshot::SnapshotBuilder;
use crate::metrics::{process, registry};

/// The sources of these series.
pub fn sources(config: &Config) -> Vec<SeriesSource> {
    let sources: Vec<SeriesSource> = vec![
        build_info(config),
        Box::new(schedules),
        Box::new(declared),
        Box::new(quality_checks),
        Box::new(process_stats),
    ];
    #[cfg(feature = "bigquery")]
    let sources = sources.into_iter().chain([budgets(config)]).collect();
    sources
}

fn build_info(config: &Config) -> SeriesSource {
    let (version, commit) = (config.version.clone(), config.commit.clone().unwrap_or_default());
    Box::new(move |snapshot| {
        snapshot.number(&family::OBS_BUILD_INFO, labels(&[("version", &version), ("commit", &commit)]), 1.0);
    })
}

fn schedules(snapshot: &mut SnapshotBuilder) {
    for callsite in registry::callsites() {
        let Some(schedule) = callsite.cron_schedule() else { continue };
        let command = ("command", callsite.name());
        let told = labels(&[command, ("cron", schedule.cron), ("timezone", schedule.timezone)]);
        snapshot.number(&family::CLI_COMMAND_SCHEDULE_INFO, told, 1.0);
        if let Some(limit) = schedule.max_runtime {
            snapshot.number(&family::CLI_COMMAND_MAX_RUNTIME_SECONDS, labels(&[command]), limit.as_secs_f64());
        }
    }
}

/// One series for each declared command, operation and check. Attributes of one function with one name share it.
fn declared(snapshot: &mut SnapshotBuilder) {
    let mut named: BTreeMap<(&str, String), (Declaration, Option<Schedule>)> = BTreeMap::new();
    for site in registry::callsites().into_iter().filter(|site| site.function_name().is_some()) {
        let kind = if site.kind() == CallsiteKind::Command { "command" } else { "operation" };
        let (declaration, schedule) = named.entry((kind, site.name().to_owned())).or_default();
        *declaration = declaration.or(site.declaration());
        *schedule = schedule.or(site.cron_schedule());
    }
    for check in crate::checks::health::list::checks() {
        let (declaration, _) = named.entry(("health_check", check.name().to_owned())).or_default();
        declaration.owner = declaration.owner.or(Some(check.owner));
        declaration.runbook = declaration.runbook.or(Some(check.runbook));
    }
    for check in list::checks() {
        let (declaration, _) = named.entry(("dq_check", check.name().to_owned())).or_default();
        declaration.owner = declaration.owner.or(Some(check.owner));
        declaration.runbook = declaration.runbook.or(Some(check.runbook));
    }
    for ((kind, name), (declaration, schedule)) in named {
        let objective = declaration.slo.map(|slo| slo.to_string()).unwrap_or_default();
        let told = [
            ("kind", kind),
            ("name", &name),
            ("owner", shown_declared(declaration.owner.unwrap_or_default())),
            ("schedule", schedule.map(|schedule| schedule.cron).unwrap_or_default()),
            ("timezone", schedule.map(|schedule| schedule.timezone).unwrap_or_default()),
            ("slo", &objective),
            ("runbook", shown_declared(declaration.runbook.unwrap_or_default())),
        ];
        snapshot.number(&family::OBS_CATALOGUE_INFO, labels(&told), 1.0);
    }
}

/// The counters of declared checks as 0, before they run.
fn quality_checks(snapshot: &mut SnapshotBuilder) {
    for check in list::checks().iter().filter(|check| !check.is_for_each()) {
        let declared =
            [("check", check.name()), ("dataset", check.dataset_name()), ("severity", check.severity.as_str())];
        for family in [
            &family::DATA_QUALITY_CHECK_EXECUTED,
            &family::DATA_QUALITY_CHECK_PASSED,
            &family::DATA_QUALITY_CHECK_FAILED,
            &family::DATA_QUALITY_CHECK_ERRORED,
        ] {
            snapshot.number(family, labels(&declared), 0.0);
        }
    }
}

fn process_stats(snapshot: &mut SnapshotBuilder) {
    let Some(stats) = process::read() else { return };
    for (family, value) in [
        (&family::PROCESS_CPU_SECONDS, stats.cpu_seconds),
        (&family::PROCESS_RESIDENT_MEMORY_BYTES, stats.resident_bytes),
        (&family::PROCESS_OPEN_FDS, stats.open_fds),
        (&family::PROCESS_THREADS, stats.threads),
        (&family::PROCESS_START_TIME_SECONDS, stats.start_time),
    ] {
        snapshot.number(family, labels(&[]), value);
    }
}

#[cfg(feature = "bigquery")]
fn budgets(config: &Config) -> SeriesSource {
    use std::time::UNIX_EPOCH;

    use crate::bigquery::budget::budgets::local_budget_used;
    let limits: Vec<_> = config.budgets.iter().map(|budget| (budget.name.clone(), budget.usd)).collect();
    Box::new(move |snapshot| {
        for (name, limit) in &limits {
            let budget = || labels(&[("budget", name)]);
            let used = local_budget_used(name);
            snapshot.number(&family::BIGQUERY_BUDGET_LIMIT_USD, budget(), used.map_or(*limit, |(limit, ..)| limit));
            if let Some((_, used, held, until)) = used {
                let until = until.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
                snapshot.number(&family::BIGQUERY_BUDGET_PERIOD_END_TIMESTAMP_SECONDS, budget(), until);
                snapshot.number(&family::BIGQUERY_BUDGET_USED_USD, budget(), used);
                snapshot.number(&family::BIGQUERY_BUDGET_HELD_USD, budget(), held);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::health::check::HealthCheck;
    use crate::checks::quality::check::QualityCheck;

    #[test]
    fn checks_have_their_owner_and_runbook() {
        let page = "https://wiki.example/checks";
        let health = HealthCheck::new("known-health", || true).owner("storage").runbook(page).register();
        let quality = QualityCheck::new("known-quality", || true).owner("growth").runbook(page).register();
        let mut builder = SnapshotBuilder::default();
        declared(&mut builder);
        let snapshot = builder.finish();
        for (kind, name, owner) in
            [("health_check", "known-health", "storage"), ("dq_check", "known-quality", "growth")]
        {
            let told = [("kind", kind), ("name", name), ("owner", owner), ("runbook", page)];
            assert_eq!(snapshot.value("obs.catalogue.info", &told), Some(1.0), "{name}");
        }
        health.unregister();
        quality.unregister();
    }
}
