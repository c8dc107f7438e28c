//! What was captured as a text that is the same in each run.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;

use crate::events::failure_facts::FailureFacts;
use crate::exporters::memory::{ErrorRecord, ScopeRecord};
use crate::metrics::catalogue::{Family, Kind, Unit};
use crate::metrics::snapshot::{Series, SeriesValue, UserMetricValue};
use crate::program::testing::capture::Captured;
use crate::program::testing::series::line;

/// What differs from run to run, and what stands for it.
static VARIABLE: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    const PATTERNS: [(&str, &str); 12] = [
        // A file or folder of the crate `tempfile`.
        (r"\[temp\]/\.tmp[A-Za-z0-9]{6}\b", "[temp]/[name]"),
        (r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", "[id]"),
        // A header `traceparent`, an id of a trace and one of a span.
        (r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b", "[id]"),
        // Also after a prefix, as ids of jobs of BigQuery have one.
        (r"(\b|_)(?:[0-9a-f]{32}|[0-9a-f]{16})\b", "$1[id]"),
        (r"\bThreadId\(\d+\)", "[id]"),
        (r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?", "[time]"),
        (r"\b(?:SystemTime|Instant) \{ tv_sec: \d+, tv_nsec: \d+ \}", "[time]"),
        (r"\b0x[0-9a-f]{6,16}\b", "[address]"),
        (r"(127\.0\.0\.1|0\.0\.0\.0|localhost|\[::1?\]):\d{2,5}\b", "$1:[port]"),
        // A place in the source code.
        (r"(\.rs):\d+(?::\d+)?\b", "$1:[line]"),
        // As `humantime` writes them: 1m 30s.
        (r"\b(?:\d+(?:days?|h|m) )*\d+m \d+s(?: \d+ms)?\b", "[duration]"),
        (r"\b\d+(?:\.\d+)?(?:s|\s?(?:ns|µs|us|ms|seconds?|secs?))\b", "[duration]"),
    ];
    PATTERNS.iter().filter_map(|(pattern, stands)| Some((Regex::new(pattern).ok()?, *stands))).collect()
});

/// A text without what differs from run to run and from machine to machine.
fn stable(text: &str) -> String {
    let working = std::env::current_dir().unwrap_or_default();
    let mut text = without_folders(text, [(std::env::temp_dir(), "[temp]"), (working, "[dir]")]);
    for (pattern, stands) in VARIABLE.iter() {
        if pattern.is_match(&text) {
            text = Cow::Owned(pattern.replace_all(&text, *stands).into_owned());
        }
    }
    text.into_owned()
}

/// A text in which something stands for each of these folders. One may be inside of the other.
fn without_folders<'t>(text: &'t str, mut folders: [(PathBuf, &str); 2]) -> Cow<'t, str> {
    folders.sort_by_key(|(folder, _)| Reverse(folder.components().count()));
    let mut text = Cow::Borrowed(text);
    for (folder, stands) in &folders {
        let folder = folder.to_str().map(|folder| folder.trim_end_matches('/')).unwrap_or_default();
        if folder.len() > 1 && text.contains(folder) {
            text = Cow::Owned(without_folder(&text, folder, stands));
        }
    }
    text
}

/// The same on one line.
fn stable_line(text: &str) -> String {
    stable(text).replace('\r', "\\r").replace('\n', "\\n")
}

/// A text in which something stands for a folder, but not for a part of another name.
fn without_folder(text: &str, folder: &str, stands: &str) -> String {
    let mut parts = text.split(folder);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_name = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
        let ends = !part.starts_with(is_name);
        let begins = !replaced.ends_with(|character: char| is_name(character) || character == '/');
        replaced.push_str(if begins && ends { stands } else { folder });
        replaced.push_str(part);
    }
    replaced
}

/// Whether the value of such a field is a time or a duration.
fn is_variable(field: &str) -> bool {
    let endings = ["duration", "elapsed", "_ms", "_us", "_ns", "_seconds", "_secs", "time", "timestamp"];
    endings.iter().any(|ending| field.ends_with(ending))
}

