//! Prometheus' text format, version 0.0.4.

use std::fmt::Write;

use crate::exporters::prometheus::exposition::{Exposition, Metric, Sample};

/// Renders an exposition.
pub fn write(exposition: &Exposition) -> String {
    render(exposition, true)
}

/// Renders an exposition without HELP lines. `node_exporter` drops a metric that has different ones in two textfiles.
pub fn write_without_help(exposition: &Exposition) -> String {
    render(exposition, false)
}

fn render(exposition: &Exposition, with_help: bool) -> String {
    let mut text = String::with_capacity(capacity(exposition));
    for (name, metric) in &exposition.metrics {
        if with_help {
            push_all(&mut text, &["# HELP ", name, " ", &metric.help, "\n"]);
        }
        push_all(&mut text, &["# TYPE ", name, " ", metric.kind_name(), "\n"]);
        write_series(&mut text, name, metric, Extras::default());
    }
    text
}

/// An upper estimate of the text's length, so that the buffer does not grow.
pub(super) fn capacity(exposition: &Exposition) -> usize {
    /// The ends of names, the label of a bucket, and a value.
    const REST_OF_LINE: usize = 40;
    let metrics = exposition.metrics.iter().map(|(name, metric)| {
        let series = metric.series.iter().map(|(labels, sample)| {
            let lines = match sample {
                Sample::Number(_) => 1,
                Sample::Histogram { counts, .. } => counts.len() + 2,
            };
            lines * (name.len() + labels.len() + REST_OF_LINE)
        });
        2 * (name.len() + REST_OF_LINE) + metric.help.len() + series.sum::<usize>()
    });
    metrics.sum()
}

/// What OpenMetrics has in addition to the text format.
#[derive(Clone, Copy, Default)]
pub(super) struct Extras<'a> {
    pub exemplars: bool,
    /// The name of the `_created` samples of counters and histograms, and their value.
    pub created: Option<(&'a str, f64)>,
}

/// Writes the lines of a metric's series.
pub(super) fn write_series(text: &mut String, name: &str, metric: &Metric, extras: Extras<'_>) {
    let mut known_bounds: &[f64] = &[];
    let mut bound_texts: Vec<String> = Vec::new();
    for (labels, sample) in &metric.series {
        match sample {
            Sample::Number(value) => {
                push_all(text, &[name]);
                push_labels(text, labels);
                push_number(text, *value);
                text.push('\n');
            }
            Sample::Histogram { bounds, counts, sum } => {
                if known_bounds != &**bounds {
                    known_bounds = bounds;
                    bound_texts = bounds.iter().map(|&bound| number(bound)).collect();
                }
                let comma = if labels.is_empty() { "" } else { "," };
                let bucket = [name, "_bucket{", labels, comma, "le=\""].concat();
                let exemplars = if extras.exemplars { metric.exemplars.get(labels) } else { None };
                let mut cumulative = 0_u64;
                // Reused, because most buckets have the same cumulative count.
                let mut end = String::from("0\n");
                for (index, (bound, count)) in
                    bound_texts.iter().map(String::as_str).chain(["+Inf"]).zip(counts).enumerate()
                {
                    if *count > 0 {
                        cumulative = cumulative.saturating_add(*count);
                        end.clear();
                        push_count(&mut end, cumulative);
                    }
                    push_all(text, &[&bucket, bound, "\"} ", &end]);
                    let of_bucket = exemplars.and_then(|all| all.iter().find(|(bucket, _)| *bucket == index));
                    if let Some((_, exemplar)) = of_bucket {
                        text.pop();
                        push_all(text, &[" # ", exemplar, "\n"]);
                    }
                }
                push_all(text, &[name, "_sum"]);
                push_labels(text, labels);
                push_number(text, *sum);
                push_all(text, &["\n", name, "_count"]);
                push_labels(text, labels);
                push_count(text, cumulative);
            }
        }
        if let Some((created, at)) = extras.created {
            push_all(text, &[created]);
            push_labels(text, labels);
            push_number(text, at);
            text.push('\n');
        }
    }
}

pub(super) fn push_all(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
}

fn push_labels(text: &mut String, labels: &str) {
    if labels.is_empty() {
        text.push(' ');
    } else {
        push_all(text, &["{", labels, "} "]);
    }
}

fn push_count(text: &mut String, count: u64) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{count}");
}

