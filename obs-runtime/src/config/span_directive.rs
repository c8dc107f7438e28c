//! Directives for the lines within spans of `tracing`: `target[span{field=value}]=level`.

use std::fmt;

use crate::base::level::Level;
use crate::config::filter_words::{is_within, level, word};
use crate::events::log_span::LogSpan;

/// Enables lines within a span.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanDirective {
    /// The prefix of the loggers that it is about; empty for all.
    pub target: String,
    /// The name of the span; empty for any.
    pub span: String,
    /// Fields of the span, with the values that they must have if one is given.
    pub fields: Vec<(String, Option<String>)>,
    /// The minimum level; `None` is off.
    pub level: Option<Level>,
}

impl SpanDirective {
    /// Parses `target[span{field=value,other}]=level`; each part but the brackets may be missing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (target, rest) = text.split_once('[')?;
        let (inside, rest) = rest.rsplit_once(']')?;
        let level = match rest.trim() {
            "" => Some(Level::Trace),
            rest => level(rest.strip_prefix('=')?.trim())?,
        };
        let (span, fields) = match inside.split_once('{') {
            None => (inside, ""),
            Some((span, fields)) => (span, fields.strip_suffix('}')?),
        };
        let field = |field: &str| match field.split_once('=') {
            None => (field.trim().to_owned(), None),
            Some((name, value)) => (name.trim().to_owned(), Some(value.trim().trim_matches('"').to_owned())),
        };
        let fields: Vec<_> = fields.split(',').filter(|field| !field.trim().is_empty()).map(field).collect();
        let (target, span) = (target.trim().to_owned(), span.trim().to_owned());
        (!span.is_empty() || !fields.is_empty()).then_some(Self { target, span, fields, level })
    }

    /// Whether a line within this span, or within one inside of it, is written.
    pub(super) fn enables(&self, level: Level, logger: &str, span: &LogSpan) -> bool {
        self.level.is_some_and(|least| level >= least)
            && (self.target.is_empty() || is_within(logger, &self.target))
            && span.any_around(|name, fields| {
                (self.span.is_empty() || self.span == name)
                    && self.fields.iter().all(|(name, value)| {
                        let is_same = |text: String| value.as_ref().is_none_or(|value| text == *value);
                        fields.iter().any(|field| field.name == *name && is_same(field.value.to_string()))
                    })
            })
    }
}

impl fmt::Display for SpanDirective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, span, fields, level } = self;
        write!(formatter, "{target}[{span}")?;
        if !fields.is_empty() {
            let field = |(name, value): &(String, Option<String>)| match value {
                Some(value) => format!("{name}={value}"),
                None => name.clone(),
            };
            write!(formatter, "{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))?;
        }
        write!(formatter, "]={}", word(*level))
    }
}
