//! All metrics at one moment, with OpenTelemetry's names, units and attributes.
//!
//! Names are the dotted ones of the catalogue. A point has the labels of its family, then `service` and `environment`, then
//! the tags of the call; a tag that would take the name of one of these, or of a label that Prometheus sets itself, is renamed
//! to `tag_<name>`, so that a Collector's Prometheus exporter gives the series of `/metrics`.

use std::collections::{BTreeMap, HashMap};

use crate::exporters::aggregation::user_metrics::{UserMetricRegistry, UserSeries};
use crate::exporters::otlp::user_metrics::ucum;
use crate::metrics::catalogue::{Family, Kind, Unit};
use crate::metrics::objective_bounds::{bounds_of, bucket_of};
use crate::metrics::snapshot::{Exemplar, FamilySnapshot, Labels, SeriesValue, Snapshot};

/// Labels that a Collector or Prometheus sets.
const RESERVED: [&str; 4] = ["le", "quantile", "job", "instance"];

/// A metric and its points.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub name: String,
    pub kind: Kind,
    /// As UCUM writes it.
    pub unit: &'static str,
    pub description: String,
    pub points: Vec<Point>,
}

/// The value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub attributes: Attributes,
    /// Upper bounds of the buckets of a histogram, without the infinite one.
    pub bounds: &'static [f64],
    pub value: SeriesValue,
    pub exemplars: Vec<Exemplar>,
    /// From when on the value counts, in nanoseconds since 1970. Unused for gauges.
    pub start: u64,
}

/// Names and values, each name once.
pub type Attributes = Vec<(String, String)>;

