//! Alerts of cost and budgets.

use std::time::Duration;

use crate::program::generate::declared::{Declared, Function};
use crate::program::generate::prometheus::promql::{plain, selector};
use crate::program::generate::prometheus::rule::{Concern, Rule, Urgency};
use crate::program::generate::prometheus::unit_test::UnitTest;

/// What an operation has cost within a day.
pub const DAILY: &str = "obs:operation_cost_usd:increase1d";

/// The rules of an operation that costs.
pub fn cost_rules(declared: &Declared, function: &Function, concern: &Concern) -> Vec<Rule> {
    let selector = selector(&[("service", &declared.service), ("operation", &function.name)]);
    let name = plain(&function.name);
    let by = "service, environment, operation";
    vec![
        // Through a Collector the counter is called `bigquery_cost_usd_total`.
        Rule::record(
            DAILY,
            format!(
                "sum by ({by}) (increase(bigquery_total_cost_usd_total{selector}[1d]))\nor sum by ({by}) \
                 (increase(bigquery_cost_usd_total{selector}[1d]))"
            ),
        ),
        Rule::alert(
            "ObsCostAlert",
            Urgency::Warning,
            format!("sum by ({by}, reason) (increase(bigquery_cost_alert_total{selector}[1h])) > 0"),
            format!("{name} costs more than it may"),
            "{{ $value | printf \"%.0f\" }} cost alerts within an hour in {{ $labels.environment }}, by {{ $labels.reason }}: \
             `alert_over_usd`, a limit that refuses queries, or a budget."
                .to_owned(),
        )
        .concerning(concern),
        Rule::alert(
            "ObsCostUnusual",
            Urgency::Warning,
            format!("{DAILY}{selector} > 2 * quantile_over_time(0.5, {DAILY}{selector}[14d] offset 1d)\nand {DAILY}{selector} offset 2d > 0"),
            format!("{name} costs twice as much as usual"),
            "{{ $value | printf \"%.2f\" }} USD within a day in {{ $labels.environment }}, more than twice the median of the two weeks \
             before."
                .to_owned(),
        )
        .after(Duration::from_mins(15))
        .concerning(concern),
    ]
}

pub fn cost_tests(declared: &Declared, function: &Function) -> Vec<UnitTest> {
    let asked = selector(&[("service", &declared.service), ("operation", &function.name)]);
    let of = |family: &str, more: &str| {
        let labels = asked.trim_end_matches('}');
        format!("{family}{labels},job=\"node\",instance=\"host-1\",environment=\"prod\"{more}}}")
    };
    vec![
        UnitTest::new(format!("{} passes a threshold once", function.name))
            .series(of("bigquery_cost_alert_total", ",reason=\"threshold\""), "0x9 1x120")
            .expect("ObsCostAlert", &asked, &[11, 60], &[9, 100]),
        // One dollar each hour, five on the third day.
        UnitTest::new(format!("{} costs five times as much on one day", function.name))
            .series(of("bigquery_total_cost_usd_total", ""), "0+0.0166667x2880 48+0.0833x1440 168+0.0166667x1600")
            .expect("ObsCostUnusual", &asked, &[4300], &[2870, 5900]),
    ]
}

/// The rules of all budgets of the program: their names are configuration.
pub fn budget_rules(declared: &Declared, concern: &Concern) -> Vec<Rule> {
    let selector = selector(&[("service", &declared.service)]);
    let used = format!("bigquery_budget_used_usd{selector}");
    let limit = format!("bigquery_budget_limit_usd{selector}");
    let ends = format!("bigquery_budget_period_end_timestamp_seconds{selector}");
    let labels = "the budget {{ $labels.budget }} in {{ $labels.environment }}";
    let alert = |name, urgency, expr, summary: &str, description: String| {
        Rule::alert(name, urgency, expr, format!("the budget {{{{ $labels.budget }}}} {summary}"), description)
            .concerning(concern)
    };
    let running = format!("and ({ends} > time())");
    vec![
        alert(
            "ObsBudgetUsedUp",
            Urgency::Critical,
            format!("{used} / {limit} >= 1\n{running}"),
            "is used up",
            format!("{{{{ $value | humanizePercentage }}}} of {labels} are spent: queries that draw on it are refused."),
        ),
        alert(
            "ObsBudgetNearlyUsedUp",
            Urgency::Warning,
            format!("{used} / {limit} > 0.8 < 1\n{running}"),
            "is nearly used up",
            format!("{{{{ $value | humanizePercentage }}}} of {labels} are spent."),
        ),
        alert(
            "ObsBudgetBurns",
            Urgency::Warning,
            format!(
                "({used} + clamp_min(deriv({used}[6h]), 0) * ({ends} - time())) / {limit} > 1\nand {used} / {limit} < 1\n{running}"
            ),
            "will be used up before its period ends",
            format!(
                "If spending goes on as in the last 6 hours, {{{{ $value | humanizePercentage }}}} of {labels} are spent when its \
                 period ends."
            ),
        )
        .after(Duration::from_mins(30)),
    ]
}

/// A budget of 24 USD for a period of 24 hours, of which 2 are spent each hour.
pub fn budget_tests(declared: &Declared) -> Vec<UnitTest> {
    let asked = selector(&[("service", &declared.service), ("budget", "daily")]);
    let of = |family: &str| {
        let labels = asked.trim_end_matches('}');
        format!("{family}{labels},job=\"node\",instance=\"host-1\",environment=\"prod\"}}")
    };
    vec![
        UnitTest::new("a budget is used up after half of its period")
            .series(of("bigquery_budget_used_usd"), "0+0.0333333334x800 26.7x700")
            .series(of("bigquery_budget_limit_usd"), "24x1500")
            .series(of("bigquery_budget_period_end_timestamp_seconds"), "86400x1500")
            .expect("ObsBudgetBurns", &asked, &[120, 700], &[1, 750, 1450])
            .expect("ObsBudgetNearlyUsedUp", &asked, &[600, 700], &[500, 750, 1450])
            .expect("ObsBudgetUsedUp", &asked, &[750, 1400], &[600, 1450]),
    ]
}
