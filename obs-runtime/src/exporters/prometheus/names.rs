//! Converts names and labels to Prometheus' rules.
//!
//! A series has the family's own labels, then the constant labels, then the call's tags, sorted by name. A tag with the name
//! of an earlier label, or with a reserved name (`le`, `quantile`, `job`, `instance`, `__…`), is renamed to `tag_<name>`. A label without a value
//! is omitted: to Prometheus it is the same as no label.
//!
//! The version of the program is only a label of `obs_build_info`: on every series it would end all of them at a deploy.

use std::borrow::Cow;

use crate::metrics::catalogue::{Family, Kind};
use crate::metrics::snapshot::Labels;

/// The labels of every series.
pub const CONSTANT: [&str; 2] = ["service", "environment"];

/// Names that the text format, the scrape of Prometheus or the grouping key of a Pushgateway use.
const RESERVED: [&str; 4] = ["le", "quantile", "job", "instance"];

/// The family's name: `.` and `-` become `_`, and a counter ends with `_total`.
pub fn metric_name(family: &Family) -> String {
    let mut name = safe_metric_name(family.name).into_owned();
    if family.kind == Kind::Counter && !name.ends_with("_total") {
        name.push_str("_total");
    }
    name
}

/// Formats the labels of a family's series.
pub struct LabelTexts<'a> {
    own: &'static [&'static str],
    /// The constant labels, formatted.
    constant: String,
    claimed: Claimed<'a>,
}

impl<'a> LabelTexts<'a> {
    /// A formatter for a family, with labels that every series has.
    pub fn new(family: &Family, constant: &[(&'a str, &str)]) -> Self {
        let mut claimed = Claimed(family.labels.iter().map(|name| Cow::Borrowed(*name)).collect());
        Self { own: family.labels, constant: claimed.texts(constant), claimed }
    }

    /// The labels of a series, as between the braces.
    pub fn text(&self, labels: &Labels) -> String {
        let mut text = String::with_capacity(128);
        let is_own = |name: &str| self.own.contains(&name);
        for own in self.own {
            let value = labels.iter().find(|(name, _)| name == own);
            push_label(&mut text, own, value.map_or("", |(_, value)| value));
        }
        if !text.is_empty() && !self.constant.is_empty() {
            text.push(',');
        }
        text.push_str(&self.constant);
        let is_first = |index: usize, name: &str| !labels[..index].iter().any(|(earlier, _)| earlier == name);
        let tags = labels.iter().enumerate().filter(|(index, (name, _))| !is_own(name) || !is_first(*index, name));
        let mut tags: Vec<_> = tags.map(|(_, (name, value))| (safe(name, |_| false), value)).collect();
        if !tags.is_empty() {
            tags.sort_unstable();
            let mut claimed = self.claimed.clone();
            for (name, value) in tags {
                push_label(&mut text, claimed.claim(name), value);
            }
        }
        text
    }
}

/// The labels of every series, as between the braces.
pub fn constant_text(constant: &[(&str, &str)]) -> String {
    Claimed::default().texts(constant)
}

/// A metric's name with only letters, digits, `_` and `:`.
pub fn safe_metric_name(name: &str) -> Cow<'_, str> {
    safe(name, |character| character == ':')
}

/// The labels of a metric of the program, safe and sorted, without those that have no value.
pub fn user_labels<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    let mut labels: Vec<_> = labels.map(|(name, value)| (safe(name, |_| false), value)).collect();
    labels.sort_unstable();
    let mut claimed = Claimed(CONSTANT.map(Cow::Borrowed).to_vec());
    let labels = labels.into_iter().filter(|(_, value)| !value.is_empty());
    labels.map(|(name, value)| (claimed.claim(name).to_owned(), value.to_owned())).collect()
}

/// The names that a series uses already.
#[derive(Clone, Default)]
struct Claimed<'a>(Vec<Cow<'a, str>>);

