//! Metrics as messages of OTLP, in requests of a bounded size.

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar as ExemplarMessage, Gauge, Histogram, HistogramDataPoint, Metric as MetricMessage,
    NumberDataPoint, Sum, exemplar, number_data_point,
};
use prost::Message as _;

use crate::exporters::otlp::attributes::{nanos, text};
use crate::exporters::otlp::metric_points::{Metric, Point};
use crate::metrics::catalogue::Kind;
use crate::metrics::snapshot::{Exemplar, SeriesValue};

/// The most points of a message, so that one metric cannot be larger than a request.
pub const MAX_POINTS: usize = 2000;

/// The most bytes of the metrics in a request. Servers take 4 MiB by default.
const MAX_BYTES: usize = 3_500_000;

/// A metric as a message; `None` if it has no points. `now` is in nanoseconds since 1970.
pub fn message(metric: &Metric, temporality: AggregationTemporality, now: u64) -> Option<MetricMessage> {
    if metric.points.is_empty() {
        return None;
    }
    let numbers = || metric.points.iter().filter_map(|point| number_point(metric.kind, point, now)).collect();
    let data = match metric.kind {
        Kind::Counter => {
            Data::Sum(Sum { data_points: numbers(), aggregation_temporality: temporality.into(), is_monotonic: true })
        }
        Kind::Gauge => Data::Gauge(Gauge { data_points: numbers() }),
        Kind::Histogram => Data::Histogram(Histogram {
            data_points: metric.points.iter().filter_map(|point| histogram_point(point, now)).collect(),
            aggregation_temporality: temporality.into(),
        }),
    };
    Some(MetricMessage {
        name: metric.name.clone(),
        description: metric.description.clone(),
        unit: metric.unit.to_owned(),
        data: Some(data),
        ..MetricMessage::default()
    })
}

fn number_point(kind: Kind, point: &Point, now: u64) -> Option<NumberDataPoint> {
    let SeriesValue::Number(number) = point.value else { return None };
    Some(NumberDataPoint {
        attributes: point.attributes.iter().map(|(name, value)| text(name, value)).collect(),
        start_time_unix_nano: if kind == Kind::Gauge { 0 } else { point.start },
        time_unix_nano: now,
        value: Some(number_data_point::Value::AsDouble(number)),
        ..NumberDataPoint::default()
    })
}

fn histogram_point(point: &Point, now: u64) -> Option<HistogramDataPoint> {
    let SeriesValue::Histogram { counts, sum } = &point.value else { return None };
    Some(HistogramDataPoint {
        attributes: point.attributes.iter().map(|(name, value)| text(name, value)).collect(),
        start_time_unix_nano: point.start,
        time_unix_nano: now,
        count: counts.iter().sum(),
        sum: Some(*sum),
        bucket_counts: counts.clone(),
        explicit_bounds: point.bounds.to_vec(),
        exemplars: point.exemplars.iter().map(exemplar_message).collect(),
        ..HistogramDataPoint::default()
    })
}

fn exemplar_message(exemplar: &Exemplar) -> ExemplarMessage {
    ExemplarMessage {
        time_unix_nano: nanos(exemplar.at),
        trace_id: exemplar.trace.trace_id_bytes().to_vec(),
        span_id: exemplar.trace.span_id_bytes().to_vec(),
        value: Some(exemplar::Value::AsDouble(exemplar.value)),
        ..ExemplarMessage::default()
    }
}

/// The metrics in parts with at most [`MAX_POINTS`] points each.
pub fn split(metrics: Vec<Metric>) -> Vec<Metric> {
    let part = |metric: &Metric, points: &[Point]| Metric { points: points.to_vec(), ..metric.clone() };
    let parts = metrics.into_iter().flat_map(|mut metric| {
        if metric.points.len() <= MAX_POINTS {
            return vec![metric];
        }
        let points = std::mem::take(&mut metric.points);
        points.chunks(MAX_POINTS).map(|points| part(&metric, points)).collect()
    });
    parts.collect()
}

