//! The monitors of a program.

use std::time::Duration;

use serde_json::json;

use crate::base::schedule::Schedule;
use crate::program::generate::datadog::monitor::{Monitor, plain};
use crate::program::generate::datadog::query::{LONGEST_WINDOW, count, grouped, scope, window};
use crate::program::generate::declared::{Declared, Function, longest_gap};

/// How late a run may start if its command declares no `margin`.
const MARGIN: Duration = Duration::from_mins(5);

/// Windows in which an objective's budget burns this many times too fast, and the priority of that.
const BURN_RATES: [(Duration, f64, u8); 2] = [(Duration::from_hours(1), 14.4, 2), (Duration::from_hours(6), 6.0, 3)];

/// Makes monitors.
#[derive(Debug)]
pub struct Monitors<'d> {
    pub declared: &'d Declared,
    /// The only environment that is looked at.
    pub env: Option<&'d str>,
    /// The owner of what declares none.
    pub owner: Option<String>,
    /// The runbook of what declares none.
    pub runbook: Option<&'d str>,
}

impl<'d> Monitors<'d> {
    /// All of them, sorted by what they belong to.
    ///
    /// # Errors
    /// If the time zone of a schedule is not known.
    pub fn all(&self) -> Result<Vec<Monitor<'d>>, String> {
        let mut all = Vec::new();
        for function in &self.declared.commands {
            all.extend(self.of_command(function)?);
        }
        for function in &self.declared.operations {
            all.extend(self.of_objective(function, "operation", ["operation.success", "operation.failure"]));
            all.extend(self.of_latency(function, "operation", "operation.duration.seconds"));
        }
        all.extend(self.of_costs());
        all.extend(self.of_quality());
        all.extend(self.of_health());
        all.push(self.of_dropped());
        Ok(all)
    }

    fn scope(&self, tags: &[(&str, &str)]) -> String {
        scope(self.declared, self.env, tags)
    }

    /// An alert on a query, grouped by environment unless one is given.
    fn alert(&self, name: String, priority: u8, query: String, critical: f64, text: String) -> Monitor<'d> {
        Monitor {
            name,
            kind: "query alert",
            query: query + &format!(" > {critical}"),
            text,
            priority,
            critical,
            owner: self.owner.clone(),
            runbook: self.runbook,
            options: vec![("require_full_window", false.into())],
        }
    }

    fn of_function(mut monitor: Monitor<'d>, function: &Function) -> Monitor<'d> {
        monitor.owner = function.declaration.owner.map(str::to_owned).or(monitor.owner);
        monitor.runbook = function.declaration.runbook.or(monitor.runbook);
        monitor
    }

    fn by<'b>(&self, more: &[&'b str]) -> Vec<&'b str> {
        let env = if self.env.is_none() { Some("env") } else { None };
        env.into_iter().chain(more.iter().copied()).collect()
    }

    fn of_command(&self, function: &Function) -> Result<Vec<Monitor<'d>>, String> {
        let (command, by) = (plain(&function.name), self.by(&[]));
        let scope = self.scope(&[("command", &function.name)]);
        let failed = count("cli.command.failure", &scope, &by);
        let failed = self.alert(
            format!("{command} failed"),
            2,
            format!("sum(last_15m):{failed}"),
            0.0,
            format!("{command} failed in {{{{env.name}}}} within the last 15 minutes."),
        );
        let mut monitors = vec![failed];
        if let Some(schedule) = &function.schedule {
            let gap = longest_gap(schedule)
                .ok_or_else(|| format!("{command}: the time zone {} is not known", schedule.timezone))?;
            let margin = schedule.margin.unwrap_or(MARGIN);
            let wait = gap.saturating_add(margin);
            if wait <= LONGEST_WINDOW {
                let started = count("cli.command.started", &scope, &by);
                let mut missed = self.alert(
                    format!("{command} did not run"),
                    1,
                    String::new(),
                    1.0,
                    format!(
                        "{command} has not started in {{{{env.name}}}} within {}, the longest time between two runs ({}) and its \
                         margin.",
                        humantime::format_duration(wait),
                        due(schedule),
                    ),
                );
                missed.query = format!("sum({}):{started} < 1", window(wait));
                missed.options.push(("on_missing_data", "default".into()));
                monitors.push(missed);
            }
            if let Some(limit) = schedule.max_runtime.filter(|limit| *limit <= LONGEST_WINDOW) {
                let mut late = self.alert(
                    format!("{command} runs too long"),
                    2,
                    format!("min({}):max:cli.command.running{{{scope}}}{}", window(limit), grouped(&by)),
                    0.0,
                    format!(
                        "{command} has been running in {{{{env.name}}}} for longer than {}.",
                        humantime::format_duration(limit)
                    ),
                );
                late.options = vec![("require_full_window", true.into())];
                monitors.push(late);
            }
        } else {
            // A run a day has no share of failures in an hour.
            monitors.extend(self.of_objective(function, "command", ["cli.command.success", "cli.command.failure"]));
        }
        monitors.extend(self.of_latency(function, "command", "cli.command.duration.seconds"));
        Ok(monitors.into_iter().map(|monitor| Self::of_function(monitor, function)).collect())
    }

    /// The budget of an objective burns too fast.
    fn of_objective(&self, function: &Function, label: &str, [success, failure]: [&str; 2]) -> Vec<Monitor<'d>> {
        let Some(slo) = function.declaration.slo else { return Vec::new() };
        let (name, by) = (plain(&function.name), self.by(&[]));
        let scope = self.scope(&[(label, &function.name)]);
        let (success, failure) = (count(success, &scope, &by), count(failure, &scope, &by));
        let allowed = f64::from(slo.may_fail_per_million());
        // A share above one never occurs.
        let windows = BURN_RATES.into_iter().filter(|(_, rate, _)| allowed * rate < 1e6);
        let monitor = |(over, rate, priority): (Duration, f64, u8)| {
            let limit = (allowed * rate).round() / 1e6;
            let hours = over.as_secs() / 3600;
            let text = format!(
                "{name} fails {rate} times as often in {{{{env.name}}}} as its objective of {slo} allows, over {hours} h."
            );
            let query = format!("sum({}):{failure} / ({success} + {failure})", window(over));
            let alert = self.alert(format!("{name} misses its objective over {hours} h"), priority, query, limit, text);
            Self::of_function(alert, function)
        };
        windows.map(monitor).collect()
    }

    /// More calls than the objective allows take too long. Datadog knows percentiles only of distributions for which they are enabled.
    fn of_latency(&self, function: &Function, label: &str, metric: &str) -> Option<Monitor<'d>> {
        let limit = function.declaration.slo_latency?;
        let percentile = function.declaration.slo.map_or(95.0, |slo| slo.percent().clamp(1.0, 99.99));
        let (name, scope) = (plain(&function.name), self.scope(&[(label, &function.name)]));
        let query = format!("percentile(last_1h):p{percentile}:{metric}{{{scope}}}{}", grouped(&self.by(&[])));
        let text = format!(
            "{percentile} % of the calls of {name} in {{{{env.name}}}} are to end within {}, over 1 h.",
            humantime::format_duration(limit)
        );
        let alert = self.alert(format!("{name} is slow"), 3, query, limit.as_secs_f64(), text);
        Some(Self::of_function(alert, function))
    }

    fn of_costs(&self) -> Vec<Monitor<'d>> {
        if self.declared.costs.is_empty() {
            return Vec::new();
        }
        let alerts = count("bigquery.cost_alert", &self.scope(&[]), &self.by(&["operation", "reason"]));
        let by = grouped(&self.by(&["budget"]));
        let budget = |part: &str| format!("max:bigquery.budget.{part}.usd{{{}}}{by}", self.scope(&[]));
        vec![
            self.alert(
                "queries cost too much".to_owned(),
                2,
                format!("sum(last_1h):{alerts}"),
                0.0,
                "Queries of {{operation.name}} have reached a limit ({{reason.name}}) within the last hour.".to_owned(),
            ),
            self.alert(
                "a budget is nearly used up".to_owned(),
                2,
                format!("max(last_15m):{} / {}", budget("used"), budget("limit")),
                0.9,
                "More than 90 % of the budget {{budget.name}} is used.".to_owned(),
            ),
        ]
    }

    fn of_quality(&self) -> Vec<Monitor<'d>> {
        let monitor = |check: &crate::program::generate::declared::QualityCheck| {
            // The name of each item follows in brackets, which tags do not have.
            let pattern = if check.for_each { format!("{}_", check.name) } else { check.name.clone() };
            let star = if check.for_each { "*" } else { "" };
            let scope = format!("{}{star}", self.scope(&[("check", &pattern)]));
            let by = self.by(&["check", "dataset"]);
            let of = |metric| count(metric, &scope, &by);
            let query =
                format!("sum(last_15m):{} + {}", of("data_quality.check.failed"), of("data_quality.check.errored"));
            let priority = match check.severity {
                "critical" => 2,
                "warning" => 3,
                _ => 4,
            };
            let text = format!(
                "The check {} of {{{{dataset.name}}}} failed, or could not be made, in {{{{env.name}}}} within the last 15 minutes.",
                plain(&check.name)
            );
            let name = format!("data-quality check {} failed", plain(&check.name));
            let mut alert = self.alert(name, priority, query, 0.0, text);
            alert.owner = check.owner.map(str::to_owned).or(alert.owner);
            alert.runbook = check.runbook.or(alert.runbook);
            alert
        };
        self.declared.quality_checks.iter().map(monitor).collect()
    }

    /// By service checks, which health checks are.
    fn of_health(&self) -> Vec<Monitor<'d>> {
        let monitor = |check: &crate::program::generate::declared::HealthCheck| {
            let scope = self.scope(&[("check", &check.name)]);
            let over: Vec<_> = scope.split(',').map(|tag| format!("\"{tag}\"")).collect();
            let by: Vec<_> = self.by(&["host"]).iter().map(|tag| format!("\"{tag}\"")).collect();
            let query =
                format!("\"health_check\".over({}).by({}).last(4).count_by_status()", over.join(","), by.join(","));
            Monitor {
                name: format!("health check {} fails", plain(&check.name)),
                kind: "service check",
                query,
                text: format!("The health check {} has failed three times in a row.", plain(&check.name)),
                priority: if check.critical { 1 } else { 3 },
                critical: 3.0,
                owner: check.owner.map(str::to_owned).or_else(|| self.owner.clone()),
                runbook: check.runbook.or(self.runbook),
                options: vec![("thresholds", json!({ "critical": 3, "warning": 1, "ok": 1 }))],
            }
        };
        self.declared.health_checks.iter().map(monitor).collect()
    }

    fn of_dropped(&self) -> Monitor<'d> {
        let dropped = count("obs.dropped", &self.scope(&[]), &self.by(&["sink", "reason"]));
        self.alert(
            "telemetry was dropped".to_owned(),
            3,
            format!("sum(last_1h):{dropped}"),
            0.0,
            "{{sink.name}} has dropped data within the last hour: {{reason.name}}.".to_owned(),
        )
    }
}

/// When a schedule is due. Its nickname begins with `@`, like a handle.
fn due(schedule: &Schedule) -> String {
    match schedule.every {
        Some(every) => format!("every {}", humantime::format_duration(every)),
        None => format!("{} in {}", schedule.five_fields(), schedule.timezone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::generate::sample;

    #[test]
    fn no_schedule_is_a_handle() {
        assert_eq!(due(&Schedule::new("@daily")), "0 0 * * * in UTC");
        assert_eq!(due(&Schedule::new("@every 10m").every_millis(600_000)), "every 10m");
        let declared = sample::declared();
        let monitors = Monitors { declared: &declared, env: None, owner: None, runbook: None }.all().unwrap();
        assert!(monitors.len() > 10);
        for monitor in monitors {
            assert!(!monitor.text.contains('@'), "{monitor:?}");
        }
    }
}
