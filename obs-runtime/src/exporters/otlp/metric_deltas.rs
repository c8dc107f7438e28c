//! Delta temporality: what was added to counters and histograms since they were last sent.
//!
//! The interval of a point begins where that of the last point of its series ended. What a server has not accepted is part of
//! the next point, so that a failed request loses nothing.

use std::collections::HashMap;

use crate::exporters::otlp::attributes::nanos;
use crate::exporters::otlp::metric_points::{Attributes, Metric, Point};
use crate::metrics::catalogue::Kind;
use crate::metrics::snapshot::SeriesValue;

/// What was sent of each series, which `OBS_MAX_SERIES` bounds.
#[derive(Debug)]
pub struct DeltaTracker {
    /// When this tracker began, in nanoseconds since 1970.
    begun: u64,
    sent: HashMap<String, HashMap<Attributes, Sent>>,
}

#[derive(Debug)]
struct Sent {
    /// Everything that was sent.
    total: SeriesValue,
    /// The time of the last point.
    at: u64,
}

impl DeltaTracker {
    /// A tracker for which everything that is measured now was sent.
    pub fn starting_from(metrics: &[Metric], now: u64) -> Self {
        let mut tracker = Self { begun: now, sent: HashMap::new() };
        for metric in metrics.iter().filter(|metric| metric.kind != Kind::Gauge) {
            let of_metric = tracker.sent.entry(metric.name.clone()).or_default();
            // A counter at zero is sent once, so that its first step is seen.
            for point in metric.points.iter().filter(|point| !is_zero(&point.value)) {
                of_metric.insert(point.attributes.clone(), Sent { total: point.value.clone(), at: now });
            }
        }
        tracker
    }

    /// What was added since it was last sent; series to which nothing was added are left out. Gauges stay as they are.
    pub fn growth(&self, metric: &Metric) -> Metric {
        if metric.kind == Kind::Gauge {
            return metric.clone();
        }
        let sent = self.sent.get(&metric.name);
        let points = metric.points.iter().filter_map(|point| {
            let Some(Sent { total, at }) = sent.and_then(|sent| sent.get(&point.attributes)) else {
                return Some(Point { start: self.begun, ..point.clone() });
            };
            let value = difference(&point.value, total)?;
            let exemplars = point.exemplars.iter().filter(|exemplar| nanos(exemplar.at) >= *at);
            let (attributes, exemplars) = (point.attributes.clone(), exemplars.copied().collect());
            Some(Point { attributes, bounds: point.bounds, value, exemplars, start: *at })
        });
        Metric { points: points.collect(), ..metric.clone() }
    }

    /// Notes that the growth of these points, whose values are totals, was sent at that time.
    pub fn mark_sent(&mut self, metric: &Metric, now: u64) {
        if metric.kind == Kind::Gauge {
            return;
        }
        let sent = self.sent.entry(metric.name.clone()).or_default();
        for point in &metric.points {
            match sent.get_mut(&point.attributes) {
                // Left out, so that its next interval begins where its last one ended.
                Some(known) if known.total == point.value => {}
                Some(known) => *known = Sent { total: point.value.clone(), at: now },
                None => {
                    sent.insert(point.attributes.clone(), Sent { total: point.value.clone(), at: now });
                }
            }
        }
    }
}

fn is_zero(value: &SeriesValue) -> bool {
    match value {
        SeriesValue::Number(number) => number.to_bits() == 0,
        SeriesValue::Histogram { counts, .. } => counts.iter().all(|count| *count == 0),
    }
}

/// What was added to `sent`; `None` for nothing. A value below what was sent was reset: all of it was added.
fn difference(value: &SeriesValue, sent: &SeriesValue) -> Option<SeriesValue> {
    match (value, sent) {
        (value, sent) if value == sent => None,
        (SeriesValue::Number(number), SeriesValue::Number(sent)) if number >= sent => {
            Some(SeriesValue::Number(number - sent))
        }
        (SeriesValue::Histogram { counts, sum }, SeriesValue::Histogram { counts: before, sum: sum_before })
            if counts.len() == before.len() && counts.iter().zip(before).all(|(count, before)| count >= before) =>
        {
            let counts = counts.iter().zip(before).map(|(count, before)| count - before).collect();
            Some(SeriesValue::Histogram { counts, sum: sum - sum_before })
        }
        (value, _) => Some(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(kind: Kind, values: &[(&str, SeriesValue)]) -> Metric {
        let point = |(series, value): &(&str, SeriesValue)| Point {
            attributes: vec![("series".to_owned(), (*series).to_owned())],
            bounds: &[1.0],
            value: value.clone(),
            exemplars: Vec::new(),
            start: 1,
        };
        let points = values.iter().map(point).collect();
        Metric { name: "m".to_owned(), kind, unit: "", description: String::new(), points }
    }

    fn counter(values: &[(&str, f64)]) -> Metric {
        metric(
            Kind::Counter,
            &values.iter().map(|(series, value)| (*series, SeriesValue::Number(*value))).collect::<Vec<_>>(),
        )
    }

    /// Start, value of each point.
    fn shown(metric: &Metric) -> Vec<(u64, SeriesValue)> {
        metric.points.iter().map(|point| (point.start, point.value.clone())).collect()
    }

    #[test]
    fn points_are_what_was_added_since_the_last_point_that_was_accepted() {
        let mut tracker = DeltaTracker::starting_from(&[counter(&[("old", 10.0), ("zero", 0.0)])], 100);
        let number = SeriesValue::Number;
        let first = counter(&[("old", 10.0), ("zero", 0.0), ("new", 2.0)]);
        assert_eq!(shown(&tracker.growth(&first)), [(100, number(0.0)), (100, number(2.0))]);
        // Not accepted: the same and more is due.
        let second = counter(&[("old", 11.0), ("zero", 0.0), ("new", 2.0)]);
        assert_eq!(shown(&tracker.growth(&second)), [(100, number(1.0)), (100, number(0.0)), (100, number(2.0))]);
        tracker.mark_sent(&second, 200);
        assert_eq!(shown(&tracker.growth(&second)), []);
        tracker.mark_sent(&second, 300);
        // Not from 300: the point at 300 had no such series.
        let third = counter(&[("old", 15.0), ("zero", 0.0), ("new", 1.0)]);
        assert_eq!(
            shown(&tracker.growth(&third)),
            [(200, number(4.0)), (200, number(1.0))],
            "a reset counter is all new"
        );
    }

    #[test]
    fn histograms_grow_by_bucket_and_gauges_stay() {
        let histogram = |counts: [u64; 2], sum| {
            metric(Kind::Histogram, &[("a", SeriesValue::Histogram { counts: counts.into(), sum })])
        };
        let mut tracker = DeltaTracker::starting_from(&[], 5);
        tracker.mark_sent(&histogram([1, 2], 3.5), 10);
        let grown = tracker.growth(&histogram([1, 4], 7.75));
        assert_eq!(shown(&grown), [(10, SeriesValue::Histogram { counts: vec![0, 2], sum: 4.25 })]);
        let gauge = metric(Kind::Gauge, &[("a", SeriesValue::Number(-2.0))]);
        tracker.mark_sent(&gauge, 20);
        assert_eq!(tracker.growth(&gauge), gauge);
    }
}
