//! `generate alertmanager`: a tree of routes by owner and severity.

use serde::Serialize;

use crate::program::generate::declared::Declared;
use crate::program::generate::target::{GeneratedFile, Target, heading, yaml};

/// The line from which on the file belongs to its user.
pub const RECEIVERS: &str =
    "# The receivers are yours: `--output` keeps what stands below, and `--check` looks for their names alone.\n";

/// Arguments of `generate alertmanager`.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct AlertmanagerOptions {
    /// The owner of alerts about what declares none, as for `generate prometheus`.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
}

#[derive(Serialize)]
struct Tree {
    route: Route,
    inhibit_rules: Vec<Inhibition>,
}

#[derive(Serialize)]
struct Route {
    receiver: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    matchers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    group_by: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Route>,
}

/// Alerts that say the same less clearly rest while others fire.
#[derive(Serialize)]
struct Inhibition {
    source_matchers: Vec<String>,
    target_matchers: Vec<String>,
    equal: Vec<&'static str>,
}

#[derive(Serialize)]
struct Receivers {
    receivers: Vec<Receiver>,
}

#[derive(Serialize)]
struct Receiver {
    name: String,
}

impl Target for AlertmanagerOptions {
    const NAME: &'static str = "alertmanager";

    fn files(&self, declared: &Declared) -> Result<Vec<GeneratedFile>, String> {
        let mut owners = declared.owners();
        owners.extend(self.owner.as_deref());
        let default = receiver(&declared.service, "default");
        let mut names = vec![default.clone()];
        let mut routes = Vec::new();
        for owner in owners {
            let [urgent, other] = ["critical", "warning"].map(|severity| receiver(owner, severity));
            routes.push(Route {
                receiver: other.clone(),
                matchers: vec![matcher("owner", owner)],
                group_by: Vec::new(),
                routes: vec![Route {
                    receiver: urgent.clone(),
                    matchers: vec![matcher("severity", "critical")],
                    group_by: Vec::new(),
                    routes: Vec::new(),
                }],
            });
            names.extend([urgent, other]);
        }
        names.sort();
        names.dedup();
        let group_by = vec!["alertname", "service", "environment", "command", "operation", "check", "budget"];
        let route = Route { receiver: default, matchers: Vec::new(), group_by, routes };
        let tree = yaml(&Tree { route, inhibit_rules: inhibitions() })?;
        let receivers = names.iter().map(|name| Receiver { name: name.clone() }).collect();
        let text = heading(Self::NAME, declared) + &tree + RECEIVERS + &yaml(&Receivers { receivers })?;
        let mut file = GeneratedFile::of(declared, "alertmanager.yml", text);
        file.yours = Some((RECEIVERS, names.iter().map(|name| format!("name: {name}")).collect()));
        Ok(vec![file])
    }
}

fn inhibitions() -> Vec<Inhibition> {
    let command = ["service", "environment", "instance", "command"];
    let budget = ["service", "environment", "instance", "budget"];
    let objective = ["service", "environment", "instance", "command", "operation"];
    let pairs = [
        ("ObsCommandFailed|ObsCommandMissed|ObsCommandRunsTooLong", "ObsCommandWithoutSuccess", &command[..]),
        ("ObsObjectiveBurnsFast", "ObsObjectiveBurns", &objective[..]),
        ("ObsLatencyObjectiveBurnsFast", "ObsLatencyObjectiveBurns", &objective[..]),
        ("ObsBudgetUsedUp", "ObsBudgetBurns|ObsBudgetNearlyUsedUp", &budget[..]),
        ("ObsCheckStopped", "ObsCheckErrored", &["service", "environment", "instance", "check"][..]),
    ];
    let name = |names: &str| vec![format!("alertname=~\"{names}\"")];
    pairs
        .into_iter()
        .map(|(source, target, equal)| Inhibition {
            source_matchers: name(source),
            target_matchers: name(target),
            equal: equal.to_vec(),
        })
        .collect()
}

/// The name of a receiver: letters of any language, digits, `-` and `_`.
fn receiver(of: &str, what: &str) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || letter == '_' { letter } else { '-' };
    of.chars().map(plain).chain("-".chars()).chain(what.chars()).collect()
}

fn matcher(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::generate::sample;

    #[test]
    fn owners_in_other_letters_have_receivers_of_their_own() {
        assert_eq!(receiver("データ", "critical"), "データ-critical");
        assert_eq!(receiver("分析 チーム", "warning"), "分析-チーム-warning");
        assert_eq!(receiver("data \"eng\"\n", "warning"), "data--eng---warning");
    }

    #[test]
    fn each_owner_has_a_route_and_two_receivers() {
        let files = AlertmanagerOptions::default().files(&sample::declared()).unwrap();
        sample::write(&files);
        let text = &files[0].text;
        for owner in ["data", "finance", "growth", "storage"] {
            assert!(text.contains(&format!("owner=\"{owner}\"")), "{text}");
            for severity in ["critical", "warning"] {
                assert_eq!(text.matches(&format!("{owner}-{severity}")).count(), 2, "{text}");
            }
        }
    }
}
