//! Rules and groups of rules, as Prometheus reads them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::program::generate::prometheus::promql::{duration, plain};

/// A file of rules.
#[derive(Clone, Debug, Serialize)]
pub struct RuleFile {
    pub groups: Vec<Group>,
}

/// Rules that are evaluated one after the other.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    pub name: String,
    pub rules: Vec<Rule>,
}

/// A recording or an alerting rule.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<&'static str>,
    pub expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<&'static str, String>,
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody is woken.
    Critical,
    /// Somebody looks at it during the day.
    Warning,
}

impl Urgency {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

/// Whom an alert concerns, and where to read on.
#[derive(Clone, Debug, Default)]
pub struct Concern {
    pub owner: Option<String>,
    pub runbook: Option<String>,
    pub dashboard: Option<String>,
}

impl Rule {
    /// A recording rule.
    pub fn record(name: impl Into<String>, expr: String) -> Self {
        Self { record: Some(name.into()), expr, ..Self::default() }
    }

    /// An alerting rule. The summary and the description are templates.
    pub fn alert(name: &'static str, urgency: Urgency, expr: String, summary: String, description: String) -> Self {
        Self {
            alert: Some(name),
            expr,
            labels: BTreeMap::from([("severity", urgency.as_str().to_owned())]),
            annotations: BTreeMap::from([("summary", summary), ("description", description)]),
            ..Self::default()
        }
    }

    /// Fires only after the expression has held for this long.
    #[must_use]
    pub fn after(mut self, pending: Duration) -> Self {
        self.pending = Some(duration(pending));
        self
    }

    /// Sets a label.
    #[must_use]
    pub fn label(mut self, name: &'static str, value: &str) -> Self {
        self.labels.insert(name, plain(value));
        self
    }

    /// Sets owner, runbook and dashboard.
    #[must_use]
    pub fn concerning(mut self, concern: &Concern) -> Self {
        if let Some(owner) = &concern.owner {
            self.labels.insert("owner", plain(owner));
        }
        for (name, value) in [("runbook", &concern.runbook), ("dashboard", &concern.dashboard)] {
            if let Some(value) = value {
                self.annotations.insert(name, plain(value));
            }
        }
        self
    }
}
