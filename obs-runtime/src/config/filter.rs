//! `LOG_LEVEL`: which log lines are written.

use std::fmt;
use std::str::FromStr;

use crate::base::level::Level;
use crate::config::parse;

/// Selects the log lines that are written: a level, or directives such as `info,hyper=warn`.
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
#[non_exhaustive]
pub struct LogFilter {
    /// The minimum level of loggers that match no directive; `None` is off.
    pub default: Option<Level>,
    /// Minimum levels by prefix of the logger's name, longest prefix first; `None` is off.
    pub directives: Vec<(String, Option<Level>)>,
}

impl LogFilter {
    /// Whether a line with this level and logger is written.
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

    /// The lowest level that is enabled for any logger.
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

/// A text is not a [`LogFilter`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{directive}` is neither a level nor a directive such as `hyper=warn`")]
#[non_exhaustive]
pub struct LogFilterError {
    /// The invalid part.
    pub directive: String,
    /// The whole text with each invalid level replaced by the closest valid one, if there is one.
    pub nearest: Option<String>,
}

impl FromStr for LogFilter {
    type Err = LogFilterError;

    /// Parses directives separated by commas. The default level is `INFO` if none is given. The last of several directives for
    /// the same logger applies.
    fn from_str(text: &str) -> Result<Self, LogFilterError> {
        let mut filter = Self::from(Level::Info);
        for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
            let wrong = || LogFilterError { directive: directive.to_owned(), nearest: nearest(text) };
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

/// Parses a level; `Some(None)` is off.
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

/// The text with each invalid level replaced by the closest valid one; `None` if there is none for one of them.
fn nearest(text: &str) -> Option<String> {
    let words = || Level::ALL.map(Level::as_str).into_iter().chain(["WARN", "off"]);
    let parts: Option<Vec<String>> = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| match part.split_once('=') {
            Some((prefix, name)) if is_logger(prefix.trim()) => {
                Some(format!("{}={}", prefix.trim(), parse::nearest(name.trim(), words())?))
            }
            Some(_) => None,
            None => parse::nearest(part, words()),
        })
        .collect();
    parts.map(|parts| parts.join(","))
}