/// The messages in groups of at most [`MAX_BYTES`] each, by their position.
pub fn batches(messages: Vec<(usize, MetricMessage)>) -> Vec<Vec<(usize, MetricMessage)>> {
    let mut batches = Vec::new();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for (index, message) in messages {
        let length = message.encoded_len();
        if bytes + length > MAX_BYTES && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += length;
        batch.push((index, message));
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::base::trace_context::TraceContext;

    fn metric(kind: Kind, values: Vec<SeriesValue>) -> Metric {
        let point = |(index, value): (usize, SeriesValue)| Point {
            attributes: vec![("series".to_owned(), format!("{index:0200}"))],
            bounds: &[0.5, 1.0],
            value,
            exemplars: Vec::new(),
            start: 7,
        };
        let points = values.into_iter().enumerate().map(point).collect();
        let (name, description) = ("m".to_owned(), "Help.".to_owned());
        Metric { name, kind, unit: "s", description, points }
    }

    #[test]
    fn a_histogram_has_its_sum_bounds_start_and_exemplars() {
        let value = SeriesValue::Histogram { counts: vec![1, 0, 2], sum: 4.5 };
        let mut histogram = metric(Kind::Histogram, vec![value]);
        let trace = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
        let at = UNIX_EPOCH + Duration::from_nanos(9);
        histogram.points[0].exemplars.push(Exemplar { bucket: 2, value: 1.5, trace, at });
        let message = message(&histogram, AggregationTemporality::Delta, 11).unwrap();
        assert_eq!((&*message.name, &*message.unit, &*message.description), ("m", "s", "Help."));
        let Some(Data::Histogram(histogram)) = message.data else { panic!("a histogram") };
        assert_eq!(histogram.aggregation_temporality, AggregationTemporality::Delta as i32);
        let point = &histogram.data_points[0];
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano, point.count, point.sum), (7, 11, 3, Some(4.5)));
        assert_eq!((&*point.bucket_counts, &*point.explicit_bounds), (&[1, 0, 2][..], &[0.5, 1.0][..]));
        assert_eq!(point.exemplars[0].trace_id[..2], [0x0a, 0xf7]);
        assert_eq!((point.exemplars[0].span_id[0], point.exemplars[0].time_unix_nano), (0xb7, 9));
    }

    #[test]
    fn counters_are_monotonic_sums_and_gauges_have_no_start() {
        let number = || vec![SeriesValue::Number(2.5)];
        let counter = message(&metric(Kind::Counter, number()), AggregationTemporality::Cumulative, 11).unwrap();
        let Some(Data::Sum(sum)) = counter.data else { panic!("a sum") };
        assert!(sum.is_monotonic && sum.aggregation_temporality == AggregationTemporality::Cumulative as i32);
        assert_eq!(sum.data_points[0].start_time_unix_nano, 7);
        let gauge = message(&metric(Kind::Gauge, number()), AggregationTemporality::Cumulative, 11).unwrap();
        let Some(Data::Gauge(gauge)) = gauge.data else { panic!("a gauge") };
        assert_eq!((gauge.data_points[0].start_time_unix_nano, gauge.data_points[0].time_unix_nano), (0, 11));
        assert_eq!(message(&metric(Kind::Gauge, Vec::new()), AggregationTemporality::Cumulative, 11), None);
    }

    #[test]
    fn a_metric_with_many_series_is_sent_in_requests_of_a_bounded_size() {
        let parts = split(vec![metric(Kind::Counter, vec![SeriesValue::Number(1.0); 41_000])]);
        assert_eq!(parts.iter().map(|part| part.points.len()).sum::<usize>(), 41_000);
        let cumulative = AggregationTemporality::Cumulative;
        let messages: Vec<_> = parts.iter().filter_map(|part| message(part, cumulative, 1)).enumerate().collect();
        let count = messages.len();
        let batches = batches(messages);
        assert!(batches.len() > 2, "{}", batches.len());
        let bytes = |batch: &Vec<(usize, MetricMessage)>| batch.iter().map(|(_, one)| one.encoded_len()).sum::<usize>();
        assert!(batches.iter().all(|batch| bytes(batch) <= MAX_BYTES));
        let order: Vec<_> = batches.iter().flatten().map(|(index, _)| *index).collect();
        assert_eq!(order, (0..count).collect::<Vec<_>>());
    }
}
