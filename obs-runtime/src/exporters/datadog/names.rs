//! Makes names, tags and texts safe for DogStatsD: nothing in them can end a field, a line or a tag.
//!
//! A metric's name starts with an ASCII letter and contains ASCII letters, digits, `_` and `.`; a tag's name may also contain
//! `-` and `/`. A tag's value contains letters and digits of any script, `_`, `-`, `.`, `/` and `:`. Other characters become
//! `_`. Both have at most 200 characters; a longer one is cut and ends with a hash of the whole. Datadog ignores the case of
//! tags: `Zone` and `zone` are the same tag.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::metrics::cardinality::{exceeds, truncate_to};

/// The exporter's name, in `obs.dropped{sink="datadog"}`.
pub const EXPORTER: &str = "datadog";

/// The most characters that Datadog keeps of a metric's name, and of a tag with its value.
const MAX_LENGTH: usize = 200;

/// The most characters of a tag's name, which leaves room for its value.
const MAX_TAG_NAME_LENGTH: usize = 100;

/// Tags that the agent interprets as the origin of a metric, and labels that Prometheus reserves.
const RESERVED: [&str; 6] =
    ["host", "dd.internal.entity_id", "dd.internal.card", "dd.internal.jmx_check_name", "le", "quantile"];

/// A safe metric name.
pub fn metric_name(name: &str) -> Cow<'_, str> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if starts_well && name.len() <= MAX_LENGTH && name.chars().all(allowed) {
        return Cow::Borrowed(name);
    }
    let start = if starts_well { "" } else { "m_" };
    Cow::Owned(safe(&cut(&format!("{start}{name}"), MAX_LENGTH), allowed))
}

/// Cuts a longer text, which then ends with a hash of the whole: different texts stay different.
fn cut(text: &str, longest: usize) -> Cow<'_, str> {
    if exceeds(text, longest) { Cow::Owned(truncate_to(text, longest)) } else { Cow::Borrowed(text) }
}

fn safe(text: &str, allowed: impl Fn(char) -> bool) -> String {
    text.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect()
}

/// The tags of a series: names and values.
pub type Tags = Vec<(String, String)>;

/// Collects the tags of one series. A second tag of the same name, and a tag of a reserved name, is renamed to
/// `tag_<name>`. A tag without a value is omitted, but its name stays taken.
pub struct TagList {
    tags: Tags,
    /// Names in lower case.
    taken: HashSet<String>,
}

impl TagList {
    /// Starts a list of tags that are added to the `constant` ones.
    pub fn after(constant: &[(String, String)]) -> Self {
        Self { tags: Vec::new(), taken: constant.iter().map(|(name, _)| name.to_lowercase()).collect() }
    }

    /// Adds a tag.
    pub fn add(&mut self, name: &str, value: &str) {
        let mut name = tag_name(name);
        while !self.taken.insert(name.to_lowercase()) {
            name = tag_name(&format!("tag_{name}"));
        }
        let value = tag_value(value, MAX_LENGTH - name.chars().count() - 1);
        if !value.is_empty() {
            self.tags.push((name, value));
        }
    }

    /// The collected tags, without the constant ones.
    pub fn finish(self) -> Tags {
        self.tags
    }
}

fn tag_name(name: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || ['_', '-', '.', '/'].contains(&letter);
    let reserved = RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name));
    let start = if name.starts_with(|first: char| first.is_ascii_alphabetic()) && !reserved { "" } else { "tag_" };
    safe(&cut(&format!("{start}{name}"), MAX_TAG_NAME_LENGTH), allowed)
}

/// A safe tag value of at most `longest` characters.
pub fn tag_value(value: &str, longest: usize) -> String {
    let allowed = |letter: char| letter.is_alphanumeric() || ['_', '-', '.', '/', ':'].contains(&letter);
    let mut safe = safe(&cut(value, longest), allowed);
    if safe.ends_with(':') {
        safe.pop();
        safe.push('_');
    }
    safe
}

/// The tags that Datadog joins metrics, traces and logs by, and the others that everything carries.
#[derive(Clone, Debug, Default)]
pub struct UnifiedTags {
    pub service: String,
    pub env: String,
    pub version: String,
    pub others: Vec<(String, String)>,
}

