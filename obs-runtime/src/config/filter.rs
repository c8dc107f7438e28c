//! `LOG_LEVEL`: which lines are logged.

use std::fmt;
use std::str::FromStr;

use crate::base::level::Level;

/// Which lines are logged: a level, or directives as `info,hyper=warn`.
///
/// ```
/// use obs_runtime::{Level, config::LogFilter};
///
/// let filter: LogFilter = "info,hyper=warn,noisy=off".parse().unwrap();
/// assert!(filter.enables(Level::Info, "my_job::load"));
/// assert!(!filter.enables(Level::Info, "hyper::client"));
/// assert!(!filter.enables(Level::Critical, "noisy"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    /// The level of loggers that no directive names; nothing is logged without one.
    pub default: Option<Level>,
    /// Levels by prefix of the logger's name, longest prefix first; `None` is off.
    pub directives: Vec<(String, Option<Level>)>,
}

impl LogFilter {
    /// Whether a line of that level by that logger is logged.
    #[must_use]
    pub fn enables(&self, level: Level, logger: &str) -> bool {
        let least = self
            .directives
            .iter()
            .find(|(prefix, _)| {
                logger.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            })
            .map_or(self.default, |(_, level)| *level);
        least.is_some_and(|least| level >= least)
    }

    /// The least level that any logger may log at.
    #[must_use]
    pub fn least(&self) -> Option<Level> {
        self.directives.iter().filter_map(|(_, level)| *level).chain(self.default).min()
    }
}

impl From<Level> for LogFilter {
    fn from(level: Level) -> Self {
        Self { default: Some(level), directives: Vec::new() }
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(word(self.default))?;
        self.directives.iter().try_for_each(|(prefix, level)| write!(formatter, ",{prefix}={}", word(*level)))
    }
}

/// Why a text is no [`LogFilter`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{directive}` is neither a level nor a directive as `hyper=warn`")]
pub struct FilterError {
    /// The part that cannot be read.
    pub directive: String,
    /// The whole text with the likeliest level in its place, if any is likely.
    pub nearest: Option<String>,
}

impl FromStr for LogFilter {
    type Err = FilterError;

    /// Reads directives parted by commas. Without a level of its own the default stays at `INFO`; of two directives for
    /// the same logger the later one holds.
    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut filter = Self::from(Level::Info);
        for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
            let wrong = || FilterError { directive: directive.to_owned(), nearest: nearest(text) };
            match directive.split_once('=') {
                None => filter.default = level(directive).ok_or_else(wrong)?,
                Some((prefix, name)) => {
                    let prefix = prefix.trim();
                    let level = level(name.trim()).filter(|_| is_logger(prefix)).ok_or_else(wrong)?;
                    filter.directives.retain(|(other, _)| other != prefix);
                    filter.directives.push((prefix.to_owned(), level));
                }
            }
        }
        filter.directives.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(filter)
    }
}

fn is_logger(prefix: &str) -> bool {
    !prefix.is_empty() && prefix.chars().all(|letter| letter.is_alphanumeric() || "_-:./".contains(letter))
}

/// The level of that name; the inner `None` is off.
#[allow(clippy::option_option)]
fn level(name: &str) -> Option<Option<Level>> {
    if name.eq_ignore_ascii_case("off") { Some(None) } else { Level::parse(name).map(Some) }
}

const fn word(level: Option<Level>) -> &'static str {
    match level {
        Some(level) => level.as_str(),
        None => "off",
    }
}

/// The text with the likeliest level in place of each that is none; nothing if one of them is like no level.
fn nearest(text: &str) -> Option<String> {
    let words = || Level::ALL.map(Level::as_str).into_iter().chain(["WARN", "off"]);
    let parts: Option<Vec<String>> = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=') {
            Some((prefix, name)) if is_logger(prefix.trim()) => {
                Some(format!("{}={}", prefix.trim(), crate::config::parse::nearest(name.trim(), words())?))
            }
            Some(_) => None,
            None => crate::config::parse::nearest(part, words()),
        })
        .collect();
    parts.map(|parts| parts.join(","))
}
