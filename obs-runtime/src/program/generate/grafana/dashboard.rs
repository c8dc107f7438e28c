//! A dashboard, as Grafana reads it.

use serde_json::{Value, json};

use crate::program::generate::declared::Declared;
use crate::program::generate::grafana::panel::{Panel, link};
use crate::program::generate::target::{file_name, made_by, shortened};

/// The most characters of a dashboard's identity.
const MAX_UID: usize = 40;

/// What stands for the id of a run in the address of its logs.
const CORRELATION_ID: &str = "{correlation_id}";

/// A dashboard.
#[derive(Clone, Debug)]
pub struct Dashboard {
    /// A word for its file and its identity.
    pub subject: String,
    pub title: String,
    /// The family that every service which can be chosen has, with its labels.
    pub known_by: String,
    pub panels: Vec<Panel>,
}

/// The subject of the dashboard of a command.
pub fn subject_of_command(name: &str) -> String {
    format!("command-{name}")
}

/// The identity of a dashboard, at most 40 characters.
pub fn uid(declared: &Declared, subject: &str) -> String {
    let name = format!("obs-{}-{}", file_name(&declared.service), file_name(subject));
    shortened(name, MAX_UID)
}

impl Dashboard {
    /// As Grafana reads it, with a link to the logs of a run.
    pub fn json(&self, declared: &Declared, target: &str, logs_url: Option<&str>) -> Value {
        let panels: Vec<Value> = self.panels.iter().enumerate().map(|(index, panel)| panel.json(index)).collect();
        let mut links = vec![json!({
            "title": format!("Dashboards of {}", declared.service), "url": "", "type": "dashboards", "targetBlank": false,
            "asDropdown": true, "icon": "external link", "includeVars": true, "keepTime": true,
            "tags": ["obs", declared.service], "tooltip": "",
        })];
        links.extend(logs_url.map(|url| link("Logs", &url.replace(CORRELATION_ID, "${correlation_id}"))));
        let has_id = logs_url.is_some_and(|url| url.contains(CORRELATION_ID));
        json!({
            "uid": uid(declared, &self.subject),
            "title": format!("{}: {}", declared.service, self.title),
            "description": made_by(target, declared),
            "tags": ["obs", declared.service],
            "schemaVersion": 42,
            "editable": true,
            "refresh": "1m",
            "time": {"from": "now-24h", "to": "now"},
            "links": links,
            "templating": {"list": self.variables(declared, has_id)},
            "panels": panels,
        })
    }

    fn variables(&self, declared: &Declared, has_id: bool) -> Vec<Value> {
        let source = json!({"type": "prometheus", "uid": "${datasource}"});
        let service = &declared.service;
        let mut all = vec![
            json!({"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus"}),
            json!({
                "type": "query", "name": "service", "label": "Service", "refresh": 2, "datasource": source,
                "query": format!("label_values({}, service)", self.known_by),
                "current": {"text": service, "value": service},
            }),
            json!({
                "type": "query", "name": "environment", "label": "Environment", "refresh": 2, "datasource": source,
                "query": "label_values(obs_build_info{service=\"$service\"}, environment)",
                "includeAll": true, "multi": true, "allValue": ".*", "current": {"text": "All", "value": "$__all"},
            }),
        ];
        if has_id {
            all.push(json!({
                "type": "textbox", "name": "correlation_id", "label": "Correlation id", "query": "",
                "description": "The run whose logs the link shows.",
            }));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_have_different_identities() {
        let declared = Declared { service: "a-service-with-a-long-name".to_owned(), ..Declared::default() };
        assert_eq!(uid(&declared, "cost"), "obs-a-service-with-a-long-name-cost");
        let [first, second] = ["command-load-the-users", "command-load-the-orders"].map(|name| uid(&declared, name));
        assert_eq!((first.len(), second.len()), (MAX_UID, MAX_UID));
        assert!(first != second && first.get(..30) == second.get(..30), "{first} {second}");
    }
}
