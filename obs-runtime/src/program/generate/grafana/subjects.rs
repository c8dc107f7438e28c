//! The dashboards of a program. A panel has data as soon as the program has run.

use std::collections::BTreeMap;

use crate::program::generate::declared::{Declared, Function};
use crate::program::generate::grafana::dashboard::{Dashboard, subject_of_command};
use crate::program::generate::grafana::panel::{Panel, number, series};
use crate::program::generate::prometheus::promql::quoted;

/// The series of what is chosen in the dashboard.
const ALL: &str = "{service=\"$service\",environment=~\"$environment\"}";

/// The same, with one more matcher.
fn of(matcher: &str) -> String {
    format!("{},{matcher}}}", ALL.trim_end_matches('}'))
}

/// The dashboards, sorted by subject. `job`: without panels of a running process, counted by days.
pub fn dashboards(declared: &Declared, job: bool) -> Vec<Dashboard> {
    let mut all = vec![overview(declared), telemetry()];
    all.extend(declared.commands.iter().map(command));
    if !declared.operations.is_empty() {
        all.push(operations(declared, job));
    }
    if !declared.costs.is_empty() {
        all.push(cost(declared));
    }
    if !declared.quality_checks.is_empty() {
        all.push(quality(declared));
    }
    if !declared.health_checks.is_empty() {
        all.push(health(declared));
    }
    for dashboard in &mut all {
        dashboard.panels.retain(|panel| !(job && panel.of_process));
    }
    all.sort_by(|left, right| left.subject.cmp(&right.subject));
    all
}

fn dashboard(subject: &str, title: &str, known_by: &str, panels: Vec<Panel>) -> Dashboard {
    Dashboard { subject: subject.to_owned(), title: title.to_owned(), known_by: known_by.to_owned(), panels }
}

/// A link to each runbook, with the names of those that have it.
fn runbooks<'a>(named: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Vec<(String, String)> {
    let mut by_url: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, runbook) in named {
        if let Some(url) = runbook {
            by_url.entry(url).or_default().push(name);
        }
    }
    by_url.into_iter().map(|(url, names)| (format!("Runbook: {}", names.join(", ")), url.to_owned())).collect()
}

fn of_functions(functions: &[Function]) -> Vec<(String, String)> {
    runbooks(functions.iter().map(|function| (function.name.as_str(), function.declaration.runbook)))
}

/// A quantile of a histogram whose calls are rare: of seven days, or of all calls if Prometheus has seen no growth in them.
fn rare_quantile(share: &str, family: &str, by: &str, selector: &str) -> String {
    let of = |buckets: &str| format!("histogram_quantile({share}, sum by ({by}) ({buckets}))");
    let buckets = format!("{family}_bucket{selector}");
    format!("{} >= 0\n  or {}", of(&format!("increase({buckets}[7d])")), of(&buckets))
}

/// What [`rare_quantile`] shows.
const RARE: &str = "Of seven days, or of all calls if Prometheus has seen none of these days begin.";

fn overview(declared: &Declared) -> Dashboard {
    let mut panels = vec![
        number("Versions", "none", format!("count by (version) (obs_build_info{ALL})"), "{{version}}"),
        number("What is declared", "none", format!("count by (kind) (obs_catalogue_info{ALL})"), "{{kind}}"),
        number("Owners", "none", format!("count by (owner) (obs_catalogue_info{ALL})"), "{{owner}}"),
    ];
    if !declared.commands.is_empty() {
        let since = format!("time() - max by (command) (cli_command_last_start_timestamp_seconds{ALL})");
        let code = format!("max by (command) (cli_command_last_exit_code{ALL})");
        panels.extend([
            number("Failed commands", "none", format!("sum(cli_command_last_exit_code{ALL} > bool 0)"), "failed"),
            number("Exit codes of the last runs", "none", code, "{{command}}"),
            number("Since the last start", "s", since, "{{command}}"),
        ]);
    }
    if !declared.quality_checks.is_empty() {
        let failed = format!("sum(data_quality_check_status{ALL} < bool 0.5)");
        panels.push(number("Failed data-quality checks", "none", failed, "failed"));
    }
    if !declared.health_checks.is_empty() {
        let unhealthy = format!("sum(health_check_status{ALL} < bool 0.5)");
        panels.push(number("Unhealthy", "none", unhealthy, "unhealthy"));
    }
    if !declared.costs.is_empty() {
        let spent = format!("sum(increase(bigquery_total_cost_usd_total{ALL}[1d]))");
        panels.push(number("Cost of a day", "currencyUSD", spent, "USD"));
    }
    panels.extend([
        series("Memory", "bytes", vec![(format!("process_resident_memory_bytes{ALL}"), "{{instance}}")]).of_process(),
        series(
            "CPU",
            "percentunit",
            vec![(format!("rate(process_cpu_seconds_total{ALL}[$__rate_interval])"), "{{instance}}")],
        )
        .of_process(),
        series("Open files", "short", vec![(format!("process_open_fds{ALL}"), "{{instance}}")]).of_process(),
    ]);
    dashboard("overview", "overview", "obs_build_info", panels)
}

