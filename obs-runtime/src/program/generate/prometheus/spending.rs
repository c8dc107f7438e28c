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
            // What costs less than every second day has no usual day; what is known for less than three days has none yet.
            format!(
                "{DAILY}{selector} > 2 * (quantile_over_time(0.5, {DAILY}{selector}[14d] offset 1d) > 0)\nand {DAILY}{selector} offset 3d \
                 >= 0"
            ),
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
        // 24 dollars each day, 120 on the fifth and 24 on the sixth, by steps of half an hour.
        UnitTest::new(format!("{} costs five times as much on one day", function.name))
            .every(30)
            .series(of("bigquery_total_cost_usd_total", ""), "0+0.5x192 96+2.5x48 216+0.5x96")
            .expect("ObsCostUnusual", &asked, &[7200], &[2880, 5760, 8670]),
        // A run at noon of each working day; the first day is a Wednesday.
        UnitTest::new(format!("{} costs the same on each working day", function.name))
            .every(30)
            .series(of("bigquery_total_cost_usd_total", ""), working_days(&[24, 24, 24, 0, 0, 24, 24, 24, 72]))
            .expect("ObsCostUnusual", &asked, &[8 * 1440 + 840], &[4 * 1440, 5 * 1440 + 840, 6 * 1440 + 840, 8 * 1440]),
        // The past is as long as the rule needs, and has a weekend in it.
        UnitTest::new(format!(
            "{} costs three times as much on the day after a weekend and a working day",
            function.name
        ))
        .every(30)
        .series(of("bigquery_total_cost_usd_total", ""), working_days(&[24, 24, 24, 0, 0, 24, 72]))
        .expect("ObsCostUnusual", &asked, &[6 * 1440 + 840], &[4 * 1440, 5 * 1440 + 840, 6 * 1440]),
        UnitTest::new(format!("{} costs something once a week", function.name))
            .every(30)
            .series(of("bigquery_total_cost_usd_total", ""), working_days(&[24, 0, 0, 0, 0, 0, 0, 24, 0]))
            .expect("ObsCostUnusual", &asked, &[], &[7 * 1440 + 840]),
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
    // What is spent when the period ends, by each of three spans. One run that costs more than its share is no pace: it is in one span.
    let burns = |span: &str, [second, third]: [&str; 2], seconds: u32, remaining: &str| {
        let by = |spent: String| format!("({used} + ({spent}) / {seconds} * ({ends} - time())) / {limit} > 1");
        format!(
            "{}\n  and {}\n  and {}\n  and {ends} - time() {remaining} 86400",
            by(format!("{used} - {used} offset {span}")),
            by(format!("{used} offset {span} - {used} offset {second}")),
            by(format!("{used} offset {second} - {used} offset {third}")),
        )
    };
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
                "(({})\nor ({}))\nand {used} / {limit} < 1\n{running}",
                burns("2h", ["4h", "6h"], 7200, "<="),
                burns("1d", ["2d", "3d"], 86_400, ">"),
            ),
            "will be used up before its period ends",
            format!(
                "If spending goes on as it did steadily in the last 6 hours, or 3 days if the period lasts longer than a day, \
                 {{{{ $value | humanizePercentage }}}} of {labels} are spent when its period ends."
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
            .expect("ObsBudgetBurns", &asked, &[400, 700], &[1, 350, 750, 1450])
            .expect("ObsBudgetNearlyUsedUp", &asked, &[600, 700], &[500, 750, 1450])
            .expect("ObsBudgetUsedUp", &asked, &[750, 1400], &[600, 1450]),
        UnitTest::new("one run spends 60 % of a daily budget")
            .series(of("bigquery_budget_used_usd"), "0x180 14.4x1250")
            .series(of("bigquery_budget_limit_usd"), "24x1430")
            .series(of("bigquery_budget_period_end_timestamp_seconds"), "86400x1430")
            .expect("ObsBudgetBurns", &asked, &[], &[200, 300, 500, 700]),
        // At 3 o'clock of each day of a month: a 40th of the budget, and a 15th.
        monthly_budget("a run of each night spends less than its share", &of, 6).expect(
            "ObsBudgetBurns",
            &asked,
            &[],
            &[5 * 1440 + 240, 5 * 1440 + 900, 9 * 1440 + 600],
        ),
        monthly_budget("a run of each night spends twice its share", &of, 16).expect(
            "ObsBudgetBurns",
            &asked,
            &[5 * 1440 + 600, 9 * 1440 + 600],
            &[1440 + 600, 2 * 1440 + 600],
        ),
    ]
}

/// Ten days of a budget of 240 USD for 30 days, of which a run spends this much at 3 o'clock of each day, by steps of half an hour.
fn monthly_budget(name: &str, of: &impl Fn(&str) -> String, each: u32) -> UnitTest {
    let used: Vec<String> = (1..=10).map(|day| format!("{}x47", day * each)).collect();
    UnitTest::new(name)
        .every(30)
        .series(of("bigquery_budget_used_usd"), format!("0x5 {}", used.join(" ")))
        .series(of("bigquery_budget_limit_usd"), "240x480")
        .series(of("bigquery_budget_period_end_timestamp_seconds"), "2592000x480")
}

/// What is spent at noon of each day, in total, by steps of half an hour.
fn working_days(spent: &[u32]) -> String {
    let mut total = 0;
    let days = spent.iter().map(|of_day| {
        let before = total;
        total += of_day;
        format!("{before}x23 {total}x23")
    });
    days.collect::<Vec<_>>().join(" ")
}
