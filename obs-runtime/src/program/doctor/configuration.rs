//! The configuration: its problems, what has no effect, and what this build can do.

use crate::config;
use crate::config::problem::Problem;
use crate::config::settings::{Origin, Setting};
use crate::config::validated::{Config, UNKNOWN_VERSION};
use crate::program::doctor::finding::Finding;
use crate::program::init::init_warnings;

const SUBJECT: &str = "configuration";

/// Variables that obs reads are set by Kubernetes too, for a service of that name.
const OF_KUBERNETES: &str = "`tcp://";

/// The findings about a configuration. `problems` are those of an initialisation that failed.
pub fn findings(config: &Config, settings: &[Setting], problems: &[String]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = problems.iter().map(|message| problem(message)).collect();
    let warn =
        |message: String| Finding::warning(SUBJECT, message, "correct or remove it; `config` lists what is in effect");
    findings.extend(warnings(config, settings).into_iter().map(warn));
    if !config.enabled {
        // What the program sets is not known then.
        return findings;
    }
    if config.service_name == Config::default().service_name {
        findings.push(Finding::warning(
            SUBJECT,
            format!("the service has no name of its own: its metrics and logs are those of `{}`", config.service_name),
            "set SERVICE_NAME, or initialise by obs_runtime::init!() or #[tracked_command(init)], which take the crate's name",
        ));
    }
    if config.version == UNKNOWN_VERSION {
        findings.push(Finding::warning(
            SUBJECT,
            "the program has no version: Sentry has no releases, and obs.build.info does not tell deploys apart",
            "initialise by obs_runtime::init!(), or with .version(env!(\"CARGO_PKG_VERSION\"))",
        ));
    }
    if findings.is_empty() {
        let of = |origin| settings.iter().filter(|setting| setting.origin == origin).count();
        let (environment, program) = (of(Origin::Environment), of(Origin::Builder));
        let message = format!("valid; {environment} settings are the environment's, {program} the program's");
        findings.push(Finding::ok(SUBJECT, message));
    }
    findings
}

fn problem(message: &str) -> Finding {
    let advice = if message.contains(OF_KUBERNETES) {
        "Kubernetes sets such a variable for a service of that name: set enableServiceLinks to false in the pod, or the variable \
         itself"
    } else {
        "correct it; `config --help-values` lists what is allowed"
    };
    Finding::problem(SUBJECT, message, advice)
}

fn warnings(config: &Config, settings: &[Setting]) -> Vec<String> {
    let invalid: Vec<Problem> = Config::default().read(|name| std::env::var_os(name)).warnings;
    let unknown = config::unknown(std::env::vars_os().map(|(name, _)| name));
    [init_warnings::of_variables(&invalid, &unknown), init_warnings::of_settings(config, settings)].concat()
}

/// The features of obs-runtime, and whether each is linked.
const FEATURES: [(bool, &str); 14] = [
    (cfg!(feature = "prometheus"), "prometheus"),
    (cfg!(feature = "https"), "https"),
    (cfg!(feature = "datadog"), "datadog"),
    (cfg!(feature = "datadog-agentless"), "datadog-agentless"),
    (cfg!(feature = "bigquery"), "bigquery"),
    (cfg!(feature = "bigquery-estimate"), "bigquery-estimate"),
    (cfg!(feature = "cli"), "cli"),
    (cfg!(feature = "sqlite"), "sqlite"),
    (cfg!(feature = "sentry"), "sentry"),
    (cfg!(feature = "otlp"), "otlp"),
    (cfg!(feature = "otlp-grpc"), "otlp-grpc"),
    (cfg!(feature = "testing"), "testing"),
    (cfg!(feature = "tower"), "tower"),
    (cfg!(feature = "off"), "off"),
];

/// The features of obs-runtime that are linked.
pub fn features() -> Vec<&'static str> {
    FEATURES.into_iter().filter_map(|(linked, name)| linked.then_some(name)).collect()
}

/// The finding about the features.
pub fn build() -> Finding {
    let features = features();
    let message = format!("obs-runtime {} with the features {}", env!("CARGO_PKG_VERSION"), features.join(", "));
    if features.contains(&"off") {
        let advice = "build without the feature `off` of obs-runtime; a dependency may have switched it on: `cargo tree -e features`";
        return Finding::warning("build", format!("{message}: no attribute does anything"), advice);
    }
    Finding::ok("build", message)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_feature_of_the_package_is_known() {
        let manifest = include_str!("../../../Cargo.toml");
        let (_, features) = manifest.split_once("[features]\n").unwrap();
        let lines = features.lines().take_while(|line| !line.starts_with('['));
        let names = lines.filter_map(|line| Some(line.split_once(" = [")?.0));
        let public: BTreeSet<_> = names.filter(|name| *name != "default" && !name.starts_with('_')).collect();
        // Cargo sorts the features of a package.
        assert_eq!(BTreeSet::from(FEATURES.map(|(_, name)| name)), public);
    }
}
