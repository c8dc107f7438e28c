//! Puts a text into every place from which obs takes texts. No exporter may show it.

use std::ops::Range;

use obs_runtime::{
    Breadcrumb, Level, LogContext, add_breadcrumb, capture_error, capture_message, set_user, track_bigquery_operation,
    track_data_quality_check, track_feature, track_performance, tracked_command, with_error_tracking,
};

use crate::corpus;

/// An error whose message, and the messages of its sources, contain a text.
#[derive(Debug)]
pub struct Failed {
    text: String,
    source: Option<Box<Failed>>,
}

impl Failed {
    /// An error with two sources.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let source = |source| Some(Box::new(Self { text: text.to_owned(), source }));
        Self { text: text.to_owned(), source: source(source(None)) }
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "cannot use {}", self.text)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "read by Debug")]
struct Configuration<'a> {
    note: &'a str,
}

/// A command that gets the text, logs it in every way, and fails with it.
#[tracked_command(user = text, args(text, note = format!("using {text}")))]
#[with_error_tracking(context(place = text))]
#[track_performance(tags(kind = text))]
fn leak(text: &str) -> Result<(), Failed> {
    tracing::warn!(detail = text, debug = ?Configuration { note: text }, "seen: {text}");
    tracing::warn!(query = %format!("SELECT 1 FROM people WHERE note = '{text}'"), "ran a query");
    tracing::warn!(url = %format!("https://example.com/find?q={text}"), file = %format!("/data/{text}/part-0.csv"), "read");
    tracing::error!(error = &Failed::new(text) as &dyn std::error::Error, "could not load");
    tracing::info_span!("inside", note = text).in_scope(|| tracing::warn!("in a span"));
    track_feature(text.to_owned());
    track_bigquery_operation(text, text);
    track_data_quality_check(text.to_owned(), text.to_owned(), obs_runtime::Severity::Critical, false);
    Err(Failed::new(text))
}

#[track_performance(level = "info")]
fn panics(text: &str) {
    panic!("cannot use {text}");
}

/// Puts a text into messages, fields, arguments, errors with sources, panics, breadcrumbs, SQL, URLs, file names, tags,
/// names and the scope around them.
pub fn leak_everywhere(text: &str) {
    let scope =
        LogContext::new().correlation_id(text).user(text).operation(text.to_owned()).field("note", text.to_owned());
    scope.scope(|| {
        set_user(text);
        add_breadcrumb(Breadcrumb::new(text.to_owned()).category(text.to_owned()).field("note", text.to_owned()));
        capture_message(Level::Error, format!("cannot use {text}"));
        capture_error(&Failed::new(text));
        let _ = leak(text);
        let _ = std::panic::catch_unwind(|| panics(text));
        track_performance(text.to_owned(), || ());
    });
}

/// Leaks some of the samples. `between` is called after each.
pub fn leak_some(samples: Range<usize>, between: impl Fn()) {
    for sample in corpus::samples().take(samples.end).skip(samples.start) {
        leak_everywhere(sample.text);
        between();
    }
}

/// Leaks the whole corpus: secrets that are recognised by their form, and those recognised by their name.
pub fn leak_the_corpus() {
    leak_some(0..usize::MAX, || ());
    for (name, value) in corpus::NAMED {
        LogContext::new().field(*name, (*value).to_owned()).scope(|| tracing::warn!("named"));
        LogContext::new().field("note", format!("{name}={value}")).scope(|| tracing::warn!("in a text"));
    }
}
