//! `generate datadog`

use serde_json::Value;

use crate::program::generate::datadog::dashboard::dashboard;
use crate::program::generate::datadog::monitor::Handles;
use crate::program::generate::datadog::monitors::Monitors;
use crate::program::generate::datadog::objectives::objectives;
use crate::program::generate::declared::Declared;
use crate::program::generate::target::{GeneratedFile, Target, address, pretty_json};

/// Arguments of `generate datadog`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DatadogOptions {
    /// The owner in monitors of what declares none. By default the owner that all else has, if there is only one.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// The page that says what to do, in monitors of what declares none: https://…
    #[arg(long, value_name = "URL", value_parser = address)]
    runbook: Option<String>,
    /// The only environment that monitors and objectives look at. By default each monitor alerts for each environment.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Whom monitors notify, such as @slack-data, or OWNER=@slack-data for those of one owner. Can be repeated.
    #[arg(long, value_name = "HANDLE")]
    notify: Vec<String>,
}

impl Target for DatadogOptions {
    const NAME: &'static str = "datadog";

    fn files(&self, declared: &Declared) -> Result<Vec<GeneratedFile>, String> {
        let handles = Handles::parse(&self.notify)?;
        let owner = self.owner.clone().or_else(|| declared.common_owner().map(str::to_owned));
        let env = self.env.as_deref();
        let monitors = Monitors { declared, env, owner, runbook: self.runbook.as_deref() }.all()?;
        let monitors: Vec<Value> = monitors.iter().map(|monitor| monitor.json(declared, &handles)).collect();
        Ok(vec![
            GeneratedFile::of(declared, "monitors.json", pretty_json(&monitors)?),
            GeneratedFile::of(declared, "slos.json", pretty_json(&objectives(declared, env))?),
            GeneratedFile::of(declared, "dashboard.json", pretty_json(&dashboard(declared))?),
        ])
    }
}