/// Writes a number in Prometheus' syntax; parsing it gives the same number.
fn push_number(text: &mut String, value: f64) {
    let magnitude = value.abs();
    // Writing to a string cannot fail.
    let _ = if value.is_nan() {
        write!(text, "NaN")
    } else if value.is_infinite() {
        write!(text, "{}", if value > 0.0 { "+Inf" } else { "-Inf" })
    } else if magnitude == 0.0 || (1e-6..1e17).contains(&magnitude) {
        write!(text, "{value}")
    } else {
        write!(text, "{value:e}")
    };
}

fn number(value: f64) -> String {
    let mut text = String::new();
    push_number(&mut text, value);
    text
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::metrics::catalogue;
    use crate::metrics::snapshot::{Labels, SnapshotBuilder};

    fn labels(labels: &[(&'static str, &str)]) -> Labels {
        labels.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned((*value).to_owned()))).collect()
    }

    fn render(builder: SnapshotBuilder, constant: &[(&str, &str)]) -> String {
        write(&Exposition::new(builder.finish(), constant))
    }

    #[test]
    fn counters_gauges_and_histograms_have_their_lines() {
        let mut builder = SnapshotBuilder::default();
        builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "load")]), 3.0);
        builder.number(&catalogue::HEALTH_CHECK_STATUS, labels(&[("check", "database")]), 0.5);
        let mut counts = vec![0; catalogue::USD.len() + 1];
        (counts[0], counts[4], counts[9]) = (1, 2, 4);
        builder.histogram(
            &catalogue::BIGQUERY_COST_USD,
            labels(&[("operation", "load"), ("kind", "actual")]),
            &counts,
            70_000.25,
        );
        let text = render(builder, &[("service", "etl")]);
        let expected = "\
# HELP bigquery_cost_usd Cost of the queries of an operation, estimated before they ran or actual.
# TYPE bigquery_cost_usd histogram
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"0.0001\"} 1
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"0.001\"} 1
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"0.01\"} 1
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"0.1\"} 1
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"1\"} 3
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"10\"} 3
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"100\"} 3
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"1000\"} 3
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"10000\"} 3
bigquery_cost_usd_bucket{operation=\"load\",kind=\"actual\",service=\"etl\",le=\"+Inf\"} 7
bigquery_cost_usd_sum{operation=\"load\",kind=\"actual\",service=\"etl\"} 70000.25
bigquery_cost_usd_count{operation=\"load\",kind=\"actual\",service=\"etl\"} 7
# HELP health_check_status Status of a health check: 1 healthy, 0.5 degraded, 0 unhealthy.
# TYPE health_check_status gauge
health_check_status{check=\"database\",service=\"etl\"} 0.5
# HELP operation_success_total Calls of an operation that succeeded.
# TYPE operation_success_total counter
operation_success_total{operation=\"load\",service=\"etl\"} 3
";
        assert_eq!(text, expected);
    }

    #[test]
    fn series_with_the_same_labels_in_prometheus_are_added_up() {
        let mut builder = SnapshotBuilder::default();
        builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "a"), ("x", "1"), ("y", "2")]), 1.0);
        builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "a"), ("y", "2"), ("x", "1")]), 2.0);
        builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "b"), ("x", "")]), 4.0);
        builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "b")]), 8.0);
        let text = render(builder, &[]);
        let series: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            series,
            [r#"operation_success_total{operation="a",x="1",y="2"} 3"#, r#"operation_success_total{operation="b"} 12"#]
        );
    }

    #[test]
    fn label_names_that_become_the_same_are_reported() {
        let mut builder = SnapshotBuilder::default();
        for (tag, value) in [("x-y", "1"), ("x.y", "1"), ("x.y", "2"), ("z", "1")] {
            builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "a"), (tag, value)]), 1.0);
        }
        builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "b"), ("z", "")]), 1.0);
        builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "b")]), 1.0);
        let exposition = Exposition::new(builder.finish(), &[]);
        let conflicts: Vec<_> = exposition.label_conflicts().collect();
        assert_eq!(conflicts, ["the labels `x-y` and `x.y` have the same Prometheus name"]);
    }

    #[test]
    fn numbers_read_back_as_they_were() {
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(number), ["NaN", "+Inf", "-Inf"]);
        assert_eq!([0.0, 1.0, 0.001, 1_125_899_906_842_624.0].map(number), ["0", "1", "0.001", "1125899906842624"]);
        for value in [1e300, f64::MIN_POSITIVE, 0.1 + 0.2, -1e-7, 1.0 / 3.0, f64::MAX, 5e-324] {
            assert_eq!(number(value).parse(), Ok(value));
            assert!(number(value).len() < 26, "{}", number(value));
        }
    }
}
