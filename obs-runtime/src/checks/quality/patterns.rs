//! Names in a selection: exact ones, and patterns with `*` and `?`.

use std::collections::BTreeSet;

use regex::Regex;

use crate::config::parse;

/// Names and patterns. Every name is also one that means itself, with `*` and `?` in it.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    /// Whether any were asked for, if only none.
    is_given: bool,
    exact: BTreeSet<String>,
    globs: Vec<Glob>,
}

/// A pattern: `*` stands for any letters, `?` for one.
#[derive(Clone, Debug)]
struct Glob {
    written: String,
    /// What stands before the first `*` or `?`.
    start: String,
    regex: Regex,
}

impl Glob {
    fn new(written: &str) -> Option<Self> {
        let start = written.split(['*', '?']).next().filter(|start| start.len() < written.len())?;
        let escaped = regex::escape(written).replace(r"\*", ".*").replace(r"\?", ".");
        let regex = Regex::new(&format!("(?s)^{escaped}$")).ok()?;
        Some(Self { written: written.to_owned(), start: start.to_owned(), regex })
    }
}

impl Patterns {
    pub const fn new() -> Self {
        Self { is_given: false, exact: BTreeSet::new(), globs: Vec::new() }
    }

    /// Notes that a list was given: one without names matches none.
    pub const fn give(&mut self) {
        self.is_given = true;
    }

    pub fn add(&mut self, written: String) {
        self.globs.extend(Glob::new(&written));
        self.exact.insert(written);
        self.give();
    }

    /// Whether none were asked for.
    pub const fn is_empty(&self) -> bool {
        !self.is_given
    }

    pub fn matches(&self, name: &str) -> bool {
        self.exact.contains(name) || self.globs.iter().any(|glob| glob.regex.is_match(name))
    }

    /// Whether a name `start…` can match, of which no more is known.
    pub fn can_match(&self, start: &str, end: &str) -> bool {
        let exactly = |name: &String| name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end));
        let by_glob = |glob: &Glob| glob.start.starts_with(start) || start.starts_with(&*glob.start);
        self.exact.iter().any(exactly) || self.globs.iter().any(by_glob)
    }

    /// Each as it was written.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        self.exact.iter().map(String::as_str)
    }

    /// Each in quotes.
    pub fn quoted(&self) -> String {
        self.exact.iter().map(|name| format!("`{}`", name.escape_debug())).collect::<Vec<_>>().join(", ")
    }

    /// A sentence for each that matches none of the known names, with the nearest of them. A name that results do not show plainly
    /// is no suggestion.
    pub fn absent<'p>(&'p self, what: &'p str, known: &'p BTreeSet<String>) -> impl Iterator<Item = String> + 'p {
        let is_unknown = |name: &&String| match self.globs.iter().find(|glob| glob.written == **name) {
            Some(glob) => !known.contains(*name) && !known.iter().any(|known| glob.regex.is_match(known)),
            None => !known.contains(*name),
        };
        self.exact.iter().filter(is_unknown).map(move |name| {
            if self.globs.iter().any(|glob| glob.written == *name) {
                return format!("no {what} matches `{}`; `dq list` shows all", name.escape_debug());
            }
            let nearest = parse::nearest(name, known.iter().map(String::as_str).filter(|known| !known.is_empty()));
            let hint =
                nearest.map_or_else(|| "; `dq list` shows all".to_owned(), |near| format!("; did you mean `{near}`?"));
            format!("there is no {what} `{}`{hint}", name.escape_debug())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_and_brackets_are_letters() {
        let mut patterns = Patterns::new();
        for written in ["rows[*]", "null_?ds", "a.b", "2 * 3"] {
            patterns.add(written.to_owned());
        }
        for (name, matches) in [
            ("rows[users]", true),
            ("rows", false),
            ("my rows[users]", false),
            ("null_ids", true),
            ("null_kids", false),
            ("a.b", true),
            ("axb", false),
            ("2 * 3", true),
        ] {
            assert_eq!(patterns.matches(name), matches, "{name}");
        }
        assert!(
            patterns.can_match("rows[", "]")
                && patterns.can_match("null_", "")
                && !patterns.can_match("freshness[", "]")
        );
        let known = ["null_ids", "rows"].map(str::to_owned).into();
        let absent: Vec<_> = patterns.absent("check", &known).collect();
        assert_eq!(absent[0], "no check matches `2 * 3`; `dq list` shows all");
        assert_eq!(absent.len(), 3, "{absent:?}");
    }
}
