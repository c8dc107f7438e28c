//! `generate grafana`: a dashboard for each subject that the program has.

use serde_json::{Value, json};

use crate::program::generate::declared::Declared;
use crate::program::generate::prometheus::promql::quoted;
use crate::program::generate::target::{GeneratedFile, Target, file_name, pretty_json};

/// Arguments of `generate grafana`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct GrafanaOptions {
    /// The address of the logs of a run, with `{correlation_id}` where its id belongs.
    #[arg(long, value_name = "URL")]
    logs_url: Option<String>,
}

/// A panel: its title, unit, kind and queries, each with its legend.
struct Panel {
    title: String,
    unit: &'static str,
    kind: &'static str,
    queries: Vec<(String, &'static str)>,
    link: Option<(&'static str, String)>,
}

/// A dashboard.
struct Dashboard {
    subject: &'static str,
    title: &'static str,
    panels: Vec<Panel>,
}

/// The matchers that every query has: of the service, and of the variable for the environment.
fn of(declared: &Declared, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!(",{more}") };
    format!("{{service={},environment=~\"$environment\"{more}}}", quoted(&declared.service))
}

fn series(title: &str, unit: &'static str, queries: Vec<(String, &'static str)>) -> Panel {
    Panel { title: title.to_owned(), unit, kind: "timeseries", queries, link: None }
}

fn number(title: &str, unit: &'static str, query: String, legend: &'static str) -> Panel {
    Panel { title: title.to_owned(), unit, kind: "stat", queries: vec![(query, legend)], link: None }
}

impl Target for GrafanaOptions {
    const NAME: &'static str = "grafana";

    fn files(&self, declared: &Declared) -> Result<Vec<GeneratedFile>, String> {
        let mut files = Vec::new();
        for dashboard in dashboards(declared) {
            let name = format!("{}.dashboard.json", dashboard.subject);
            let text = pretty_json(&self.dashboard(declared, &dashboard))?;
            files.push(GeneratedFile::of(declared, &name, text));
        }
        Ok(files)
    }
}

impl GrafanaOptions {
    fn dashboard(&self, declared: &Declared, dashboard: &Dashboard) -> Value {
        const WIDTH: usize = 12;
        const HEIGHT: usize = 8;
        let panels: Vec<Value> = (dashboard.panels.iter().enumerate())
            .map(|(index, panel)| {
                let place = json!({"x": index % 2 * WIDTH, "y": index / 2 * HEIGHT, "w": WIDTH, "h": HEIGHT});
                panel_json(index, panel, &place)
            })
            .collect();
        let links: Vec<Value> = self.logs_url.iter().map(|url| link("Logs", url)).collect();
        json!({
            "uid": uid(declared, dashboard.subject),
            "title": format!("{}: {}", declared.service, dashboard.title),
            "tags": ["obs", declared.service],
            "schemaVersion": 41,
            "editable": true,
            "refresh": "1m",
            "time": {"from": "now-24h", "to": "now"},
            "links": links,
            "templating": {"list": variables(declared)},
            "panels": panels,
        })
    }
}

/// The identity of a dashboard, at most 40 characters.
pub fn uid(declared: &Declared, subject: &str) -> String {
    format!("obs-{}-{subject}", file_name(&declared.service)).chars().take(40).collect()
}

fn link(title: &str, url: &str) -> Value {
    json!({
        "title": title, "url": url, "type": "link", "targetBlank": true, "asDropdown": false, "icon": "external link",
        "includeVars": false, "keepTime": true, "tags": [], "tooltip": "",
    })
}

