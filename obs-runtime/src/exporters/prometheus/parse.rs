//! Parses exactly the text that [`write_without_help`](super::text::write_without_help) produces, or an earlier version of obs
//! did. Any other file is damaged or not written by obs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::exporters::prometheus::earlier_layout;
use crate::exporters::prometheus::exposition::{Exposition, Metric, Sample, pairs};
use crate::metrics::catalogue::Kind;

/// Parses a text.
///
/// # Errors
/// What is wrong, with the line number.
pub fn parse(text: &str) -> Result<Exposition, String> {
    let mut exposition = Exposition::default();
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).peekable();
    let mut is_earlier = false;
    while let Some((number, line)) = lines.next() {
        let (number, line) = if line.starts_with("# HELP ") {
            is_earlier = true;
            lines.next().unwrap_or((number, ""))
        } else {
            (number, line)
        };
        let at = |reason: &str| format!("line {number}: {reason}");
        let typed = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '));
        let (name, kind) = match typed {
            Some((name, "counter")) => (name, Kind::Counter),
            Some((name, "gauge")) => (name, Kind::Gauge),
            Some((name, "histogram")) => (name, Kind::Histogram),
            _ => return Err(at("expected a TYPE line")),
        };
        let mut samples = Vec::new();
        while let Some((number, line)) = lines.next_if(|(_, line)| !line.starts_with('#')) {
            samples.push(sample(name, line).ok_or_else(|| format!("line {number}: not a sample of {name}"))?);
        }
        let series = match kind {
            Kind::Histogram => histograms(samples),
            Kind::Counter | Kind::Gauge => numbers(samples),
        };
        let series = series.map_err(|labels| format!("{name}{{{labels}}}: incomplete or duplicate series"))?;
        let metric = Metric::new(kind, String::new(), series);
        if exposition.metrics.insert(name.to_owned(), metric).is_some() {
            return Err(at("duplicate metric"));
        }
    }
    Ok(if is_earlier { earlier_layout::convert(exposition) } else { exposition })
}

/// A line: the suffix of the metric's name (`_bucket`, …), labels, value.
pub(super) type Line<'a> = (&'a str, &'a str, &'a str);

/// Parses a line of a metric; `None` if it is malformed.
pub(super) fn sample<'a>(name: &str, line: &'a str) -> Option<Line<'a>> {
    let (head, value) = line.rsplit_once(' ')?;
    let head = head.strip_prefix(name)?;
    let (suffix, labels) = match head.split_once('{') {
        Some((suffix, labels)) => (suffix, labels.strip_suffix('}')?),
        None => (head, ""),
    };
    pairs(labels)?;
    Some((suffix, labels, value))
}

fn float(text: &str) -> Option<f64> {
    let known = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte));
    if known || matches!(text, "NaN" | "+Inf" | "-Inf") { text.parse().ok() } else { None }
}

/// The series of counters or gauges. The error is the labels of a wrong series.
pub(super) fn numbers(samples: Vec<Line<'_>>) -> Result<BTreeMap<String, Sample>, String> {
    let mut series = BTreeMap::new();
    for (suffix, labels, value) in samples {
        let value = float(value).filter(|_| suffix.is_empty()).ok_or(labels)?;
        if series.insert(labels.to_owned(), Sample::Number(value)).is_some() {
            return Err(labels.to_owned());
        }
    }
    Ok(series)
}

/// The series of histograms: buckets up to the infinite one, sum, count. The error is the labels of a wrong series.
pub(super) fn histograms(samples: Vec<Line<'_>>) -> Result<BTreeMap<String, Sample>, String> {
    let mut series = BTreeMap::new();
    let mut lines = samples.into_iter().peekable();
    while let Some((_, first, _)) = lines.peek() {
        let labels = first.rsplit_once("le=\"").map_or("", |(labels, _)| labels.trim_end_matches(','));
        let sample = histogram(labels, &mut lines).ok_or(labels)?;
        if series.insert(labels.to_owned(), sample).is_some() {
            return Err(labels.to_owned());
        }
    }
    Ok(series)
}

fn histogram<'a>(labels: &str, lines: &mut impl Iterator<Item = Line<'a>>) -> Option<Sample> {
    let mut bounds = Vec::new();
    let mut counts = Vec::new();
    let mut cumulative = 0_u64;
    loop {
        let ("_bucket", line_labels, count) = lines.next()? else { return None };
        let bound = line_labels.strip_prefix(labels)?.trim_start_matches(',');
        let bound = float(bound.strip_prefix("le=\"")?.strip_suffix('"')?)?;
        let count: u64 = count.parse().ok()?;
        counts.push(count.checked_sub(cumulative)?);
        cumulative = count;
        if bound == f64::INFINITY {
            break;
        }
        bounds.push(bound);
    }
    let ("_sum", sum_labels, sum) = lines.next()? else { return None };
    let ("_count", count_labels, count) = lines.next()? else { return None };
    let whole = sum_labels == labels && count_labels == labels && count.parse() == Ok(cumulative);
    let ascending = bounds.is_sorted_by(|left, right| left < right);
    (whole && ascending).then_some(Sample::Histogram { bounds: Cow::Owned(bounds), counts, sum: float(sum)? })
}