/// Each field once: several attributes on one function may record the same.
fn fields<'f>(fields: impl IntoIterator<Item = &'f (String, String)>) -> String {
    let mut seen = Vec::new();
    fields.into_iter().fold(String::new(), |mut text, field| {
        let (name, value) = field;
        if !seen.contains(&field) {
            let value = if is_variable(name) { "[duration]".to_owned() } else { stable(value) };
            let _ = write!(text, " {name}={value:?}");
            seen.push(field);
        }
        text
    })
}

/// A context, and the fields of an event in it.
fn scope(scope: &ScopeRecord, of_event: &[(String, String)]) -> String {
    let mut text = String::new();
    let words = [("operation", &scope.operation), ("user", &scope.user), ("correlation_id", &scope.correlation_id)];
    for (name, value) in words.iter().filter_map(|(name, value)| Some((name, value.as_deref()?))) {
        let _ = write!(text, " {name}={:?}", stable(value));
    }
    text + &fields(scope.fields.iter().chain(of_event))
}

fn failure(failure: &FailureFacts<'_>) -> String {
    let messages = [&failure.message].into_iter().chain(&failure.sources).map(|message| stable_line(message));
    format!("{}: {}", failure.error_type, messages.collect::<Vec<_>>().join(": "))
}

fn error(kind: &str, error: &ErrorRecord) -> String {
    let kind = if error.panic { "panic" } else { kind };
    let context = scope(&error.scope, &error.fields);
    format!("{kind} {} {}: {}{context}", error.level, error.operation, failure(&error.failure))
}

fn series(family: &Family, series: &Series) -> Option<String> {
    // What the process is, and when something was, differs from run to run.
    if family.name.starts_with("process.") || family.name.starts_with("obs.") {
        return None;
    }
    let labels = series.labels.iter().map(|(name, value)| (&**name, &**value));
    let value = match &series.value {
        SeriesValue::Number(_) if family.unit == Unit::UnixSeconds => "[time]".to_owned(),
        SeriesValue::Number(_) if family.unit == Unit::Seconds && family.kind == Kind::Gauge => "[duration]".to_owned(),
        // Which counters stand at 0 depends on what other tests of the process have called.
        SeriesValue::Number(number) if *number == 0.0 && family.kind == Kind::Counter => return None,
        SeriesValue::Number(number) => number.to_string(),
        SeriesValue::Histogram { counts, .. } if family.unit == Unit::Seconds => observed(counts.iter().sum(), None),
        SeriesValue::Histogram { counts, sum } => observed(counts.iter().sum(), Some(*sum)),
    };
    Some(format!("{} {value}", stable(&line(family.name, labels))))
}

fn observed(count: u64, sum: Option<f64>) -> String {
    let sum = sum.map(|sum| format!(" sum={sum}")).unwrap_or_default();
    format!("count={count}{sum}")
}