fn command(function: &Function) -> Dashboard {
    let selector = of(&format!("command={}", quoted(&function.name)));
    let gauge = |family: &str| format!("cli_command_{family}{selector}");
    let mut durations = vec![(gauge("last_duration_seconds"), "{{instance}}")];
    let schedule = function.schedule;
    if schedule.is_some_and(|schedule| schedule.max_runtime.is_some()) {
        durations.push((format!("max({})", gauge("max_runtime_seconds")), "max_runtime"));
    }
    let mut panels = vec![
        number("Exit code of the last run", "none", gauge("last_exit_code"), "{{instance}}"),
        number("Failed in a row", "none", gauge("consecutive_failures"), "{{instance}}"),
        number(
            "Since the last start",
            "s",
            format!("time() - {}", gauge("last_start_timestamp_seconds")),
            "{{instance}}",
        ),
    ];
    if schedule.is_some_and(|schedule| schedule.every.is_some() || schedule.zone().is_some()) {
        let next = format!("{} - time()", gauge("next_run_timestamp_seconds"));
        panels.push(number("Until the next run", "s", next, "{{instance}}"));
    }
    panels.extend([
        series("Duration of the last run", "s", durations),
        series(
            "Duration, 95 %",
            "s",
            vec![(rare_quantile("0.95", "cli_command_duration_seconds", "le, outcome", &selector), "{{outcome}}")],
        )
        .described(RARE),
        series(
            "Runs of a day",
            "short",
            vec![
                (format!("sum(increase(cli_command_success_total{selector}[1d]))"), "ok"),
                (format!("sum by (outcome) (increase(cli_command_failure_total{selector}[1d]))"), "{{outcome}}"),
            ],
        ),
        series("Running", "short", vec![(gauge("running"), "{{instance}}")]).of_process(),
    ]);
    let runbook: Vec<_> =
        function.declaration.runbook.iter().map(|url| ("Runbook".to_owned(), (*url).to_owned())).collect();
    let panels = panels.into_iter().map(|panel| panel.linked(runbook.clone())).collect();
    let known_by = format!("obs_catalogue_info{{kind=\"command\",name={}}}", quoted(&function.name));
    dashboard(&subject_of_command(&function.name), &function.name, &known_by, panels)
}

fn operations(declared: &Declared, job: bool) -> Dashboard {
    // A job is seen once for each run: a rate over minutes would be zero nearly always.
    let (title, unit, function, window) =
        if job { ("of a day", "short", "increase", "1d") } else { ("per second", "ops", "rate", "$__rate_interval") };
    let growth = |family: &str| format!("{function}({family}{ALL}[{window}])");
    let calls = |what: &str, family: &str, by: &str, legend: &'static str| {
        series(&format!("{what} {title}"), unit, vec![(format!("sum by ({by}) ({})", growth(family)), legend)])
    };
    let duration = |percent: &str, share: &str| {
        let title = format!("Duration, {percent} %");
        if job {
            let query = rare_quantile(share, "operation_duration_seconds", "le, operation", ALL);
            return series(&title, "s", vec![(query, "{{operation}}")]).described(RARE);
        }
        let buckets = growth("operation_duration_seconds_bucket");
        let query = format!("histogram_quantile({share}, sum by (le, operation) ({buckets}))");
        series(&title, "s", vec![(query, "{{operation}}")])
    };
    let runbooks = of_functions(&declared.operations);
    let panels = vec![
        calls("Calls", "operation_success_total", "operation", "{{operation}}").linked(runbooks.clone()),
        calls("Failed calls", "operation_failure_total", "operation, outcome", "{{operation}} {{outcome}}")
            .linked(runbooks),
        duration("50", "0.5"),
        duration("95", "0.95"),
        series(
            "Calls in progress",
            "short",
            vec![(format!("sum by (operation) (operation_active{ALL})"), "{{operation}}")],
        )
        .of_process(),
    ];
    dashboard("operations", "operations", "obs_catalogue_info{kind=\"operation\"}", panels)
}