/// The metrics of obs and of the program, whose values count from `start` on. Returns the names of metrics of the program that
/// are left out, as another metric of another kind has the name.
pub fn metrics(
    snapshot: Snapshot,
    users: &UserMetricRegistry,
    constant: &[(&'static str, String)],
    start: u64,
) -> (Vec<Metric>, Vec<String>) {
    let families = snapshot.families.into_iter().map(|FamilySnapshot { family, series }| {
        let points = series.into_iter().map(|series| {
            let bounds = if family.kind == Kind::Histogram { bounds_of(family, &series.labels) } else { &[] };
            Point {
                attributes: attributes(family.labels, constant, &series.labels),
                bounds,
                value: merged(family, bounds, series.value),
                exemplars: series.exemplars,
                start,
            }
        });
        Metric {
            name: family.name.to_owned(),
            kind: family.kind,
            unit: unit(family.unit),
            description: family.help.to_owned(),
            points: points.collect(),
        }
    });
    let mut metrics: Vec<Metric> = families.collect();
    // OpenTelemetry ignores case in names of metrics.
    let mut kinds: HashMap<String, Kind> =
        metrics.iter().map(|metric| (metric.name.to_ascii_lowercase(), metric.kind)).collect();
    let mut conflicts = Vec::new();
    for (name, (kind, series)) in by_name(users.series()) {
        let known = *kinds.entry(name.to_ascii_lowercase()).or_insert(kind);
        if known == kind {
            metrics.push(of_user(name, kind, series, users, constant, start));
        } else {
            conflicts.push(name);
        }
    }
    (metrics, conflicts)
}

/// The series of the program by their names and kinds.
fn by_name(series: Vec<UserSeries>) -> Vec<(String, (Kind, Vec<UserSeries>))> {
    let mut names: BTreeMap<(String, u8), (Kind, Vec<UserSeries>)> = BTreeMap::new();
    for series in series {
        let order = match series.kind {
            Kind::Counter => 0,
            Kind::Gauge => 1,
            Kind::Histogram => 2,
        };
        let of_name = names.entry((series.name.clone(), order)).or_insert((series.kind, Vec::new()));
        of_name.1.push(series);
    }
    names.into_iter().map(|((name, _), of_name)| (name, of_name)).collect()
}

fn of_user(
    name: String,
    kind: Kind,
    series: Vec<UserSeries>,
    users: &UserMetricRegistry,
    constant: &[(&'static str, String)],
    start: u64,
) -> Metric {
    let description = users.description(&name);
    let bounds = if kind == Kind::Histogram { users.bounds(&name) } else { &[] };
    let points = series.into_iter().map(|series| Point {
        attributes: attributes(&[], constant, &series.labels),
        bounds,
        value: series.value,
        exemplars: Vec::new(),
        start,
    });
    let text = if description.text.is_empty() { "A metric of the program." } else { &*description.text };
    Metric { kind, unit: ucum(description.unit), description: text.to_owned(), points: points.collect(), name }
}

/// The unit of a family as UCUM writes it. A number of things has none: a Collector would name it a ratio.
const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "",
        Unit::Seconds | Unit::UnixSeconds => "s",
        Unit::Bytes => "By",
        Unit::Rows => "{row}",
        Unit::Usd => "{USD}",
    }
}

/// The value by the buckets that Prometheus gets.
fn merged(family: &Family, bounds: &[f64], value: SeriesValue) -> SeriesValue {
    match value {
        SeriesValue::Number(number) => SeriesValue::Number(number),
        SeriesValue::Histogram { counts, sum } => {
            let mut merged = vec![0; bounds.len() + 1];
            for (bucket, count) in counts.into_iter().enumerate() {
                merged[bucket_of(bounds, family, bucket)] += count;
            }
            SeriesValue::Histogram { counts: merged, sum }
        }
    }
}

/// The attributes of a series: its own labels, the constant ones, the tags by name. Those without a value are left out.
fn attributes(own: &[&str], constant: &[(&'static str, String)], labels: &Labels) -> Attributes {
    let first = |name: &str| labels.iter().position(|(label, _)| label == name);
    let mut attributes = Attributes::with_capacity(labels.len() + constant.len());
    for name in own {
        if let Some(index) = first(name) {
            attributes.push(((*name).to_owned(), labels[index].1.to_string()));
        }
    }
    attributes.extend(constant.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let is_tag = |index: usize, name: &str| !own.contains(&name) || first(name) != Some(index);
    let mut tags: Vec<(&str, &str)> = labels
        .iter()
        .enumerate()
        .filter(|(index, (name, value))| is_tag(*index, name) && !value.is_empty())
        .map(|(_, (name, value))| (&**name, &**value))
        .collect();
    tags.sort_unstable();
    for (name, value) in tags {
        let mut name = name.to_owned();
        let is_taken = |name: &String| {
            let is_known = own.contains(&&**name) || attributes.iter().any(|(taken, _)| taken == name);
            is_known || RESERVED.contains(&&**name) || name.starts_with("__") || name.is_empty()
        };
        while is_taken(&name) {
            name.insert_str(0, "tag_");
        }
        attributes.push((name, value.to_owned()));
    }
    attributes.retain(|(_, value)| !value.is_empty());
    attributes
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use metrics::{Key, Label, Recorder as _, Unit as UserUnit};

    use super::*;
    use crate::exporters::aggregation::user_metrics::Keeper;
    use crate::metrics::catalogue;
    use crate::metrics::snapshot::SnapshotBuilder;

    static KEEPER: Keeper = Keeper::new("points-test", |_| &[1.0], 0.0);

    fn constant() -> [(&'static str, String); 2] {
        [("service", "etl".to_owned()), ("environment", "test".to_owned())]
    }

    fn pairs(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn labels(labels: &[(&'static str, &'static str)]) -> Labels {
        labels.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value))).collect()
    }

    #[test]
    fn a_tag_never_takes_a_name_that_is_taken() {
        let own = ["operation", "outcome"];
        let given = labels(&[
            ("operation", "load"),
            ("outcome", ""),
            ("zone", "eu"),
            ("le", "1"),
            ("service", "x"),
            ("operation", "y"),
            ("job", ""),
            ("tag_le", "2"),
            ("__name__", "z"),
        ]);
        let expected = [
            ("operation", "load"),
            ("service", "etl"),
            ("environment", "test"),
            ("tag___name__", "z"),
            ("tag_le", "1"),
            ("tag_operation", "y"),
            ("tag_service", "x"),
            ("tag_tag_le", "2"),
            ("zone", "eu"),
        ];
        assert_eq!(attributes(&own, &constant(), &given), pairs(&expected));
    }

    #[test]
    fn histograms_have_the_buckets_of_prometheus() {
        let mut builder = SnapshotBuilder::default();
        let family = &catalogue::OPERATION_DURATION_SECONDS;
        let mut counts = vec![1; family.buckets().len() + 1];
        counts[0] = 5;
        builder.histogram(family, labels(&[("operation", "load"), ("outcome", "ok")]), &counts, 2.5);
        builder.number(&catalogue::BIGQUERY_TOTAL_COST_USD, labels(&[("operation", "load")]), 0.5);
        let (found, conflicts) = metrics(builder.finish(), &UserMetricRegistry::new(&KEEPER), &constant(), 7);
        assert!(conflicts.is_empty());
        let names: Vec<_> = found.iter().map(|metric| (&*metric.name, metric.unit)).collect();
        assert_eq!(names, [("operation.duration.seconds", "s"), ("bigquery.total_cost.usd", "{USD}")]);
        let SeriesValue::Histogram { counts: merged, sum } = &found[0].points[0].value else { panic!("{found:?}") };
        assert_eq!((merged.len(), *sum), (family.prometheus_buckets().len() + 1, 2.5));
        assert_eq!(merged.iter().sum::<u64>(), counts.iter().sum::<u64>());
        let first = family.prometheus_buckets()[0];
        let within = family.buckets().iter().zip(&counts).filter(|(bound, _)| **bound <= first);
        assert_eq!(merged[0], within.map(|(_, count)| count).sum::<u64>());
        assert_eq!((found[0].points[0].bounds, found[0].points[0].start), (family.prometheus_buckets(), 7));
    }

    #[test]
    fn metrics_of_the_program_keep_their_names_and_a_second_kind_is_left_out() {
        KEEPER.set_enabled(true);
        let users = UserMetricRegistry::new(&KEEPER);
        let metadata = ::metrics::Metadata::new("", ::metrics::Level::INFO, None);
        let key =
            |name: &'static str| Key::from_parts(name, vec![Label::new("table", "users"), Label::new("job", "j")]);
        users.describe_counter("rows.loaded".into(), Some(UserUnit::Bytes), "Rows.".into());
        users.register_counter(&key("rows.loaded"), &metadata).increment(3);
        users.register_gauge(&key("Rows.Loaded"), &metadata).set(2.0);
        users.register_gauge(&key("operation.success"), &metadata).set(2.0);
        let mut builder = SnapshotBuilder::default();
        builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "load")]), 1.0);
        let (found, mut conflicts) = metrics(builder.finish(), &users, &constant(), 0);
        conflicts.sort_unstable();
        assert_eq!(conflicts.len(), 2, "{conflicts:?}");
        assert!(conflicts.contains(&"operation.success".to_owned()), "{conflicts:?}");
        let own = found.iter().find(|metric| metric.name.eq_ignore_ascii_case("rows.loaded")).unwrap();
        assert_eq!((found.len(), own.points.len()), (2, 1));
        assert!(own.points[0].attributes.contains(&("tag_job".to_owned(), "j".to_owned())), "{own:?}");
    }
}
