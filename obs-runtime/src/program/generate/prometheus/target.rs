//! `generate prometheus`

use std::collections::BTreeMap;
use std::time::Duration;

use crate::program::generate::declared::{Declared, Function, QualityCheck};
use crate::program::generate::grafana::dashboard::{subject_of_command, uid};
use crate::program::generate::prometheus::checks::{QualityRules, health_rules, health_tests};
use crate::program::generate::prometheus::commands::CommandRules;
use crate::program::generate::prometheus::objectives::{Calls, ObjectiveRules};
use crate::program::generate::prometheus::promql::selector;
use crate::program::generate::prometheus::rule::{Concern, Group, Rule, RuleFile};
use crate::program::generate::prometheus::spending::{budget_rules, budget_tests, cost_rules, cost_tests};
use crate::program::generate::prometheus::telemetry::{
    slower_rules, slower_run_rules, slower_run_tests, slower_tests, telemetry_rules, telemetry_tests,
};
use crate::program::generate::prometheus::unit_test::{TestFile, UnitTest};
use crate::program::generate::target::{GeneratedFile, Target, address, file_name, heading, yaml};

/// How old the last run of a check may be in a program without a schedule: a day and two hours.
const OLDEST_CHECK: Duration = Duration::from_hours(26);

const COMMANDS: Calls = Calls { label: "command", prefix: "cli_command" };
const OPERATIONS: Calls = Calls { label: "operation", prefix: "operation" };

/// Arguments of `generate prometheus`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PrometheusOptions {
    /// The owner in alerts of what declares none. By default the owner that all else has, if there is only one.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// The page that says what to do, in alerts of what declares none: https://…
    #[arg(long, value_name = "URL", value_parser = address)]
    runbook: Option<String>,
    /// The address of Grafana, for links to the dashboards of `generate grafana`.
    #[arg(long, value_name = "URL", value_parser = address)]
    grafana_url: Option<String>,
}

/// Files of rules, each with its unit tests: a test evaluates all rules of its files.
#[derive(Debug, Default)]
struct Made(Vec<GeneratedFile>);

impl Made {
    fn add(&mut self, declared: &Declared, what: &str, rules: Vec<Rule>, tests: Vec<UnitTest>) -> Result<(), String> {
        if rules.is_empty() {
            return Ok(());
        }
        let group = Group { name: format!("{} {what}", declared.service), rules };
        let name = file_name(what);
        let text = |text: String| heading(PrometheusOptions::NAME, declared) + &text;
        let groups = RuleFile { groups: vec![group] };
        let rules = GeneratedFile::of(declared, &format!("{name}.rules.yml"), text(yaml(&groups)?));
        // One file for each interval of evaluation.
        let mut by_interval: BTreeMap<String, Vec<UnitTest>> = BTreeMap::new();
        for test in tests {
            by_interval.entry(test.interval.clone()).or_default().push(test);
        }
        for (evaluation_interval, tests) in by_interval {
            let steps = if evaluation_interval == "1m" { String::new() } else { format!(".by-{evaluation_interval}") };
            let tests = TestFile { rule_files: vec![rules.name.clone()], evaluation_interval, tests };
            self.0.push(GeneratedFile::of(declared, &format!("{name}{steps}.rules.test.yml"), text(yaml(&tests)?)));
        }
        self.0.push(rules);
        Ok(())
    }
}

impl PrometheusOptions {
    fn concern(
        &self,
        declared: &Declared,
        owner: Option<&'static str>,
        runbook: Option<&'static str>,
        dashboard: &str,
    ) -> Concern {
        let owner = owner.map(str::to_owned).or_else(|| self.owner.clone());
        let link = |url: &String| format!("{}/d/{}", url.trim_end_matches('/'), uid(declared, dashboard));
        Concern {
            owner: owner.or_else(|| declared.common_owner().map(str::to_owned)),
            runbook: runbook.map(str::to_owned).or_else(|| self.runbook.clone()),
            dashboard: self.grafana_url.as_ref().map(link),
        }
    }

    fn of_function(&self, declared: &Declared, function: &Function, dashboard: &str) -> Concern {
        self.concern(declared, function.declaration.owner, function.declaration.runbook, dashboard)
    }