fn cost(declared: &Declared) -> Dashboard {
    let by_owner = format!(
        "sum by (owner) (sum by (service, environment, operation) (increase(bigquery_total_cost_usd_total{ALL}[1d]))\n  * on \
         (service, environment, operation) group_left (owner)\n  max by (service, environment, operation, owner) \
         (label_replace(obs_catalogue_info{}, \"operation\", \"$1\", \"name\", \"(.*)\")))",
        of("kind=\"operation\"")
    );
    let spent = |by: &str| format!("sum{by}(increase(bigquery_total_cost_usd_total{ALL}[1d]))");
    let alerts = format!("sum by (operation, reason) (increase(bigquery_cost_alert_total{ALL}[1d]))");
    let budgets =
        format!("max by (budget) (bigquery_budget_used_usd{ALL} / bigquery_budget_limit_usd{ALL}) or vector(0)");
    let panels = vec![
        number("Cost of a day", "currencyUSD", spent(""), "USD"),
        series("Cost of a day by owner", "currencyUSD", vec![(by_owner, "{{owner}}")]),
        series("Cost of a day by operation", "currencyUSD", vec![(spent(" by (operation) "), "{{operation}}")])
            .linked(of_functions(&declared.costs)),
        series("Cost alerts of a day", "short", vec![(alerts, "{{operation}} {{reason}}")]),
        series("Budgets, used", "percentunit", vec![(budgets, "{{budget}}")]),
    ];
    dashboard("cost", "BigQuery cost", "bigquery_total_cost_usd_total", panels)
}

fn quality(declared: &Declared) -> Dashboard {
    let count = |what: &str| format!("sum by (check) (increase(data_quality_check_{what}_total{ALL}[1d]))");
    let since = format!("time() - data_quality_check_last_run_timestamp_seconds{ALL}");
    let checks = declared.quality_checks.iter().map(|check| (check.name.as_str(), check.runbook));
    let panels = vec![
        number("Status", "percentunit", format!("data_quality_check_status{ALL}"), "{{check}} of {{dataset}}")
            .linked(runbooks(checks)),
        series("Values", "short", vec![(format!("data_quality_check_value{ALL}"), "{{check}} of {{dataset}}")]),
        number("Since the last run", "s", since, "{{check}} of {{dataset}}"),
        series(
            "Failed and errored in a day",
            "short",
            vec![(count("failed"), "{{check}} failed"), (count("errored"), "{{check}} errored")],
        ),
    ];
    dashboard("quality", "data quality", "obs_catalogue_info{kind=\"dq_check\"}", panels)
}

fn health(declared: &Declared) -> Dashboard {
    let checks = declared.health_checks.iter().map(|check| (check.name.as_str(), check.runbook));
    let duration = rare_quantile("0.95", "health_check_duration_seconds", "le, check", ALL);
    let panels = vec![
        number("Status", "percentunit", format!("health_check_status{ALL}"), "{{check}} on {{instance}}")
            .linked(runbooks(checks)),
        series("Duration, 95 %", "s", vec![(duration, "{{check}}")]).described(RARE),
    ];
    dashboard("health", "health", "obs_catalogue_info{kind=\"health_check\"}", panels)
}

fn telemetry() -> Dashboard {
    let none = |query: String| format!("{query} or vector(0)");
    let lost = none(format!("sum by (sink, reason) (increase(obs_dropped_total{ALL}[1h]))"));
    let failed = none(format!("sum by (sink) (increase(obs_flush_failed_total{ALL}[1h]))"));
    let since = format!("time() - max by (sink) (obs_last_success_timestamp_seconds{ALL})");
    let panels = vec![
        series("Lost within an hour", "short", vec![(lost, "{{sink}} {{reason}}")]),
        series("Failed deliveries within an hour", "short", vec![(failed, "{{sink}}")]),
        series(
            "Duration of the last delivery",
            "s",
            vec![(format!("max by (sink) (obs_flush_last_duration_seconds{ALL})"), "{{sink}}")],
        )
        .of_process(),
        number("Since the last delivery", "s", since, "{{sink}}").of_process(),
        series("Queued", "short", vec![(format!("sum by (sink) (obs_queue_length{ALL})"), "{{sink}}")]).of_process(),
    ];
    dashboard("telemetry", "obs itself", "obs_build_info", panels)
}
