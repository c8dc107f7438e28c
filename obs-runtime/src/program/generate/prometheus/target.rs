//! `generate prometheus`

use crate::program::generate::declared::Declared;
use crate::program::generate::prometheus::commands::CommandRules;
use crate::program::generate::prometheus::rule::{Concern, Group, RuleFile};
use crate::program::generate::prometheus::unit_test::TestFile;
use crate::program::generate::target::{GeneratedFile, Target, file_name, heading, yaml};

/// Arguments of `generate prometheus`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PrometheusOptions {
    /// The owner in alerts of what declares none. By default the owner that all else has, if there is only one.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// The address of Grafana, for links to the dashboards of `generate grafana`.
    #[arg(long, value_name = "URL")]
    grafana_url: Option<String>,
}

impl PrometheusOptions {
    fn concern(&self, declared: &Declared, owner: Option<&'static str>, runbook: Option<&'static str>) -> Concern {
        let owner = owner.map(str::to_owned).or_else(|| self.owner.clone());
        Concern {
            owner: owner.or_else(|| declared.common_owner().map(str::to_owned)),
            runbook: runbook.map(str::to_owned),
            dashboard: self
                .grafana_url
                .as_ref()
                .map(|url| format!("{}/d/obs-{}", url.trim_end_matches('/'), file_name(&declared.service))),
        }
    }
}

impl Target for PrometheusOptions {
    const NAME: &'static str = "prometheus";

    fn files(&self, declared: &Declared) -> Result<Vec<GeneratedFile>, String> {
        let (mut groups, mut tests) = (Vec::new(), Vec::new());
        for function in &declared.commands {
            let concern = self.concern(declared, function.declaration.owner, function.declaration.runbook);
            let command = CommandRules::new(declared, function, concern)?;
            let name = format!("{} command {}", declared.service, function.name);
            groups.push(Group { name, interval: None, rules: command.rules() });
            tests.extend(command.tests());
        }
        let rules =
            GeneratedFile::of(declared, "rules.yml", heading(Self::NAME, declared) + &yaml(&RuleFile { groups })?);
        let tests = TestFile { rule_files: vec![rules.name.clone()], evaluation_interval: "1m", tests };
        let tests = GeneratedFile::of(declared, "rules.test.yml", heading(Self::NAME, declared) + &yaml(&tests)?);
        Ok(vec![rules, tests])
    }
}