fn variables(declared: &Declared) -> Value {
    let environments = format!("label_values(obs_build_info{{service={}}}, environment)", quoted(&declared.service));
    json!([
        {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus"},
        {
            "type": "query", "name": "environment", "label": "Environment", "query": environments, "refresh": 2,
            "includeAll": true, "multi": true, "allValue": ".*", "current": {"text": "All", "value": "$__all"},
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
        },
    ])
}

fn panel_json(index: usize, panel: &Panel, place: &Value) -> Value {
    let source = json!({"type": "prometheus", "uid": "${datasource}"});
    let targets: Vec<Value> = (panel.queries.iter().zip('A'..='Z'))
        .map(|((query, legend), letter)| {
            let is_series = panel.kind == "timeseries";
            json!({
                "refId": letter.to_string(), "expr": query, "legendFormat": legend, "datasource": source,
                "range": is_series, "instant": !is_series, "exemplar": is_series && query.contains("_bucket"),
            })
        })
        .collect();
    let links: Vec<Value> = panel.link.iter().map(|(title, url)| link(title, url)).collect();
    json!({
        "id": index + 1,
        "type": panel.kind,
        "title": panel.title,
        "gridPos": place,
        "datasource": source,
        "targets": targets,
        "links": links,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "options": {},
    })
}

fn dashboards(declared: &Declared) -> Vec<Dashboard> {
    let mut all = vec![overview(declared), telemetry(declared)];
    if !declared.commands.is_empty() {
        all.push(commands(declared));
    }
    if !declared.operations.is_empty() {
        all.push(operations(declared));
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
    all.sort_by_key(|dashboard| dashboard.subject);
    all
}

fn overview(declared: &Declared) -> Dashboard {
    let all = of(declared, "");
    let mut panels = vec![
        number("Versions", "none", format!("count by (version) (obs_build_info{all})"), "{{version}}"),
        number("What is declared", "none", format!("count by (kind) (obs_catalogue_info{all})"), "{{kind}}"),
        number("Owners", "none", format!("count by (owner) (obs_catalogue_info{all})"), "{{owner}}"),
        series("Memory", "bytes", vec![(format!("process_resident_memory_bytes{all}"), "{{instance}}")]),
    ];
    if !declared.commands.is_empty() {
        panels.push(number(
            "Failed commands",
            "none",
            format!("sum(cli_command_last_exit_code{all} > bool 0)"),
            "failed",
        ));
    }
    Dashboard { subject: "overview", title: "overview", panels }
}

fn commands(declared: &Declared) -> Dashboard {
    let mut panels = Vec::new();
    for command in &declared.commands {
        let selector = of(declared, &format!("command={}", quoted(&command.name)));
        let link = command.declaration.runbook.map(|url| ("Runbook", url.to_owned()));
        let title = |what: &str| format!("{}: {what}", command.name);
        let mut of_command = vec![
            number(
                &title("exit code of the last run"),
                "none",
                format!("cli_command_last_exit_code{selector}"),
                "{{instance}}",
            ),
            number(
                &title("since the last start"),
                "s",
                format!("time() - cli_command_last_start_timestamp_seconds{selector}"),
                "{{instance}}",
            ),
            series(
                &title("duration of the last run"),
                "s",
                vec![(format!("cli_command_last_duration_seconds{selector}"), "{{instance}}")],
            ),
            series(
                &title("runs of a day"),
                "short",
                vec![
                    (format!("sum(increase(cli_command_success_total{selector}[1d]))"), "ok"),
                    (format!("sum by (outcome) (increase(cli_command_failure_total{selector}[1d]))"), "{{outcome}}"),
                ],
            ),
        ];
        if command.schedule.is_some_and(|schedule| schedule.every.is_some() || schedule.zone().is_some()) {
            of_command.push(number(
                &title("until the next run"),
                "s",
                format!("cli_command_next_run_timestamp_seconds{selector} - time()"),
                "{{instance}}",
            ));
        }
        panels.extend(of_command.into_iter().map(|panel| Panel { link: link.clone(), ..panel }));
    }
    Dashboard { subject: "commands", title: "commands", panels }
}

fn operations(declared: &Declared) -> Dashboard {
    let all = of(declared, "");
    let quantile = |of: &str| {
        format!(
            "histogram_quantile({of}, sum by (le, operation) (rate(operation_duration_seconds_bucket{all}[$__rate_interval])))"
        )
    };
    let panels = vec![
        series(
            "Calls",
            "ops",
            vec![(
                format!("sum by (operation) (rate(operation_success_total{all}[$__rate_interval]))"),
                "{{operation}}",
            )],
        ),
        series(
            "Failed calls",
            "ops",
            vec![(
                format!("sum by (operation, outcome) (rate(operation_failure_total{all}[$__rate_interval]))"),
                "{{operation}} {{outcome}}",
            )],
        ),
        series("Duration, 50 %", "s", vec![(quantile("0.5"), "{{operation}}")]),
        series("Duration, 95 %", "s", vec![(quantile("0.95"), "{{operation}}")]),
        series(
            "Calls in progress",
            "short",
            vec![(format!("sum by (operation) (operation_active{all})"), "{{operation}}")],
        ),
    ];
    Dashboard { subject: "operations", title: "operations", panels }
}

fn cost(declared: &Declared) -> Dashboard {
    let all = of(declared, "");
    let by_owner = format!(
        "sum by (owner) (sum by (service, environment, operation) (increase(bigquery_total_cost_usd_total{all}[1d]))\n  * on \
         (service, environment, operation) group_left (owner)\n  max by (service, environment, operation, owner) \
         (label_replace(obs_catalogue_info{}, \"operation\", \"$1\", \"name\", \"(.*)\")))",
        of(declared, "kind=\"operation\"")
    );
    let panels = vec![
        number("Cost of a day", "currencyUSD", format!("sum(increase(bigquery_total_cost_usd_total{all}[1d]))"), "USD"),
        series("Cost of a day by owner", "currencyUSD", vec![(by_owner, "{{owner}}")]),
        series(
            "Cost of a day by operation",
            "currencyUSD",
            vec![(format!("sum by (operation) (increase(bigquery_total_cost_usd_total{all}[1d]))"), "{{operation}}")],
        ),
        series(
            "Cost alerts",
            "short",
            vec![(
                format!("sum by (operation, reason) (increase(bigquery_cost_alert_total{all}[1d]))"),
                "{{operation}} {{reason}}",
            )],
        ),
    ];
    Dashboard { subject: "cost", title: "BigQuery cost", panels }
}

fn quality(declared: &Declared) -> Dashboard {
    let all = of(declared, "");
    let panels = vec![
        number("Status", "percentunit", format!("data_quality_check_status{all}"), "{{check}} of {{dataset}}"),
        series("Values", "short", vec![(format!("data_quality_check_value{all}"), "{{check}} of {{dataset}}")]),
        number(
            "Since the last run",
            "s",
            format!("time() - data_quality_check_last_run_timestamp_seconds{all}"),
            "{{check}} of {{dataset}}",
        ),
        series(
            "Failed and errored in a day",
            "short",
            vec![
                (format!("sum by (check) (increase(data_quality_check_failed_total{all}[1d]))"), "{{check}} failed"),
                (format!("sum by (check) (increase(data_quality_check_errored_total{all}[1d]))"), "{{check}} errored"),
            ],
        ),
    ];
    Dashboard { subject: "quality", title: "data quality", panels }
}

fn health(declared: &Declared) -> Dashboard {
    let all = of(declared, "");
    let panels = vec![
        number("Status", "percentunit", format!("health_check_status{all}"), "{{check}} on {{instance}}"),
        series(
            "Duration, 95 %",
            "s",
            vec![(
                format!(
                    "histogram_quantile(0.95, sum by (le, check) (rate(health_check_duration_seconds_bucket{all}[1h])))"
                ),
                "{{check}}",
            )],
        ),
    ];
    Dashboard { subject: "health", title: "health", panels }
}

fn telemetry(declared: &Declared) -> Dashboard {
    let all = of(declared, "");
    let panels = vec![
        series(
            "Duration of the last delivery",
            "s",
            vec![(format!("max by (sink) (obs_flush_last_duration_seconds{all})"), "{{sink}}")],
        ),
        number(
            "Since the last delivery",
            "s",
            format!("time() - max by (sink) (obs_last_success_timestamp_seconds{all})"),
            "{{sink}}",
        ),
        series(
            "Lost within an hour",
            "short",
            vec![(
                format!("sum by (sink, reason) (increase(obs_dropped_total{all}[1h])) or vector(0)"),
                "{{sink}} {{reason}}",
            )],
        ),
        series("Queued", "short", vec![(format!("sum by (sink) (obs_queue_length{all})"), "{{sink}}")]),
    ];
    Dashboard { subject: "telemetry", title: "obs itself", panels }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::generate::sample;

    #[test]
    fn there_is_a_dashboard_for_each_subject_of_the_program() {
        let files = GrafanaOptions::default().files(&sample::declared()).unwrap();
        sample::write(&files);
        let names: Vec<_> = files.iter().filter_map(|file| file.name.split('.').nth(1)).collect();
        assert_eq!(names, ["commands", "cost", "health", "operations", "overview", "quality", "telemetry"]);
        let empty = Declared { service: "web".to_owned(), ..Declared::default() };
        assert_eq!(GrafanaOptions::default().files(&empty).unwrap().len(), 2);
        for file in &files {
            let dashboard: Value = serde_json::from_str(&file.text).unwrap();
            for panel in dashboard["panels"].as_array().unwrap() {
                let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap();
                assert!(!unit.is_empty() && !panel["targets"].as_array().unwrap().is_empty(), "{panel}");
            }
            assert!(dashboard["uid"].as_str().unwrap().len() <= 40);
        }
    }
}
