//! Secrets that are recognised by their format: runs the [rules](crate::redact::rules::RULES) whose keywords occur.

use std::sync::OnceLock;

use regex::Regex;

use crate::redact::cards;
use crate::redact::rules::RULES;
use crate::redact::scan::Candidates;
use crate::redact::spans::Spans;
use crate::redact::urls;

/// The compiled rules. Each is compiled when a text first may contain its secret; most programs never need most of them.
static COMPILED: [OnceLock<Option<Regex>>; RULES.len()] = [const { OnceLock::new() }; RULES.len()];

/// Finds secrets of the given kinds.
pub fn find(text: &str, found: Candidates, spans: &mut Spans) {
    let rules = RULES.iter().zip(&COMPILED).enumerate().filter(|(number, _)| found.has_rule(*number));
    // A test checks that every rule compiles.
    let compiled = rules
        .filter_map(|(_, (rule, regex))| Some((rule, regex.get_or_init(|| Regex::new(rule.pattern).ok()).as_ref()?)));
    for (rule, regex) in compiled {
        let parts = regex.captures_iter(text).filter_map(|captures| (rule.part)(text, &captures));
        parts.for_each(|part| spans.add(part));
    }
    if found.has(Candidates::AT) {
        urls::find(text, spans);
    }
    if found.has(Candidates::DIGITS) {
        cards::find(text, spans);
    }
}
