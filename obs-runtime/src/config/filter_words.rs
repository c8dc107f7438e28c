//! The parts of directives: loggers and levels.

use crate::base::level::Level;

/// Whether a logger is this one or one within it.
pub fn is_within(logger: &str, prefix: &str) -> bool {
    logger.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Parses a level; `Some(None)` is off.
#[allow(clippy::option_option)]
pub fn level(name: &str) -> Option<Option<Level>> {
    if name.eq_ignore_ascii_case("off") { Some(None) } else { Level::parse(name).map(Some) }
}

pub const fn word(level: Option<Level>) -> &'static str {
    match level {
        Some(level) => level.as_str(),
        None => "off",
    }
}
