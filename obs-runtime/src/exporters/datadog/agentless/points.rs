//! The points of one series, and their JSON: a series of the API v2, or a distribution of v1.

use std::iter;

use serde::{Serialize, Serializer};

use crate::exporters::datadog::delta_tracker::SeriesWriter;
use crate::exporters::datadog::distribution::WeightedSample;
use crate::exporters::datadog::names::Tags;

/// The most values of one point of a distribution.
const MAX_VALUES: u64 = 50_000;

/// The most bytes of a number in JSON, with a comma.
const NUMBER: usize = 25;

/// What all points of a process have in common.
#[derive(Debug)]
pub struct Common {
    /// Tags of everything.
    pub tags: Tags,
    /// The host, if it is known.
    pub host: Option<String>,
    /// Seconds between two deliveries, by which Datadog computes rates.
    pub interval: u64,
}

/// The point of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    metric: String,
    tags: Tags,
    value: Value,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    /// The growth of a counter.
    Count(f64),
    Gauge(f64),
    /// Observations, each with how often it occurred. The API has no sample rates: it takes each observation by itself.
    Distribution(Vec<(f64, u64)>),
}

/// Writes points.
#[derive(Debug)]
pub struct PointWriter;

impl SeriesWriter for PointWriter {
    type Item = Point;

    fn count(&self, name: &str, tags: &Tags, growth: f64) -> Option<Point> {
        Some(Point { metric: name.to_owned(), tags: tags.clone(), value: Value::Count(growth) })
    }

    fn gauge(&self, name: &str, tags: &Tags, value: f64) -> Option<Point> {
        Some(Point { metric: name.to_owned(), tags: tags.clone(), value: Value::Gauge(value) })
    }

    fn distribution(&self, name: &str, tags: &Tags, samples: &[WeightedSample]) -> Option<Point> {
        let values: Vec<_> = samples.iter().map(|sample| (sample.value, sample.count)).collect();
        let is_finite = values.iter().all(|(value, _)| value.is_finite());
        let value = Value::Distribution(values);
        is_finite.then(|| Point { metric: name.to_owned(), tags: tags.clone(), value })
    }
}

impl Point {
    /// Whether it belongs to a distribution.
    pub const fn is_distribution(&self) -> bool {
        matches!(self.value, Value::Distribution(_))
    }

    /// Whether the next delivery replaces it.
    pub const fn is_gauge(&self) -> bool {
        matches!(self.value, Value::Gauge(_))
    }

    /// The same observations in points that are no larger than the API takes.
    pub fn split(self) -> Vec<Self> {
        let Value::Distribution(values) = &self.value else { return vec![self] };
        let mut parts = Vec::new();
        let (mut part, mut room) = (Vec::new(), MAX_VALUES);
        for (value, mut count) in values.iter().copied() {
            while count > 0 {
                let taken = count.min(room);
                part.push((value, taken));
                (count, room) = (count - taken, room - taken);
                if room == 0 {
                    parts.push(std::mem::take(&mut part));
                    room = MAX_VALUES;
                }
            }
        }
        parts.extend(Some(part).filter(|part| !part.is_empty()));
        let point =
            |values| Self { metric: self.metric.clone(), tags: self.tags.clone(), value: Value::Distribution(values) };
        parts.into_iter().map(point).collect()
    }

    /// An upper bound of the bytes of its JSON. Names and tags contain nothing that JSON escapes.
    pub fn size(&self, common: &Common) -> usize {
        // The names of the fields, and the numbers.
        const FIELDS: usize = 200;
        let tags = self.tags.iter().chain(&common.tags).map(|(name, value)| name.len() + value.len() + 4);
        let values = match &self.value {
            Value::Count(_) | Value::Gauge(_) => 1,
            Value::Distribution(values) => values.iter().map(|(_, count)| count).sum(),
        };
        let values = usize::try_from(values).unwrap_or(usize::MAX).saturating_mul(NUMBER);
        let host = common.host.as_ref().map_or(0, String::len);
        (FIELDS + self.metric.len() + tags.sum::<usize>() + host).saturating_add(values)
    }

    /// About the bytes that it takes in memory.
    pub fn memory(&self) -> usize {
        let tags = self.tags.iter().map(|(name, value)| name.len() + value.len() + size_of::<(String, String)>());
        let values =
            if let Value::Distribution(values) = &self.value { values.len() * size_of::<(f64, u64)>() } else { 0 };
        size_of::<Self>() + self.metric.len() + tags.sum::<usize>() + values
    }

    /// Its JSON, at that second since 1970.
    pub fn json<'p>(&'p self, common: &'p Common, at: u64) -> PointJson<'p> {
        let tags = TagTexts(&common.tags, &self.tags);
        let host = common.host.as_deref();
        let series = |kind, value, interval| {
            let resources = host.map(|name| [Resource { kind: "host", name }]);
            let points = [SeriesPoint { timestamp: at, value }];
            PointJson::Series { metric: &self.metric, kind, points, tags, interval, resources }
        };
        match &self.value {
            Value::Count(growth) => series(1, *growth, Some(common.interval)),
            Value::Gauge(value) => series(3, *value, None),
            Value::Distribution(values) => PointJson::Distribution {
                metric: &self.metric,
                kind: "distribution",
                points: [(at, Values(values))],
                tags,
                host,
            },
        }
    }
}

