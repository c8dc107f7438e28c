//! Variables that begin as obs' own do and that obs does not know: most likely somebody mistyped one.

use std::ffi::OsString;
use std::fmt;

use crate::config::parse;
use crate::config::variables::VARIABLES;

/// What all names begin with that are obs' alone.
const OURS: &str = "OBS_";

/// Read by obs, though not as configuration: on whose behalf the process runs.
const INHERITED: &str = "OBS_CORRELATION_ID";

/// A variable that begins with `OBS_` and that obs does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name.
    pub name: String,
    /// The name that was likeliest meant, if any is likely.
    pub nearest: Option<String>,
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "obs knows no variable {}", self.name.escape_debug())?;
        self.nearest.iter().try_for_each(|nearest| write!(formatter, " (did you mean {nearest}?)"))
    }
}

/// Those of these variables that begin with `OBS_` and that obs does not know.
pub fn unknown(names: impl IntoIterator<Item = OsString>) -> Vec<UnknownVariable> {
    let known = || VARIABLES.iter().map(|variable| variable.name).chain([INHERITED]);
    let ours = names.into_iter().filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with(OURS));
    let mut unknown: Vec<UnknownVariable> = ours
        .filter(|name| known().all(|known| known != name))
        .map(|name| {
            // What they all begin with makes none likelier than another.
            let nearest = parse::nearest(&name[OURS.len()..], known().filter_map(|known| known.strip_prefix(OURS)));
            UnknownVariable { nearest: nearest.map(|nearest| format!("{OURS}{nearest}")), name }
        })
        .collect();
    unknown.sort_by(|left, right| left.name.cmp(&right.name));
    unknown
}
