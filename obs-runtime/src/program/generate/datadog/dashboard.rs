//! The dashboard of a program, as Datadog's API takes it.

use serde_json::{Value, json};

use crate::program::generate::datadog::query::tag;
use crate::program::generate::declared::Declared;
use crate::program::generate::target::made_by;

/// A graph: its title, its query, and how it is drawn.
struct Graph<'g> {
    title: &'g str,
    query: String,
    display: &'static str,
}

/// A group of graphs for each kind of thing that the program declares.
pub fn dashboard(declared: &Declared) -> Value {
    let scope = format!("service:{},$env", tag(&declared.service));
    let sum = |metric: &str, by: &str| format!("sum:{metric}{{{scope}}} by {{{by}}}.as_count()");
    let gauge = |metric: &str, by: &str| format!("max:{metric}{{{scope}}} by {{{by}}}");
    let average = |metric: &str, by: &str| format!("avg:{metric}{{{scope}}} by {{{by}}}");
    let slowest = gauge;
    let bars = |title, query| Graph { title, query, display: "bars" };
    let lines = |title, query| Graph { title, query, display: "line" };
    let mut groups = Vec::new();
    if !declared.commands.is_empty() {
        groups.push(group(
            "Commands",
            vec![
                bars("Runs that succeeded", sum("cli.command.success", "command")),
                bars("Runs that failed", sum("cli.command.failure", "command,outcome")),
                lines("Duration (mean, s)", average("cli.command.duration.seconds", "command")),
                lines("Duration (longest, s)", slowest("cli.command.duration.seconds", "command")),
                lines("Running", gauge("cli.command.running", "command")),
                lines("Last exit code", gauge("cli.command.last_exit_code", "command")),
            ],
        ));
    }
    if !declared.operations.is_empty() {
        groups.push(group(
            "Operations",
            vec![
                bars("Calls that succeeded", sum("operation.success", "operation")),
                bars("Calls that failed", sum("operation.failure", "operation,outcome")),
                lines("Duration (mean, s)", average("operation.duration.seconds", "operation")),
                lines("Duration (longest, s)", slowest("operation.duration.seconds", "operation")),
            ],
        ));
    }
    if !declared.costs.is_empty() {
        groups.push(group(
            "BigQuery",
            vec![
                bars("Cost (USD)", sum("bigquery.total_cost.usd", "operation")),
                lines("Bytes billed (mean)", average("bigquery.bytes_billed", "operation")),
                bars("Alerts", sum("bigquery.cost_alert", "operation,reason")),
                lines("Budgets, used (USD)", gauge("bigquery.budget.used.usd", "budget")),
            ],
        ));
    }
    if !declared.quality_checks.is_empty() {
        groups.push(group(
            "Data quality",
            vec![
                lines("Status (1 passed, 0.5 warned, 0 failed)", gauge("data_quality.check.status", "check,dataset")),
                bars("Failed", sum("data_quality.check.failed", "check,dataset")),
                bars("Errored", sum("data_quality.check.errored", "check,dataset")),
                lines("Value", gauge("data_quality.check.value", "check,dataset")),
            ],
        ));
    }
    if !declared.health_checks.is_empty() {
        groups.push(group(
            "Health",
            vec![
                lines("Status (1 healthy, 0.5 degraded, 0 unhealthy)", gauge("health_check.status", "check")),
                lines("Duration (mean, s)", average("health_check.duration.seconds", "check")),
            ],
        ));
    }
    groups.push(group(
        "Telemetry",
        vec![
            bars("Dropped", sum("obs.dropped", "sink,reason")),
            lines("Last success", gauge("obs.last_success.timestamp.seconds", "sink")),
        ],
    ));
    json!({
        "title": format!("{} (obs)", declared.service),
        "description": made_by("datadog", declared),
        "layout_type": "ordered",
        "template_variables": [{ "name": "env", "prefix": "env", "defaults": ["*"] }],
        "widgets": groups,
    })
}

fn group(title: &str, graphs: Vec<Graph<'_>>) -> Value {
    let widgets: Vec<Value> = graphs.into_iter().map(|graph| widget(&graph)).collect();
    json!({ "definition": { "type": "group", "layout_type": "ordered", "title": title, "widgets": widgets } })
}

fn widget(graph: &Graph<'_>) -> Value {
    let request = json!({
        "response_format": "timeseries",
        "display_type": graph.display,
        "queries": [{ "data_source": "metrics", "name": "query", "query": graph.query }],
        "formulas": [{ "formula": "query" }],
    });
    json!({
        "definition": { "type": "timeseries", "title": graph.title, "show_legend": true, "requests": [request] },
    })
}
