//! Secrets that the program knows the look of: regular expressions of its own.

use regex::{Regex, RegexBuilder, RegexSet};

use crate::redact::spans::Spans;

/// Largest automaton that a pattern may need, in bytes.
const LARGEST: usize = 1 << 20;

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression, or too large a one.
    #[error("{0}")]
    Invalid(String),
    /// It matches where nothing is, so that it would hide nothing and everything.
    #[error("it matches an empty text")]
    MatchesNothing,
}

/// The program's patterns.
#[derive(Debug, Default)]
pub struct Patterns {
    each: Vec<Regex>,
    /// All of them in one automaton, so that a text in which there is nothing is passed once; none when it were too large.
    all: Option<RegexSet>,
}

impl Patterns {
    /// These patterns; what is none is left out.
    pub fn new(patterns: &[String]) -> Self {
        let each: Vec<_> = patterns.iter().filter_map(|pattern| compile(pattern).ok()).collect();
        let all = RegexSet::new(each.iter().map(Regex::as_str));
        Self { all: all.ok(), each }
    }

    /// Whether any of them matches.
    pub fn may_match(&self, text: &str) -> bool {
        // Asked of each text that leaves, and an automaton of nothing takes its time too.
        if self.each.is_empty() {
            return false;
        }
        match &self.all {
            Some(all) => all.is_match(text),
            None => self.each.iter().any(|pattern| pattern.is_match(text)),
        }
    }

    /// Finds what they match: their first group where they have one, else all of it.
    pub fn find(&self, text: &str, spans: &mut Spans) {
        if self.each.is_empty() {
            return;
        }
        let find = |pattern: &Regex| {
            let matches =
                pattern.captures_iter(text).filter_map(|captures| captures.get(1).or_else(|| captures.get(0)));
            matches.for_each(|part| spans.add(part.range()));
        };
        match &self.all {
            Some(all) => all.matches(text).iter().map(|index| &self.each[index]).for_each(find),
            None => self.each.iter().for_each(find),
        }
    }
}

/// A pattern's automaton.
pub fn compile(pattern: &str) -> Result<Regex, PatternError> {
    let regex = RegexBuilder::new(pattern).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
    let regex = regex.map_err(|error| PatternError::Invalid(last_line(&error.to_string())))?;
    if regex.is_match("") { Err(PatternError::MatchesNothing) } else { Ok(regex) }
}

/// What the crate says at the end of several lines that show the place.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or_default().trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_hides_its_group_or_all_of_its_match() {
        let masked = |pattern: &str, text: &str| {
            let mut spans = Spans::default();
            Patterns::new(&[pattern.to_owned()]).find(text, &mut spans);
            spans.mask(text.to_owned().into()).into_owned()
        };
        assert_eq!(masked(r"EMP-\d{6}", "by EMP-123456 and EMP-654321"), "by [REDACTED] and [REDACTED]");
        assert_eq!(masked(r"customer (\d+)", "customer 5 of 7"), "customer [REDACTED] of 7");
    }

    #[test]
    fn many_patterns_hide_each_what_they_match() {
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
    fn what_is_no_pattern_is_told_in_a_line() {
        assert_eq!(compile("(").map(|_| ()), Err(PatternError::Invalid("unclosed group".to_owned())));
        assert_eq!(compile("x*").map(|_| ()), Err(PatternError::MatchesNothing));
        let large = compile(r"\w{1000}{1000}").map(|_| ()).unwrap_err().to_string();
        assert!(!large.contains('\n') && large.len() < 200, "{large}");
    }
}