impl<'a> Claimed<'a> {
    /// Formats labels, each of which claims its name.
    fn texts(&mut self, labels: &[(&'a str, &str)]) -> String {
        let mut text = String::new();
        for &(name, value) in labels {
            push_label(&mut text, self.claim(safe(name, |_| false)), value);
        }
        text
    }

    fn claim(&mut self, mut name: Cow<'a, str>) -> &str {
        let reserved = |name: &str| RESERVED.contains(&name) || name.starts_with("__");
        while reserved(&name) || self.0.contains(&name) {
            name = Cow::Owned(format!("tag_{name}"));
        }
        self.0.push(name);
        self.0.last().map_or("", |name| name)
    }
}

fn push_label(text: &mut String, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push(',');
    }
    text.push_str(name);
    text.push_str("=\"");
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text.push('"');
}

/// A name with only letters, digits and `_` that does not start with a digit.
fn safe(name: &str, also: impl Fn(char) -> bool) -> Cow<'_, str> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || character == '_' || also(character);
    let starts_well = name.chars().next().is_some_and(|first| !first.is_ascii_digit());
    if starts_well && name.chars().all(allowed) {
        return Cow::Borrowed(name);
    }
    let replaced = name.chars().map(|character| if allowed(character) { character } else { '_' });
    Cow::Owned(if starts_well { replaced.collect() } else { std::iter::once('_').chain(replaced).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::catalogue;
    use crate::metrics::catalogue::{FAMILIES, Unit};

    fn text(family: &Family, labels: &[(&'static str, &str)], constant: &[(&str, &str)]) -> String {
        let labels =
            labels.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned((*value).to_owned()))).collect();
        LabelTexts::new(family, constant).text(&labels)
    }

    #[test]
    fn a_counter_ends_in_total_once() {
        assert_eq!(metric_name(&catalogue::BIGQUERY_TOTAL_COST_USD), "bigquery_total_cost_usd_total");
        let named = |name, kind| metric_name(&Family { name, kind, unit: Unit::Count, labels: &[], help: "" });
        assert_eq!(named("rows.total", Kind::Counter), "rows_total");
        assert_eq!(named("9-lives", Kind::Gauge), "_9_lives");
    }

    #[test]
    fn no_two_families_share_a_name() {
        let mut names: Vec<_> = FAMILIES.iter().map(metric_name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAMILIES.len());
    }

    #[test]
    fn own_labels_come_first_then_constant_ones_then_tags_by_name() {
        let labels = [("operation", "load"), ("zone", "eu"), ("day", "1")];
        assert_eq!(
            text(&catalogue::OPERATION_SUCCESS, &labels, &[("service", "etl"), ("version", "1.0")]),
            r#"operation="load",service="etl",version="1.0",day="1",zone="eu""#
        );
    }

    #[test]
    fn a_tag_never_takes_a_name_that_is_taken() {
        let labels =
            [("operation", "a"), ("operation", "b"), ("service", "c"), ("le", "d"), ("__name__", "e"), ("job", "f")];
        assert_eq!(
            text(&catalogue::OPERATION_SUCCESS, &labels, &[("service", "etl")]),
            r#"operation="a",service="etl",tag___name__="e",tag_job="f",tag_le="d",tag_operation="b",tag_service="c""#
        );
        let labels = [("operation", "a"), ("x-y", "1"), ("x.y", "2"), ("x y", "3")];
        assert_eq!(
            text(&catalogue::OPERATION_SUCCESS, &labels, &[]),
            r#"operation="a",x_y="1",tag_x_y="2",tag_tag_x_y="3""#
        );
    }

    #[test]
    fn a_family_claims_its_labels_even_without_a_value() {
        let tagged = text(&catalogue::OPERATION_FAILURE, &[("operation", "a"), ("outcome", "")], &[]);
        assert_eq!(tagged, r#"operation="a""#);
        let tagged = text(&catalogue::OPERATION_SUCCESS, &[("", "x"), ("1st", "y"), ("größe", "z")], &[]);
        assert_eq!(tagged, r#"_="x",_1st="y",gr__e="z""#);
    }

    #[test]
    fn values_are_escaped() {
        let escaped = text(&catalogue::OPERATION_SUCCESS, &[("operation", "a\\b\"c\nd é")], &[]);
        assert_eq!(escaped, r#"operation="a\\b\"c\nd é""#);
    }
}
