//! Panels of dashboards.

use serde_json::{Value, json};

/// How a panel shows its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Lines over time.
    Series,
    /// The current value of each series.
    Number,
}

/// A panel.
#[derive(Clone, Debug)]
pub struct Panel {
    pub title: String,
    /// What its values mean, if the title does not say it.
    pub description: &'static str,
    /// A unit of Grafana.
    pub unit: &'static str,
    pub shape: Shape,
    /// Each with its legend.
    pub queries: Vec<(String, &'static str)>,
    /// Runbooks by their titles.
    pub links: Vec<(String, String)>,
    /// Whether it shows a running process: what a process is doing is not kept after its end.
    pub of_process: bool,
}

/// Lines over time.
pub fn series(title: &str, unit: &'static str, queries: Vec<(String, &'static str)>) -> Panel {
    Panel {
        title: title.to_owned(),
        description: "",
        unit,
        shape: Shape::Series,
        queries,
        links: Vec::new(),
        of_process: false,
    }
}

/// The current value of each series.
pub fn number(title: &str, unit: &'static str, query: String, legend: &'static str) -> Panel {
    Panel { shape: Shape::Number, ..series(title, unit, vec![(query, legend)]) }
}

impl Panel {
    /// It shows a running process.
    pub fn of_process(self) -> Self {
        Self { of_process: true, ..self }
    }

    /// With links in its menu.
    pub fn linked(self, links: Vec<(String, String)>) -> Self {
        Self { links, ..self }
    }

    /// With a description.
    pub fn described(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// As Grafana reads it: two in a row.
    pub fn json(&self, index: usize) -> Value {
        const WIDTH: usize = 12;
        const HEIGHT: usize = 8;
        let is_series = self.shape == Shape::Series;
        let source = json!({"type": "prometheus", "uid": "${datasource}"});
        let targets: Vec<Value> = (self.queries.iter().zip('A'..='Z'))
            .map(|((query, legend), letter)| {
                json!({
                    "refId": letter.to_string(), "expr": query, "legendFormat": legend, "datasource": source,
                    "range": is_series, "instant": !is_series, "exemplar": is_series && query.contains("_bucket"),
                })
            })
            .collect();
        let links: Vec<Value> = self.links.iter().map(|(title, url)| link(title, url)).collect();
        let mut panel = json!({
            "id": index + 1,
            "type": if is_series { "timeseries" } else { "stat" },
            "title": self.title,
            "gridPos": {"x": index % 2 * WIDTH, "y": index / 2 * HEIGHT, "w": WIDTH, "h": HEIGHT},
            "datasource": source,
            "targets": targets,
            "links": links,
            "fieldConfig": {"defaults": {"unit": self.unit}, "overrides": []},
            "options": {},
        });
        if !self.description.is_empty() {
            panel["description"] = self.description.into();
        }
        panel
    }
}

/// A link to a page.
pub fn link(title: &str, url: &str) -> Value {
    json!({
        "title": title, "url": url, "type": "link", "targetBlank": true, "asDropdown": false, "icon": "external link",
        "includeVars": false, "keepTime": true, "tags": [], "tooltip": "",
    })
}
