//! `LOG_LEVEL`: which log lines are written.

use std::fmt;
use std::str::FromStr;

use crate::base::level::Level;
use crate::config::filter_words::{is_within, level, word};
use crate::config::parse;
use crate::config::span_directive::SpanDirective;
use crate::events::log_span::LogSpan;

/// Selects the log lines that are written: a level, or directives such as `info,hyper=warn`, also for the lines in some spans of
/// `tracing`: `info,[job{id=7}]=debug`. A target without a level enables everything of it: `info,my_job`.
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
    /// Minimum levels of lines within spans.
    pub spans: Vec<SpanDirective>,
}

impl LogFilter {
    /// No line is written.
    pub(crate) const fn off() -> Self {
        Self { default: None, directives: Vec::new(), spans: Vec::new() }
    }

    /// Whether a line with this level and logger is written, outside of the spans of its [`spans`](Self::spans).
    #[must_use]
    pub fn enables(&self, level: Level, logger: &str) -> bool {
        let least = self
            .directives
            .iter()
            .find(|(prefix, _)| is_within(logger, prefix))
            .map_or(self.default, |(_, level)| *level);
        least.is_some_and(|least| level >= least)
    }

    /// The same for a line within this span of `tracing`.
    pub(crate) fn enables_in(&self, level: Level, logger: &str, span: Option<&LogSpan>) -> bool {
        self.enables(level, logger)
            || span.is_some_and(|span| self.spans.iter().any(|directive| directive.enables(level, logger, span)))
    }

    /// The lowest level that is enabled for any logger.
    #[must_use]
    pub fn least(&self) -> Option<Level> {
        // A span of any level may be one of those.
        let in_spans = (!self.spans.is_empty()).then_some(Level::Trace);
        self.directives.iter().filter_map(|(_, level)| *level).chain(self.default).chain(in_spans).min()
    }

    /// Reads `RUST_LOG`, in which a target can stand alone and nothing but errors is enabled by default. Returns what is not read.
    pub(crate) fn of_rust_log(text: &str) -> (Self, Vec<LogFilterError>) {
        let mut filter = Self::from(Level::Error);
        let mut problems = Vec::new();
        for directive in split(text) {
            // The name of a crate has underscores in targets.
            if let Err(error) = filter.add(directive, true) {
                if let Some(nearest) = &error.nearest {
                    // Reported all the same.
                    let _ = filter.add(nearest, true);
                }
                problems.push(error);
            }
        }
        filter.sort();
        (filter, problems)
    }

    fn add(&mut self, directive: &str, may_be_bare: bool) -> Result<(), LogFilterError> {
        let wrong = |nearest: Option<String>| LogFilterError { directive: directive.to_owned(), nearest };
        if directive.contains('[') {
            self.spans.push(SpanDirective::parse(directive).ok_or_else(|| wrong(None))?);
            return Ok(());
        }
        let (prefix, level) = match directive.split_once('=') {
            Some((prefix, name)) => {
                let of_level = || parse::nearest(name.trim(), words()).map(|near| format!("{}={near}", prefix.trim()));
                (prefix.trim(), level(name.trim()).ok_or_else(|| wrong(of_level()))?)
            }
            None => match level(directive) {
                Some(level) => {
                    self.default = level;
                    return Ok(());
                }
                None if may_be_bare && parse::nearest(directive, words()).is_none() => (directive, Some(Level::Trace)),
                None => return Err(wrong(parse::nearest(directive, words()))),
            },
        };
        if !is_logger(prefix) {
            return Err(wrong(None));
        }
        if prefix.contains('-') {
            return Err(wrong(Some(directive.replacen(prefix, &prefix.replace('-', "_"), 1))));
        }
        self.directives.retain(|(other, _)| other != prefix);
        self.directives.push((prefix.to_owned(), level));
        Ok(())
    }

    fn sort(&mut self) {
        self.directives.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
    }
}

/// The directives of a text: commas in brackets and braces are part of one.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    let is_end = move |letter: char| {
        match letter {
            '[' | '{' => depth = depth.saturating_add(1),
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    };
    text.split(is_end).map(str::trim).filter(|directive| !directive.is_empty())
}

