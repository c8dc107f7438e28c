//! Alerts of data-quality checks and health checks.

use std::time::Duration;

use crate::program::generate::declared::{Declared, HealthCheck, QualityCheck};
use crate::program::generate::prometheus::promql::{PROCESS, duration, plain, quoted, seconds, selector};
use crate::program::generate::prometheus::rule::{Concern, Rule, Urgency};
use crate::program::generate::prometheus::unit_test::{Steps, UnitTest};

/// How long a health check must be unhealthy.
const UNHEALTHY: Duration = Duration::from_mins(5);

/// How many changes of a health check within an hour are too many.
const FLAPS: u32 = 6;

/// A data-quality check, and what rules about it are made of.
pub struct QualityRules<'d> {
    pub check: &'d QualityCheck,
    pub concern: Concern,
    pub selector: String,
    /// How old its last run may be.
    pub oldest: Duration,
}

impl<'d> QualityRules<'d> {
    pub fn new(declared: &Declared, check: &'d QualityCheck, concern: Concern, oldest: Duration) -> Self {
        let selector = if check.for_each {
            // `rows[users]` for each item.
            let name = regex_escaped(&check.name) + "\\[.*";
            format!("{{service={},check=~{}}}", quoted(&declared.service), quoted(&name))
        } else {
            selector(&[("service", &declared.service), ("check", &check.name)])
        };
        Self { check, concern, selector, oldest }
    }

    fn alert(&self, name: &'static str, urgency: Urgency, expr: String, description: &str) -> Rule {
        let summary = "{{ $labels.check }} of {{ $labels.dataset }} ".to_owned() + description;
        let place = "on {{ $labels.instance }} in {{ $labels.environment }}";
        let text = match name {
            "ObsCheckFailed" => format!("The last run {place} found a value that is out of bounds."),
            "ObsCheckErrored" => format!("The last run {place} did not come to a result."),
            _ => format!(
                "The last run {place} was {{{{ $value | humanizeDuration }}}} ago; {} are allowed.",
                duration(self.oldest)
            ),
        };
        Rule::alert(name, urgency, expr, summary, text).concerning(&self.concern)
    }

    pub fn rules(&self) -> Vec<Rule> {
        let selector = &self.selector;
        let urgency = match self.check.severity {
            "critical" => Urgency::Critical,
            "warning" => Urgency::Warning,
            // A check of severity `info` alerts nobody.
            _ => return Vec::new(),
        };
        let by = format!("{PROCESS}, check, dataset");
        vec![
            self.alert("ObsCheckFailed", urgency, format!("data_quality_check_status{selector} == 0"), "failed"),
            self.alert(
                "ObsCheckErrored",
                urgency,
                format!(
                    "data_quality_check_last_run_timestamp_seconds{selector}\nunless on ({by}) \
                     data_quality_check_status{selector}"
                ),
                "cannot be checked",
            )
            .after(Duration::from_mins(1)),
            self.alert(
                "ObsCheckStopped",
                urgency,
                format!(
                    "time() - max by ({by}) (data_quality_check_last_run_timestamp_seconds{selector}) > {}",
                    seconds(self.oldest)
                ),
                "is checked no more",
            ),
        ]
    }

    pub fn tests(&self) -> Vec<UnitTest> {
        if self.check.severity == "info" {
            return Vec::new();
        }
        let name = if self.check.for_each { format!("{}[item]", self.check.name) } else { self.check.name.clone() };
        let labels = format!(
            "check={},dataset={},severity={},job=\"node\",instance=\"host-1\",environment=\"prod\"",
            quoted(&name),
            quoted(&self.check.dataset),
            quoted(self.check.severity)
        );
        let service = self.selector.split(",check").next().unwrap_or("{").to_owned();
        let of = |family: &str| format!("{family}{service},{labels}}}");
        let asked = format!("{service},check={}}}", quoted(&name));
        let last_run = of("data_quality_check_last_run_timestamp_seconds");
        let judged = UnitTest::new(format!("{name} fails, passes, and cannot be checked"))
            .series(of("data_quality_check_status"), "1x4 0x4 1x4 _x10")
            .series(last_run.clone(), "0x4 300x4 600x4 900x30")
            .expect("ObsCheckFailed", &asked, &[5, 9], &[4, 10, 14, 20])
            .expect("ObsCheckErrored", &asked, &[22], &[4, 9, 14]);
        let steps = Steps::through(self.oldest);
        let stopped = UnitTest::new(format!("{name} stops, then runs again"))
            .every(steps.minutes)
            .series(of("data_quality_check_status"), format!("1x{}", steps.within + 6))
            .series(last_run, format!("0x{} {}x3", steps.within + 2, steps.minute(3) * 60))
            .expect("ObsCheckStopped", &asked, &[steps.minute(2)], &[steps.minute(0), steps.minute(4)]);
        vec![judged, stopped]
    }
}

/// The rules of health checks.
pub fn health_rules(declared: &Declared, concern: impl Fn(&HealthCheck) -> Concern) -> Vec<Rule> {
    let rules = |check: &HealthCheck| {
        let concern = concern(check);
        let selector = selector(&[("service", &declared.service), ("check", &check.name)]);
        let (name, urgency) = (plain(&check.name), if check.critical { Urgency::Critical } else { Urgency::Warning });
        let place = "on {{ $labels.instance }} in {{ $labels.environment }}";
        [
            Rule::alert(
                "ObsUnhealthy",
                urgency,
                format!("health_check_status{selector} == 0"),
                format!("{name} is unhealthy"),
                format!("The health check has been unhealthy for {} {place}.", duration(UNHEALTHY)),
            )
            .after(UNHEALTHY)
            .label("check", &check.name)
            .concerning(&concern),
            Rule::alert(
                "ObsHealthFlaps",
                Urgency::Warning,
                format!("changes(health_check_status{selector}[1h]) > {FLAPS}"),
                format!("{name} changes again and again"),
                format!("The health check has changed {{{{ $value }}}} times within an hour {place}."),
            )
            .label("check", &check.name)
            .concerning(&concern),
        ]
    };
    declared.health_checks.iter().flat_map(rules).collect()
}

pub fn health_tests(declared: &Declared) -> Vec<UnitTest> {
    let test = |check: &HealthCheck| {
        let selector = selector(&[("service", &declared.service), ("check", &check.name)]);
        let status =
            selector.trim_end_matches('}').to_owned() + ",job=\"app\",instance=\"host-1\",environment=\"prod\"}";
        UnitTest::new(format!("{} is unhealthy, then flaps", check.name))
            .series(format!("health_check_status{status}"), "1x9 0x9 1x99 0 1 0 1 0 1 0 1 1x99")
            .expect("ObsUnhealthy", &selector, &[15, 19], &[9, 14, 20, 130])
            .expect("ObsHealthFlaps", &selector, &[130], &[60, 119, 220])
    };
    declared.health_checks.iter().map(test).collect()
}

fn regex_escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if !letter.is_ascii_alphanumeric() && letter != '_' && letter.is_ascii() {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