impl<R> Captured<R> {
    /// Everything that was captured but the return value, one event or series a line: the same text in each run, for a
    /// snapshot in a test (`insta::assert_snapshot!(captured.stable_text())`).
    ///
    /// It is redacted as everything is. `[id]`, `[time]`, `[duration]`, `[address]`, `[port]`, `[line]`, `[temp]`, `[name]` and `[dir]` stand for
    /// what differs from run to run or from machine to machine: correlation, trace, span and event ids that are generated, points in
    /// time, durations, addresses in memory, ports of this machine, lines of source files, the folder for temporary files and the
    /// names of `tempfile` in it, and the current folder. Fields and metrics whose names end as those of durations and times do,
    /// such as `took_ms`, have `[duration]` as value. Histograms of durations have a count alone; what obs says of itself and
    /// of the process is left out, and so are counters at 0. A line break is written as `\n`.
    ///
    /// A date without a time stays: have a [`Clock`](super::Clock) that begins at a certain time. Events keep their order, which differs from run to run where several threads report: sort the lines then. What a single
    /// event or series says does not depend on it.
    ///
    /// ```
    /// use obs_runtime::testing::capture;
    /// use obs_runtime::track_performance;
    ///
    /// let captured = capture(|| track_performance("parse", || 42));
    /// assert_eq!(captured.stable_text(), "\
    /// call parse ok
    /// operation.duration.seconds{operation=\"parse\",outcome=\"ok\"} count=1
    /// operation.success{operation=\"parse\"} 1
    /// ");
    /// ```
    #[must_use]
    pub fn stable_text(&self) -> String {
        let records = &self.records;
        let pairs = |kind: &'static str, pairs: &[(String, String)]| {
            pairs.iter().map(|(name, state)| format!("{kind} {name} {state}")).collect::<Vec<_>>()
        };
        let mut lines = Vec::new();
        lines.extend(records.logs.iter().map(|log| {
            let context = scope(&log.scope, &log.fields);
            format!("log {} {}: {}{context}", log.level, log.logger, stable_line(&log.message))
        }));
        lines.extend(records.calls.iter().map(|call| {
            let failed = call.failure.as_ref().map(|facts| format!(" {}", failure(facts))).unwrap_or_default();
            format!("call {} {}{failed}{}", call.name, call.outcome, fields(&call.fields))
        }));
        lines.extend(records.errors.iter().map(|captured| error("error", captured)));
        lines.extend(records.messages.iter().map(|captured| error("message", captured)));
        lines.extend(records.breadcrumbs.iter().map(|message| format!("breadcrumb {}", stable_line(message))));
        lines.extend(pairs("health", &records.health));
        lines.extend(pairs("check", &records.quality));
        lines.extend(records.prices.iter().map(|(operation, estimate, usd)| {
            format!("price {operation} {} ${usd}", if *estimate { "estimate" } else { "actual" })
        }));
        lines.extend(pairs("cost_alert", &records.cost_alerts));
        lines.extend(records.features.iter().map(|feature| format!("feature {feature}")));
        lines.extend(records.spans.iter().map(|span| {
            let parent = span.parent.as_ref().map(|parent| format!(" in {parent}")).unwrap_or_default();
            format!("span {}{parent} {}{}", span.name, span.outcome, fields(&span.fields))
        }));
        for found in &self.metrics.families {
            lines.extend(found.series.iter().filter_map(|one| series(found.family, one)));
        }
        lines.extend(self.metrics.user.iter().map(|metric| {
            let labels = metric.labels.iter().map(|(name, value)| (&**name, &**value));
            let is_variable = is_variable(&metric.name.replace('.', "_"));
            let value = match &metric.value {
                UserMetricValue::Counter(_) | UserMetricValue::Gauge(_) if is_variable => "[duration]".to_owned(),
                UserMetricValue::Counter(count) => count.to_string(),
                UserMetricValue::Gauge(number) => number.to_string(),
                UserMetricValue::Histogram(observed) if is_variable => self::observed(observed.len() as u64, None),
                UserMetricValue::Histogram(values) => observed(values.len() as u64, Some(values.iter().sum())),
                UserMetricValue::Buckets { counts, .. } if is_variable => observed(counts.iter().sum(), None),
                UserMetricValue::Buckets { counts, sum, .. } => observed(counts.iter().sum(), Some(*sum)),
            };
            format!("{} {value}", stable(&line(&metric.name, labels)))
        }));
        lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_inside_of_the_other_stands_for_itself() {
        for (temporary, working, expected) in [
            ("/tmp", "/tmp/clone", "[temp]/a [dir]/b [temp]/clones/c"),
            ("/tmp/clone", "/tmp", "[dir]/a [temp]/b [dir]/clones/c"),
            ("/var/tmp", "/home/ann", "/tmp/a /tmp/clone/b /tmp/clones/c"),
        ] {
            let folders = [(PathBuf::from(temporary), "[temp]"), (PathBuf::from(working), "[dir]")];
            let text = without_folders("/tmp/a /tmp/clone/b /tmp/clones/c", folders);
            assert_eq!(text, expected, "{temporary} {working}");
        }
    }
}
