//! Secrets that the program describes by regular expressions.

use regex::{Regex, RegexBuilder, RegexSet};

use crate::redact::spans::Spans;

/// Maximum size of the automaton of a pattern, in bytes.
const MAX_AUTOMATON: usize = 1 << 20;

/// Maximum number of patterns, which the message of a problem with more names, too.
pub const MAX_PATTERNS: usize = 500;

/// How many bytes the patterns may look at in one text. Each match may have looked at the rest of the text.
const BUDGET: usize = 16 << 20;

/// Why a pattern is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is not a valid regular expression, or too large.
    #[error("{0}")]
    Invalid(String),
    /// It matches the empty text, so it would match everywhere.
    #[error("it matches an empty text")]
    MatchesEmptyText,
}

/// The program's patterns.
#[derive(Debug, Default)]
pub struct Patterns {
    patterns: Vec<Regex>,
    /// All patterns in one automaton, so that a text without a match is read once; `None` if it would be too large.
    set: Option<RegexSet>,
}

impl Patterns {
    /// Compiles patterns; invalid ones are left out.
    pub fn new(patterns: &[String]) -> Self {
        let patterns = patterns.iter().take(MAX_PATTERNS);
        let patterns: Vec<_> = patterns.filter_map(|pattern| compile(pattern).ok()).collect();
        let set = RegexSet::new(patterns.iter().map(Regex::as_str));
        Self { set: set.ok(), patterns }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether any pattern matches.
    pub fn may_match(&self, text: &str) -> bool {
        // This runs for every text that is exported, and even an automaton without patterns has a cost.
        if self.patterns.is_empty() {
            return false;
        }
        match &self.set {
            Some(set) => set.is_match(text),
            None => self.patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }

    /// Finds all matches: the first group of a pattern if it has one, otherwise the whole match.
    pub fn find(&self, text: &str, spans: &mut Spans) {
        if self.patterns.is_empty() {
            return;
        }
        let mut budget = BUDGET;
        let find = |pattern: &Regex| {
            let mut searched = 0;
            for captures in pattern.captures_iter(text) {
                let Some(part) = captures.get(1).or_else(|| captures.get(0)) else { continue };
                spans.add(part.range());
                let cost = text.len().saturating_sub(searched);
                searched = captures.get(0).map_or(searched, |matched| matched.end());
                let Some(left) = budget.checked_sub(cost) else {
                    // The rest is unknown, so all of it is hidden.
                    spans.add(searched..text.len());
                    return;
                };
                budget = left;
            }
        };
        match &self.set {
            Some(set) => set.matches(text).iter().map(|index| &self.patterns[index]).for_each(find),
            None => self.patterns.iter().for_each(find),
        }
    }
}

/// Compiles a pattern.
pub fn compile(pattern: &str) -> Result<Regex, PatternError> {
    let regex = RegexBuilder::new(pattern).size_limit(MAX_AUTOMATON).dfa_size_limit(MAX_AUTOMATON).build();
    let regex = regex.map_err(|error| PatternError::Invalid(last_line(&error.to_string())))?;
    if regex.is_match("") { Err(PatternError::MatchesEmptyText) } else { Ok(regex) }
}

/// The last line of a message of the regex crate; those before it show the position.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_hides_its_group_or_its_whole_match() {
        let masked = |pattern: &str, text: &str| {
            let mut spans = Spans::default();
            Patterns::new(&[pattern.to_owned()]).find(text, &mut spans);
            spans.mask(text.to_owned().into()).into_owned()
        };
        assert_eq!(masked(r"EMP-\d{6}", "by EMP-123456 and EMP-654321"), "by [REDACTED] and [REDACTED]");
        assert_eq!(masked(r"customer (\d+)", "customer 5 of 7"), "customer [REDACTED] of 7");
    }

    #[test]
    fn each_of_many_patterns_hides_its_matches() {
        let each: Vec<_> = (0..50).map(|number| format!(r"\bemployee-{number}-(\d+)")).collect();
        let patterns = Patterns::new(&each);
        let text = "employee-3-77 and employee-49-78, not employee-50-79";
        assert!(patterns.may_match(text) && !patterns.may_match("employee-50-79"));
        let mut spans = Spans::default();
        patterns.find(text, &mut spans);
        let masked = spans.mask(text.to_owned().into()).into_owned();
        assert_eq!(masked, "employee-3-[REDACTED] and employee-49-[REDACTED], not employee-50-79");
    }

    #[test]
    fn what_a_pattern_cannot_look_at_within_its_budget_is_hidden() {
        let masked = |length: usize| {
            let mut spans = Spans::default();
            Patterns::new(&[".*[^a-z]|[a-z]".to_owned()]).find(&"a".repeat(length), &mut spans);
            spans.mask("a".repeat(length).into()).into_owned()
        };
        // Each of the few matches of a short text is hidden by itself.
        assert_eq!(masked(3), "[REDACTED]".repeat(3));
        let long = masked(64 * 1024);
        let matches = long.matches("[REDACTED]").count();
        assert!(!long.contains('a') && (BUDGET / (64 * 1024)..BUDGET / (32 * 1024)).contains(&matches), "{matches}");
    }

    #[test]
    fn an_invalid_pattern_is_described_in_one_line() {
        assert_eq!(compile("(").map(|_| ()), Err(PatternError::Invalid("unclosed group".to_owned())));
        assert_eq!(compile("x*").map(|_| ()), Err(PatternError::MatchesEmptyText));
        let large = compile(r"\w{1000}{1000}").map(|_| ()).unwrap_err().to_string();
        assert!(!large.contains('\n') && large.len() < 200, "{large}");
    }
}
