//! Job labels, by BigQuery's rules: <https://cloud.google.com/bigquery/docs/labels-intro#requirements>.

use std::collections::{HashMap, HashSet};

use crate::bigquery::scope::CostScope;
use crate::context::current::Context;
use crate::pipeline::global;

/// The maximum length of a key or a value, in characters.
const LONGEST: usize = 63;

/// The maximum number of labels of a job.
const MOST: usize = 64;

/// The labels of a job. In order of precedence: the query's own, those of the enclosing scopes from the innermost
/// outwards, and those of the program: service, operation, correlation id. All of them are redacted before they are made to the rules.
pub fn of(context: &Context, own: &[(String, String)]) -> HashMap<String, String> {
    let mut labels = HashMap::new();
    let mut add = |key: &str, value: &str| {
        if let Some(shown) = key_of(&global::redact(key.to_owned()))
            && labels.len() < MOST
        {
            let value = || value_of(&global::redact_named(key, value.to_owned()));
            labels.entry(shown).or_insert_with(value);
        }
    };
    let scope = context.extension::<CostScope>();
    // A key that is given twice has its last value.
    for (key, value) in own.iter().rev() {
        add(key, value);
    }
    for scope in CostScope::outwards(scope.as_deref()) {
        scope.labels().iter().for_each(|(key, value)| add(key, value));
    }
    let pipeline = global::pipeline();
    if let Some(config) = pipeline.as_ref().map(|pipeline| pipeline.config()) {
        add("service", &config.service_name);
        add("environment", &config.environment);
    }
    if let Some(operation) = scope.as_deref().map(CostScope::name).or(context.operation()) {
        add("operation", operation);
    }
    if let Some(id) = context.correlation_id() {
        add("correlation_id", id);
    }
    labels
}

/// What is wrong with the labels of a query; none if a job can have them all.
pub fn fault(own: &[(String, String)]) -> Option<String> {
    if let Some((key, _)) = own.iter().find(|(key, _)| key_of(key).is_none()) {
        return Some(global::redact(format!("the label key `{key}` has no letter, with which a key begins")));
    }
    let keys: HashSet<_> = own.iter().filter_map(|(key, _)| key_of(key)).collect();
    (keys.len() > MOST).then(|| format!("the query has {} labels; a job has at most {MOST}", keys.len()))
}

/// A valid key, which begins with a letter; `None` if no character is left.
fn key_of(key: &str) -> Option<String> {
    let key = value_of(key);
    let key = key.trim_start_matches(|letter: char| !letter.is_alphabetic());
    Some(key.to_owned()).filter(|key| !key.is_empty())
}

/// A valid value: lower-case letters of any script, digits, `_` and `-`.
fn value_of(value: &str) -> String {
    let lower = value.chars().flat_map(char::to_lowercase);
    let allowed = |letter: char| {
        let fits = letter.is_alphanumeric() && !letter.is_uppercase() || matches!(letter, '_' | '-');
        if fits { letter } else { '_' }
    };
    lower.map(allowed).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_made_to_the_rules() {
        assert_eq!(value_of("Growth Team/EU: 3"), "growth_team_eu__3");
        assert_eq!(value_of("Größe-中文_ß"), "größe-中文_ß");
        assert_eq!(value_of(&"x".repeat(99)).len(), 63);
        assert_eq!(value_of(""), "");
        assert_eq!(key_of("1-Cost Centre").as_deref(), Some("cost_centre"));
        assert_eq!(key_of("--9"), None);
    }
}