impl From<Level> for LogFilter {
    fn from(level: Level) -> Self {
        Self { default: Some(level), directives: Vec::new(), spans: Vec::new() }
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(word(self.default))?;
        self.directives.iter().try_for_each(|(prefix, level)| write!(formatter, ",{prefix}={}", word(*level)))?;
        self.spans.iter().try_for_each(|directive| write!(formatter, ",{directive}"))
    }
}

/// A text is not a [`LogFilter`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{directive}` is neither a level nor a directive such as `hyper=warn`")]
#[non_exhaustive]
pub struct LogFilterError {
    /// The invalid part.
    pub directive: String,
    /// The whole text with each invalid part replaced by the closest valid one, if there is one.
    pub nearest: Option<String>,
}

impl FromStr for LogFilter {
    type Err = LogFilterError;

    /// Parses directives separated by commas. The default level is `INFO` if none is given. The last of several directives for
    /// the same logger applies. A target without a level is one only beside other directives, or with `::` in it; a single word is
    /// probably a level that is misspelt.
    fn from_str(text: &str) -> Result<Self, LogFilterError> {
        let mut filter = Self::from(Level::Info);
        let may_be_bare = |directive: &str| directive.contains("::") || split(text).count() > 1;
        for directive in split(text) {
            let add = |error: LogFilterError| LogFilterError { nearest: nearest(text), ..error };
            filter.add(directive, may_be_bare(directive)).map_err(add)?;
        }
        filter.sort();
        Ok(filter)
    }
}

fn is_logger(prefix: &str) -> bool {
    !prefix.is_empty() && prefix.chars().all(|letter| letter.is_alphanumeric() || "_-:./".contains(letter))
}

fn words() -> impl Iterator<Item = &'static str> {
    Level::ALL.map(Level::as_str).into_iter().chain(["WARN", "off"])
}

/// The text with each invalid part replaced by the closest valid one; `None` if there is none for one of them.
fn nearest(text: &str) -> Option<String> {
    let mut filter = LogFilter::from(Level::Info);
    let valid = |directive: &str| match filter.add(directive, split(text).count() > 1) {
        Ok(()) if level(directive).is_some() => parse::nearest(directive, words()),
        Ok(()) => Some(directive.to_owned()),
        Err(error) => error.nearest,
    };
    let parts: Option<Vec<String>> = split(text).map(valid).collect();
    parts.map(|parts| parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_can_stand_alone_beside_others() {
        let filter: LogFilter = "info,my_job,other::part".parse().unwrap();
        assert!(filter.enables(Level::Trace, "my_job::load") && filter.enables(Level::Trace, "other::part"));
        assert!(!filter.enables(Level::Debug, "other"));
        assert_eq!("LOUD".parse::<LogFilter>().unwrap_err().nearest, None);
        assert_eq!("info,debgu".parse::<LogFilter>().unwrap_err().nearest.as_deref(), Some("INFO,DEBUG"));
        assert!("hyper::client".parse::<LogFilter>().is_ok());
    }

    #[test]
    fn the_name_of_a_crate_with_a_dash_is_refused_with_the_right_one() {
        let error = "info,my-job=debug".parse::<LogFilter>().unwrap_err();
        assert_eq!((&*error.directive, error.nearest.as_deref()), ("my-job=debug", Some("INFO,my_job=debug")));
    }

    #[test]
    fn rust_log_is_read_as_far_as_it_can_be() {
        let (filter, problems) =
            LogFilter::of_rust_log("my_job,hyper=warn,my-lib=debug,a=b=c,[job{id=7,name=x}]=debug");
        assert_eq!(filter.default, Some(Level::Error));
        assert!(filter.enables(Level::Trace, "my_job") && filter.enables(Level::Debug, "my_lib::part"));
        assert!(!filter.enables(Level::Info, "hyper") && filter.spans.len() == 1);
        let wrong: Vec<_> = problems.iter().map(|problem| &*problem.directive).collect();
        assert_eq!(wrong, ["my-lib=debug", "a=b=c"]);
    }

    #[test]
    fn a_filter_is_shown_as_it_is_read() {
        for text in
            ["INFO,hyper=WARNING", "INFO,[job{id=7}]=DEBUG", "off,etl::load[{tenant}]=TRACE", "INFO,[job]=DEBUG"]
        {
            assert_eq!(text.parse::<LogFilter>().unwrap().to_string(), text);
        }
    }
}
