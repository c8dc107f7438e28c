//! Detection of mistyped environment variables.

use std::ffi::OsString;
use std::fmt;

use crate::config::parse;
use crate::config::variables::VARIABLES;

/// The prefix of names that only obs uses.
const PREFIX: &str = "OBS_";

/// Prefixes of names that obs shares with others: a name is only reported if it is like one that obs reads.
const SHARED_PREFIXES: [&str; 10] =
    ["BIGQUERY_", "COST_", "DATADOG_", "DD_", "HEALTH_CHECK_", "LOG_", "OTEL_", "PROMETHEUS_", "SENTRY_", "TRACING_"];

/// How many letters of a shared name may be wrong.
const MAX_WRONG: usize = 2;

/// Variables that obs reads as context, not as configuration.
const INHERITED: [&str; 3] = ["OBS_CORRELATION_ID", "SENTRY_BAGGAGE", "SENTRY_TRACE"];

/// An environment variable that obs does not read, although its name looks as if it did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownVariable {
    /// The name.
    pub name: String,
    /// The variable that was probably meant, if there is one.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unknown variable {}", self.name.escape_debug())?;
        self.nearest.iter().try_for_each(|nearest| write!(formatter, " (did you mean {nearest}?)"))
    }
}

/// The names that start with `OBS_`, or with another prefix of obs and are like a known name, and do not exist in obs.
pub fn unknown(names: impl IntoIterator<Item = OsString>) -> Vec<UnknownVariable> {
    let mut unknown: Vec<UnknownVariable> =
        names.into_iter().filter_map(|name| name.into_string().ok()).filter_map(check).collect();
    unknown.sort_by(|left, right| left.name.cmp(&right.name));
    unknown
}

/// Whether the words of a name occur, alike and in this order, in those of a longer known name: `SENTRY_TRACE_RATE` in
/// `SENTRY_TRACES_SAMPLE_RATE`. A name with further words is probably another program's.
fn are_words_of(name: &str, prefix: &str, known: &str) -> bool {
    let mut known = known.split('_');
    name.strip_prefix(prefix).is_some_and(|own| own.split('_').all(|word| known.any(|known| are_alike(word, known))))
}

/// Whether one of two words is the beginning of the other, or both begin with the same four letters.
fn are_alike(one: &str, other: &str) -> bool {
    const LEAST: usize = 3;
    const ENOUGH: usize = 4;
    let common = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let shorter = one.chars().count().min(other.chars().count());
    shorter >= LEAST && common >= shorter.min(ENOUGH)
}

fn check(name: String) -> Option<UnknownVariable> {
    let known = || VARIABLES.iter().map(|variable| variable.name).chain(INHERITED);
    if known().any(|known| known == name) {
        return None;
    }
    // The common prefix would make every name similar.
    if let Some(own) = name.strip_prefix(PREFIX) {
        let nearest = parse::nearest(own, known().filter_map(|known| known.strip_prefix(PREFIX)));
        return Some(UnknownVariable { nearest: nearest.map(|nearest| format!("{PREFIX}{nearest}")), name });
    }
    let prefix = SHARED_PREFIXES.into_iter().find(|prefix| name.starts_with(prefix))?;
    let is_like = |known: &&str| {
        let in_words = |of: &str| of.strip_prefix(prefix).is_some_and(|own| are_words_of(&name, prefix, own));
        strsim::damerau_levenshtein(known, &name) <= MAX_WRONG || in_words(known)
    };
    let nearest = known().filter(|known| known.starts_with(prefix)).filter(is_like);
    let nearest = nearest.min_by_key(|known| strsim::damerau_levenshtein(known, &name))?.to_owned();
    Some(UnknownVariable { name, nearest: Some(nearest) })
}