    fn commands(&self, declared: &Declared, made: &mut Made) -> Result<Duration, String> {
        let mut oldest = Duration::ZERO;
        for function in &declared.commands {
            let concern = self.of_function(declared, function, &subject_of_command(&function.name));
            let command = CommandRules::new(declared, function, concern.clone())?;
            let (mut rules, mut tests) = (command.rules(), command.tests());
            let objectives = ObjectiveRules {
                function,
                calls: COMMANDS,
                concern: concern.clone(),
                selector: command.selector.clone(),
                gap: command.gap,
            };
            rules.extend(objectives.rules());
            tests.extend(objectives.tests());
            if let Some(gap) = command.gap {
                oldest = oldest.max(command.success_limit(gap));
                rules.extend(slower_run_rules(&command.selector, &function.name, &concern));
                tests.extend(slower_run_tests(&command.selector, &function.name));
            } else {
                rules.extend(slower_rules(declared, function, COMMANDS, &concern));
                tests.extend(slower_tests(declared, function, COMMANDS));
            }
            made.add(declared, &format!("command {}", function.name), rules, tests)?;
        }
        Ok(oldest)
    }

    fn operations(&self, declared: &Declared, made: &mut Made) -> Result<(), String> {
        for function in &declared.operations {
            let concern = self.of_function(declared, function, "operations");
            let selector = selector(&[("service", &declared.service), ("operation", &function.name)]);
            let objectives =
                ObjectiveRules { function, calls: OPERATIONS, concern: concern.clone(), selector, gap: None };
            let mut rules = objectives.rules();
            rules.extend(slower_rules(declared, function, OPERATIONS, &concern));
            let mut tests = objectives.tests();
            tests.extend(slower_tests(declared, function, OPERATIONS));
            made.add(declared, &format!("operation {}", function.name), rules, tests)?;
        }
        Ok(())
    }

    fn checks(&self, declared: &Declared, oldest: Duration, made: &mut Made) -> Result<(), String> {
        for check in &declared.quality_checks {
            let QualityCheck { owner, runbook, .. } = *check;
            let concern = self.concern(declared, owner, runbook, "quality");
            let quality = QualityRules::new(declared, check, concern, oldest);
            made.add(declared, &format!("check {}", check.name), quality.rules(), quality.tests())?;
        }
        let rules = health_rules(declared, |check| self.concern(declared, check.owner, check.runbook, "health"));
        made.add(declared, "health", rules, health_tests(declared))
    }
}

impl Target for PrometheusOptions {
    const NAME: &'static str = "prometheus";

    fn files(&self, declared: &Declared) -> Result<Vec<GeneratedFile>, String> {
        let mut made = Made::default();
        let oldest = self.commands(declared, &mut made)?;
        self.operations(declared, &mut made)?;
        self.checks(declared, if oldest.is_zero() { OLDEST_CHECK } else { oldest }, &mut made)?;
        for function in &declared.costs {
            let concern = self.of_function(declared, function, "cost");
            let rules = cost_rules(declared, function, &concern);
            made.add(declared, &format!("cost of {}", function.name), rules, cost_tests(declared, function))?;
        }
        if !declared.costs.is_empty() {
            let concern = self.concern(declared, None, None, "cost");
            made.add(declared, "budgets", budget_rules(declared, &concern), budget_tests(declared))?;
        }
        let concern = self.concern(declared, None, None, "telemetry");
        made.add(declared, "telemetry", telemetry_rules(declared, &concern), telemetry_tests(declared))?;
        made.0.sort_by(|left, right| left.name.cmp(&right.name));
        if let Some([first, _]) = made.0.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(format!("two declarations would have the file {}; give them other names", first.name));
        }
        Ok(made.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::program::generate::sample;

    #[test]
    fn rules_and_tests_are_made_the_same_each_time() {
        let files = PrometheusOptions::default().files(&sample::declared()).unwrap();
        assert_eq!(files, PrometheusOptions::default().files(&sample::declared()).unwrap());
        sample::write(&files);
        assert_eq!(files[0].name, "etl.budgets.by-30m.rules.test.yml");
        // Each alert of each file has a test.
        for file in files.iter().filter(|file| file.name.ends_with(".rules.yml")) {
            let stem = file.name.trim_end_matches("rules.yml");
            let of_file =
                files.iter().filter(|other| other.name.starts_with(stem) && other.name.ends_with(".test.yml"));
            let tests: String = of_file.map(|other| other.text.as_str()).collect();
            let untested: Vec<_> =
                named(&file.text, "alert: ").difference(&named(&tests, "alertname=\"")).cloned().collect();
            assert_eq!(untested, [""; 0], "{}", file.name);
        }
    }

    /// The names that follow a mark.
    fn named(text: &str, mark: &str) -> BTreeSet<String> {
        let names = text.split(mark).skip(1);
        names.map(|rest| rest.chars().take_while(|letter| letter.is_alphanumeric()).collect()).collect()
    }
}
