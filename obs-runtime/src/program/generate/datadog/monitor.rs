//! A monitor, as Datadog's API takes it.

use serde_json::{Map, Value, json};

use crate::program::generate::datadog::query::tag;
use crate::program::generate::declared::Declared;

/// A monitor.
#[derive(Clone, Debug)]
pub struct Monitor {
    pub name: String,
    /// `query alert` or `service check`.
    pub kind: &'static str,
    pub query: String,
    /// What has happened.
    pub text: String,
    /// 1 is the most urgent, 5 the least.
    pub priority: u8,
    /// The number that the query is compared with.
    pub critical: f64,
    pub owner: Option<String>,
    pub runbook: Option<&'static str>,
    /// Further options.
    pub options: Vec<(&'static str, Value)>,
}

/// Who is told by a monitor: handles such as `@slack-data`, of all owners or of one.
#[derive(Clone, Debug, Default)]
pub struct Handles(pub Vec<(Option<String>, String)>);

impl Handles {
    /// Reads `@handle` or `OWNER=@handle`.
    ///
    /// # Errors
    /// If one of them is neither.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let handle = |text: &String| {
            let (owner, handle) = match text.split_once('=') {
                Some((owner, handle)) => (Some(owner.to_owned()), handle),
                None => (None, &**text),
            };
            let is_valid = handle.len() > 1 && handle.starts_with('@') && !handle.contains(char::is_whitespace);
            let expected = "expected a handle such as @slack-data, or OWNER=@slack-data";
            if is_valid { Ok((owner, handle.to_owned())) } else { Err(format!("--notify {text}: {expected}")) }
        };
        texts.iter().map(handle).collect::<Result<_, _>>().map(Self)
    }

    fn of(&self, owner: Option<&str>) -> String {
        let is_told = |of: &Option<String>| of.as_deref().is_none_or(|of| Some(of) == owner);
        let told = self.0.iter().filter(|(of, _)| is_told(of)).map(|(_, handle)| handle.as_str());
        told.collect::<Vec<_>>().join(" ")
    }
}

impl Monitor {
    /// Its JSON.
    pub fn json(&self, declared: &Declared, handles: &Handles) -> Value {
        let mut lines = vec![format!("{{{{#is_alert}}}}{}{{{{/is_alert}}}}", self.text)];
        lines.extend(self.runbook.map(|runbook| format!("Runbook: {runbook}")));
        lines.extend(self.owner.as_ref().map(|owner| format!("Owner: {owner}")));
        lines.extend(Some(handles.of(self.owner.as_deref())).filter(|told| !told.is_empty()));
        let mut tags = vec![format!("service:{}", tag(&declared.service)), "made_by:obs".to_owned()];
        tags.extend(self.owner.as_ref().map(|owner| format!("owner:{}", tag(owner))));
        let mut options = Map::new();
        options.insert("thresholds".to_owned(), json!({ "critical": self.critical }));
        options.insert("include_tags".to_owned(), true.into());
        options.extend(self.options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        json!({
            "name": format!("[{}] {}", declared.service, self.name),
            "type": self.kind,
            "query": self.query,
            "message": lines.join("\n\n"),
            "priority": self.priority,
            "tags": tags,
            "options": options,
        })
    }
}