/// The JSON of a point.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum PointJson<'p> {
    /// `MetricSeries` of v2.
    Series {
        metric: &'p str,
        /// 1 for a count, 3 for a gauge.
        #[serde(rename = "type")]
        kind: u8,
        points: [SeriesPoint; 1],
        tags: TagTexts<'p>,
        #[serde(skip_serializing_if = "Option::is_none")]
        interval: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        resources: Option<[Resource<'p>; 1]>,
    },
    /// `DistributionPointsSeries` of v1.
    Distribution {
        metric: &'p str,
        #[serde(rename = "type")]
        kind: &'static str,
        points: [(u64, Values<'p>); 1],
        tags: TagTexts<'p>,
        #[serde(skip_serializing_if = "Option::is_none")]
        host: Option<&'p str>,
    },
}

/// A point of a series.
#[derive(Debug, Serialize)]
pub struct SeriesPoint {
    timestamp: u64,
    value: f64,
}

/// What a series belongs to.
#[derive(Debug, Serialize)]
pub struct Resource<'p> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'p str,
}

/// Tags as `name:value`.
#[derive(Clone, Copy, Debug)]
pub struct TagTexts<'p>(pub &'p Tags, pub &'p Tags);

impl Serialize for TagTexts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().chain(self.1).map(|(name, value)| format!("{name}:{value}")))
    }
}

/// Observations, one by one.
#[derive(Debug)]
pub struct Values<'p>(&'p [(f64, u64)]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let each = |(value, count): &(f64, u64)| {
            let (value, count) = (*value, usize::try_from(*count).unwrap_or(usize::MAX));
            iter::repeat_n(value, count)
        };
        serializer.collect_seq(self.0.iter().flat_map(each))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(host: Option<&str>) -> Common {
        Common { tags: vec![("service".into(), "etl".into())], host: host.map(str::to_owned), interval: 10 }
    }

    fn tags() -> Tags {
        vec![("operation".into(), "größe_load".into())]
    }

    fn json(point: &Point, common: &Common) -> String {
        let text = serde_json::to_string(&point.json(common, 7)).unwrap();
        assert!(text.len() <= point.size(common), "{} bytes, not {}: {text}", text.len(), point.size(common));
        text
    }

    fn sample(value: f64, count: u64) -> WeightedSample {
        WeightedSample { bucket: 0, count, value }
    }

    #[test]
    fn points_are_those_of_the_api() {
        let count = PointWriter.count("a.b", &tags(), 2.5).unwrap();
        assert_eq!(
            json(&count, &common(Some("box"))),
            r#"{"metric":"a.b","type":1,"points":[{"timestamp":7,"value":2.5}],"tags":["service:etl","operation:größe_load"],"interval":10,"resources":[{"type":"host","name":"box"}]}"#
        );
        let gauge = PointWriter.gauge("g", &tags(), -1.5e-300).unwrap();
        assert_eq!(
            json(&gauge, &common(None)),
            r#"{"metric":"g","type":3,"points":[{"timestamp":7,"value":-1.5e-300}],"tags":["service:etl","operation:größe_load"]}"#
        );
        let distribution =
            PointWriter.distribution("d", &tags(), &[sample(0.25, 3), sample(-1.234_567_890_123_456_7e-300, 1)]);
        assert_eq!(
            json(&distribution.unwrap(), &common(Some("box"))),
            r#"{"metric":"d","type":"distribution","points":[[7,[0.25,0.25,0.25,-1.2345678901234568e-300]]],"tags":["service:etl","operation:größe_load"],"host":"box"}"#
        );
        assert_eq!(PointWriter.distribution("d", &tags(), &[sample(f64::NAN, 1)]), None);
    }

    #[test]
    fn a_point_of_many_observations_is_split_without_losing_one() {
        let samples = [sample(1.0, 120_000), sample(2.0, 3), sample(3.0, 49_999)];
        let point = PointWriter.distribution("d", &tags(), &samples).unwrap();
        let parts = point.split();
        let values = |point: &Point| {
            let Value::Distribution(values) = &point.value else { panic!("a distribution") };
            values.clone()
        };
        let sizes: Vec<u64> = parts.iter().map(|part| values(part).iter().map(|(_, count)| count).sum()).collect();
        assert_eq!(sizes, [50_000, 50_000, 50_000, 20_002]);
        for (value, count) in [(1.0_f64, 120_000), (2.0, 3), (3.0, 49_999)] {
            let of = |part: &Point| {
                values(part)
                    .iter()
                    .filter(|(found, _)| found.to_bits() == value.to_bits())
                    .map(|(_, count)| count)
                    .sum::<u64>()
            };
            assert_eq!(parts.iter().map(of).sum::<u64>(), count, "{value}");
        }
    }
}
