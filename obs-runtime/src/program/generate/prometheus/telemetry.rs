//! Alerts of obs itself, and of durations that grow.

use std::time::Duration;

use crate::program::generate::declared::{Declared, Function};
use crate::program::generate::prometheus::objectives::Calls;
use crate::program::generate::prometheus::promql::{PROCESS, plain, selector};
use crate::program::generate::prometheus::rule::{Concern, Rule, Urgency};
use crate::program::generate::prometheus::unit_test::UnitTest;

/// The rules of obs itself.
pub fn telemetry_rules(declared: &Declared, concern: &Concern) -> Vec<Rule> {
    let selector = selector(&[("service", &declared.service)]);
    let place = "of {{ $labels.service }} on {{ $labels.instance }} in {{ $labels.environment }}";
    vec![
        Rule::alert(
            "ObsTelemetryDropped",
            Urgency::Warning,
            format!("sum by ({PROCESS}, sink, reason) (increase(obs_dropped_total{selector}[1h])) > 0"),
            "telemetry of {{ $labels.service }} is lost".to_owned(),
            format!("The sink {{{{ $labels.sink }}}} {place} has lost items within an hour: {{{{ $labels.reason }}}}."),
        )
        .concerning(concern),
        Rule::alert(
            "ObsSinkWithoutSuccess",
            Urgency::Warning,
            format!(
                // A process that began less than 15 minutes ago has not failed for as long.
                "sum by ({PROCESS}, sink) (increase(obs_flush_failed_total{selector}[15m])) > 0\nunless on ({PROCESS}, sink) time() - \
                 obs_last_success_timestamp_seconds{selector} < 900\nunless on ({PROCESS}) time() - \
                 process_start_time_seconds{selector} < 900"
            ),
            "a sink of {{ $labels.service }} delivers nothing".to_owned(),
            format!("The sink {{{{ $labels.sink }}}} {place} has failed, and has not delivered anything for 15 minutes."),
        )
        .concerning(concern),
    ]
}

pub fn telemetry_tests(declared: &Declared) -> Vec<UnitTest> {
    let asked = selector(&[("service", &declared.service), ("sink", "sentry")]);
    let of = |family: &str, more: &str| {
        let labels = asked.trim_end_matches('}');
        format!("{family}{labels},job=\"app\",instance=\"host-1\",environment=\"prod\"{more}}}")
    };
    vec![
        UnitTest::new("a sink drops, and delivers nothing until it succeeds again")
            .series(of("obs_dropped_total", ",reason=\"queue_full\""), "0x29 5x100")
            .series(of("obs_flush_failed_total", ""), "0x19 1+1x30 31x100")
            .series(of("obs_last_success_timestamp_seconds", ""), "0+60x19 1140x30 3060+60x100")
            .expect("ObsTelemetryDropped", &asked, &[31, 60], &[29, 100])
            .expect("ObsSinkWithoutSuccess", &asked, &[40, 49], &[19, 30, 55, 90]),
        UnitTest::new("a sink has never delivered anything since the process began")
            .series(of("obs_flush_failed_total", ""), "0+1x40")
            .series(
                format!(
                    "process_start_time_seconds{},job=\"app\",instance=\"host-1\",environment=\"prod\"}}",
                    selector(&[("service", &declared.service)]).trim_end_matches('}')
                ),
                "0x40",
            )
            .expect("ObsSinkWithoutSuccess", &asked, &[16, 40], &[5, 14]),
    ]
}

/// The 95th percentile of calls over an hour against that of the week before.
pub fn slower_rules(declared: &Declared, function: &Function, calls: Calls, concern: &Concern) -> Vec<Rule> {
    let Calls { label, prefix, .. } = calls;
    let selector = selector(&[("service", &declared.service), (label, &function.name)]);
    let by = format!("service, environment, {label}");
    let record = format!("obs:{label}_duration_seconds:p95_1h");
    // An hour without calls has no percentile: `NaN`, which no mean gets rid of.
    let quantile = format!(
        "histogram_quantile(0.95, sum by (le, {by}) (rate({prefix}_duration_seconds_bucket{selector}[1h]))) >= 0"
    );
    let expr = format!("{record}{selector} > 2 * avg_over_time({record}{selector}[7d] offset 1h)");
    let summary = format!("{} takes twice as long as usual", plain(&function.name));
    let description = "95 % of the calls of an hour took up to {{ $value | humanizeDuration }} in {{ $labels.environment }}, more than \
                       twice the mean of the week before."
        .to_owned();
    vec![
        Rule::record(record.clone(), quantile),
        Rule::alert("ObsSlowerThanUsual", Urgency::Warning, expr, summary, description)
            .after(Duration::from_mins(30))
            .concerning(concern),
    ]
}

/// Calls that take up to 0.1 s, none for two hours, and then calls that take up to a second for two hours.
pub fn slower_tests(declared: &Declared, function: &Function, calls: Calls) -> Vec<UnitTest> {
    let Calls { label, prefix, .. } = calls;
    let selector = selector(&[("service", &declared.service), (label, &function.name)]);
    let bucket = |bound: &str| {
        let labels = selector.trim_end_matches('}');
        format!(
            "{prefix}_duration_seconds_bucket{labels},job=\"app\",instance=\"host-1\",environment=\"prod\",outcome=\"ok\",le=\"{bound}\"}}"
        )
    };
    let all = "0+60x120 7200x119 7200+60x420";
    vec![
        UnitTest::new(format!("{} takes ten times as long", function.name))
            .series(bucket("0.1"), "0+60x120 7200x119 7200+60x120 14400x119 14400+60x180")
            .series(bucket("1"), all)
            .series(bucket("+Inf"), all)
            .expect("ObsSlowerThanUsual", &selector, &[400, 480], &[120, 200, 330, 360, 560]),
    ]
}

/// The duration of the last run against that of the week before. Below a second it says more about the machine than about the run.
pub fn slower_run_rules(selector: &str, name: &str, concern: &Concern) -> Vec<Rule> {
    let duration = format!("cli_command_last_duration_seconds{selector}");
    let expr = format!("{duration} > 2 * quantile_over_time(0.95, {duration}[7d] offset 1h)\nand {duration} > 1");
    let summary = format!("{} took twice as long as usual", plain(name));
    let description = "The last run took {{ $value | humanizeDuration }} on {{ $labels.instance }} in {{ $labels.environment }}, more \
                       than twice the 95th percentile of the week before."
        .to_owned();
    vec![Rule::alert("ObsSlowerThanUsual", Urgency::Warning, expr, summary, description).concerning(concern)]
}

pub fn slower_run_tests(selector: &str, name: &str) -> Vec<UnitTest> {
    let labels = selector.trim_end_matches('}').to_owned() + ",job=\"node\",instance=\"host-1\",environment=\"prod\"}";
    vec![
        UnitTest::new(format!("{name} takes three times as long"))
            .series(format!("cli_command_last_duration_seconds{labels}"), "60x300 180x30 60x100")
            .expect("ObsSlowerThanUsual", selector, &[301, 330], &[300, 340]),
        UnitTest::new(format!("{name} takes milliseconds"))
            .series(format!("cli_command_last_duration_seconds{labels}"), "0.01x300 0.09x30")
            .expect("ObsSlowerThanUsual", selector, &[], &[310, 330]),
    ]
}
