//! Lists of names with values: `tags(…)`, `context(…)`, `labels(…)`.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use crate::grammar::args::{Args, Entry, Value};
use crate::grammar::diagnostics::Diagnostics;
use crate::grammar::vocabulary::Attribute;

/// Labels of every series or of the series of every call, and those that a scrape and a Pushgateway set.
const RESERVED_TAGS: [&str; 8] =
    ["operation", "outcome", "service", "environment", "version", "error_type", "job", "instance"];

/// Labels of the metric families of an attribute.
const fn labels(attribute: Attribute) -> &'static [&'static str] {
    match attribute {
        Attribute::TrackedCommand => &["command", "success", "argument"],
        Attribute::HealthCheck => &["check"],
        Attribute::DqCheck => &["check", "dataset", "severity"],
        Attribute::BqCost => &["kind", "reason", "query_type", "cache_hit", "operation_type", "dataset"],
        Attribute::WithErrorTracking | Attribute::TrackPerformance => &[],
    }
}

/// Labels of every job.
const OWN_JOB_LABELS: [&str; 4] = ["service", "environment", "operation", "correlation_id"];

/// A name and its value.
pub struct Field {
    pub name: Ident,
    pub value: Expr,
}

/// `tags(k = expr, …)`.
pub fn tags(args: &Args, diagnostics: &mut Diagnostics) -> Vec<Field> {
    let tags = fields("tags", args, diagnostics);
    for Field { name, .. } in &tags {
        let word = name.unraw().to_string();
        if RESERVED_TAGS.contains(&word.as_str()) || labels(args.attribute()).contains(&word.as_str()) {
            diagnostics.at(name, format!("`{word}` is a label set by obs; rename the tag"));
        }
    }
    tags
}

/// `labels(k = expr, …)`: labels of `BigQuery` jobs, with keys that `BigQuery` accepts.
pub fn job_labels(args: &Args, diagnostics: &mut Diagnostics) -> Vec<Field> {
    let labels = fields("labels", args, diagnostics);
    for Field { name, .. } in &labels {
        let word = name.unraw().to_string();
        let is_letter = |letter: char| letter.is_lowercase() || letter.is_ascii_digit() || letter == '_';
        if OWN_JOB_LABELS.contains(&word.as_str()) {
            diagnostics.at(name, format!("`{word}` is a label set by obs; rename the label"));
        } else if !word.starts_with(char::is_lowercase) || !word.chars().all(is_letter) || word.chars().count() > 63 {
            let rule = "at most 63 lowercase letters, digits and `_`, starting with a letter";
            diagnostics.at(name, format!("`{word}` is not a label key that BigQuery accepts: {rule}"));
        }
    }
    labels
}

/// `key(k = expr, …)`.
pub fn fields(key: &'static str, args: &Args, diagnostics: &mut Diagnostics) -> Vec<Field> {
    let mut fields = Vec::new();
    for Entry { key: name, value } in once_each(args.list(key, diagnostics), key, diagnostics) {
        match value {
            Value::Expr(value) => fields.push(Field { name, value }),
            Value::Absent | Value::List(_) => diagnostics.add(needs_value(&name, key)),
        }
    }
    fields
}

/// `key(expr, …)`.
pub fn expressions(key: &str, args: &Args, diagnostics: &mut Diagnostics) -> Vec<Expr> {
    let (Some(Value::List(group)), Some(definition)) = (args.written(key), args.definition(key)) else {
        return Vec::new();
    };
    let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
    let list = diagnostics.keep(parse.parse2(group.stream()));
    if list.as_ref().is_some_and(Punctuated::is_empty) {
        diagnostics.at(group, format!("`{key}` is empty: `{}`", definition.usage));
    }
    list.into_iter().flatten().collect()
}

/// The entries without duplicates, which are reported.
pub fn once_each(entries: Vec<Entry>, list: &str, diagnostics: &mut Diagnostics) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        let name = entry.name();
        if kept.iter().any(|earlier| earlier.name() == name) {
            diagnostics.at(&entry.key, format!("`{name}` is a duplicate in `{list}`; remove one"));
        } else {
            kept.push(entry);
        }
    }
    kept
}

pub fn needs_value(name: &Ident, list: &str) -> syn::Error {
    syn::Error::new_spanned(name, format!("`{name}` has no value: `{list}({name} = expr)`"))
}
