//! Detection of mistyped environment variables.

use std::ffi::OsString;
use std::fmt;

use crate::config::parse;
use crate::config::variables::VARIABLES;

/// The prefix of names that only obs uses.
const PREFIX: &str = "OBS_";

/// A variable that obs reads as context, not as configuration.
const INHERITED: &str = "OBS_CORRELATION_ID";

/// An environment variable that starts with `OBS_` and does not exist in obs.
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

/// The names that start with `OBS_` and do not exist in obs.
pub fn unknown(names: impl IntoIterator<Item = OsString>) -> Vec<UnknownVariable> {
    let known = || VARIABLES.iter().map(|variable| variable.name).chain([INHERITED]);
    let candidates =
        names.into_iter().filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(PREFIX));
    let mut unknown: Vec<UnknownVariable> = candidates
        .filter(|name| known().all(|known| known != name))
        .map(|name| {
            // The common prefix would make every name similar.
            let nearest = parse::nearest(
                name.strip_prefix(PREFIX).unwrap_or_default(),
                known().filter_map(|known| known.strip_prefix(PREFIX)),
            );
            UnknownVariable { nearest: nearest.map(|nearest| format!("{PREFIX}{nearest}")), name }
        })
        .collect();
    unknown.sort_by(|left, right| left.name.cmp(&right.name));
    unknown
}