/// A tag that everything carries; `None` when it has no value.
fn constant_tag(name: &str, value: &str) -> Option<(String, String)> {
    let value = tag_value(value, MAX_LENGTH - name.len() - 1);
    (!value.is_empty()).then(|| (name.to_owned(), value))
}

/// A text of at most `longest` characters. Control characters other than line feeds become spaces.
pub fn text(text: &str, longest: usize) -> String {
    let safe = |letter: char| if letter.is_control() && letter != '\n' { ' ' } else { letter };
    text.chars().take(longest).map(safe).collect()
}

/// A text on one line: line feeds become `\n`.
pub fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

/// The tags of everything that a process sends.
pub fn constant_tags(unified: &UnifiedTags, own: Option<(&str, &str)>) -> Tags {
    let UnifiedTags { service, env, version, others } = unified;
    let constant = [("service", &**service), ("env", &**env), ("version", &**version)].into_iter().chain(own);
    let mut constant: Tags = constant.filter_map(|(name, value)| constant_tag(name, value)).collect();
    let mut more = TagList::after(&constant);
    for (name, value) in others {
        more.add(name, value);
    }
    constant.extend(more.finish());
    constant
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(constant: &[&str], tags: &[(&str, &str)]) -> String {
        let constant: Vec<_> = constant.iter().map(|name| ((*name).to_owned(), String::new())).collect();
        let mut list = TagList::after(&constant);
        for (name, value) in tags {
            list.add(name, value);
        }
        list.finish().iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn a_metrics_name_begins_with_a_letter_and_holds_nothing_that_ends_it() {
        assert_eq!(metric_name("operation.duration.seconds"), "operation.duration.seconds");
        assert_eq!(metric_name("a:b|c#d,e\nf-ü"), "a_b_c_d_e_f__");
        assert_eq!((metric_name(""), metric_name("9.lives")), ("m_".into(), "m_9.lives".into()));
        let (one, other) = (metric_name(&"x".repeat(300)).into_owned(), metric_name(&"x".repeat(301)).into_owned());
        assert!(one.len() == 200 && other.len() == 200 && one != other && one.starts_with("xxx"));
    }

    #[test]
    fn nothing_in_a_tag_ends_it() {
        assert_eq!(tags(&[], &[("a:b,c|d#e\n", "f,g|h#i\nj:k:")]), "a_b_c_d_e_:f_g_h_i_j:k_");
        assert_eq!(tags(&[], &[("größe", "schön 大"), ("1st", "x"), ("", "y")]), "gr__e:schön_大,tag_1st:x,tag_:y");
    }

    #[test]
    fn a_tag_never_takes_a_name_that_is_taken_in_any_case_of_letters() {
        let taken =
            [("operation", "a"), ("Operation", "b"), ("service", "c"), ("HOST", "d"), ("x y", "1"), ("x_y", "2")];
        assert_eq!(tags(&["service"], &taken), "operation:a,tag_Operation:b,tag_service:c,tag_HOST:d,x_y:1,tag_x_y:2");
    }

    #[test]
    fn a_tag_without_a_value_is_left_out_and_keeps_its_name() {
        assert_eq!(tags(&[], &[("dataset", ""), ("dataset", "users")]), "tag_dataset:users");
        assert_eq!(constant_tag("version", ""), None);
    }

    #[test]
    fn a_tag_has_200_characters_at_most() {
        let long = "ä".repeat(500);
        for tag in
            [tags(&[], &[(&long, &long)]), tags(&[], &[("a", &long)]), tags(&[], &[(&long, &long), (&long, "b")])]
        {
            assert!(tag.split(',').all(|tag| tag.chars().count() <= 200), "{tag}");
        }
        assert_eq!(constant_tag("service", &long).unwrap().1.chars().count(), 192);
    }

    #[test]
    fn names_cut_to_the_same_one_are_told_apart() {
        let long = "a".repeat(100);
        let both = tags(&[], &[(&format!("{long}1"), "x"), (&format!("{long}2"), "y"), (&format!("{long}3"), "z")]);
        let names: HashSet<_> = both.split(',').map(|tag| tag.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(names.len(), 3, "{both}");
    }
}
