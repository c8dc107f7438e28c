//! A monitor, as Datadog's API takes it.

use serde_json::{Map, Value, json};

use crate::program::generate::datadog::query::tag;
use crate::program::generate::declared::Declared;

/// A monitor.
#[derive(Clone, Debug)]
pub struct Monitor<'d> {
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
    pub runbook: Option<&'d str>,
    /// Further options.
    pub options: Vec<(&'static str, Value)>,
}

/// A text in a message, where two braces begin a variable, and `@` a handle, which is notified.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        if letter == '{' && plain.ends_with('{') {
            plain.push(' ');
        }
        plain.push(if letter.is_control() { ' ' } else { letter });
        if letter == '@' {
            plain.push(' ');
        }
    }
    plain
}

/// An address in a message. It stays one.
fn address(url: &str) -> String {
    let escaped = url.replace('@', "%40").replace('{', "%7B").replace('}', "%7D");
    escaped.chars().filter(|letter| !letter.is_control()).collect()
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

impl Monitor<'_> {
    /// Its JSON.
    pub fn json(&self, declared: &Declared, handles: &Handles) -> Value {
        let mut lines = vec![format!("{{{{#is_alert}}}}{}{{{{/is_alert}}}}", self.text)];
        lines.extend(self.runbook.map(|runbook| format!("Runbook: {}", address(runbook))));
        lines.extend(self.owner.as_ref().map(|owner| format!("Owner: {}", plain(owner))));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_no_variables_and_notify_nobody() {
        assert_eq!(plain("a {b} {{{c}}} @all x@y"), "a {b} { { {c}}} @ all x@ y");
        let handles = Handles::parse(&["@slack-data".to_owned()]).unwrap();
        let monitor = Monitor {
            name: "load".to_owned(),
            kind: "query alert",
            query: String::new(),
            text: "failed".to_owned(),
            priority: 1,
            critical: 0.0,
            owner: Some("@acme/data".to_owned()),
            runbook: Some("https://wiki.example/@data/{{a}}"),
            options: Vec::new(),
        };
        let json = monitor.json(&Declared::default(), &handles);
        let message = "{{#is_alert}}failed{{/is_alert}}\n\nRunbook: https://wiki.example/%40data/%7B%7Ba%7D%7D\n\nOwner: @ acme/data\n\n@slack-data";
        assert_eq!(json["message"], message);
    }
}
