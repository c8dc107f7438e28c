//! Parses the text that `metrics-exporter-prometheus` renders. Unknown lines are ignored.

use crate::exporters::prometheus::exposition::Metric;
use crate::exporters::prometheus::parse;
use crate::metrics::catalogue::Kind;

/// The help of a metric that the program has not described.
const HELP: &str = "A metric of the program.";

/// The metrics of a rendered text with their names, in order.
pub fn parse(text: &str) -> Vec<(String, Metric)> {
    let mut metrics = Vec::new();
    let mut help = None;
    let mut lines = text.lines().filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ');
            continue;
        }
        let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|typed| typed.split_once(' ')) else { continue };
        let mut samples = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            samples.extend(parse::sample(name, line));
        }
        let described = help.take().filter(|(described, text)| *described == name && !text.is_empty());
        let help = described.map_or(HELP, |(_, text)| text).to_owned();
        let (kind, series) = match kind {
            "counter" => (Kind::Counter, parse::numbers(samples)),
            "gauge" => (Kind::Gauge, parse::numbers(samples)),
            "histogram" => (Kind::Histogram, parse::histograms(samples)),
            _ => continue,
        };
        if let Ok(series) = series {
            metrics.push((name.to_owned(), Metric::new(kind, help, series)));
        }
    }
    metrics
}
