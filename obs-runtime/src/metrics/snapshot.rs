//! A snapshot of all metric families, as exporters read it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ptr;

use crate::metrics::catalogue::{FAMILIES, Family};
pub use crate::metrics::exemplars::Exemplar;

/// Labels of a series: those of the family in its order, then tags.
pub type Labels = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// All families that have a series, in the order of the catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Families with at least one series.
    pub families: Vec<FamilySnapshot>,
    /// The program's own metrics, from the macros of the `metrics` crate.
    pub user: Vec<UserMetric>,
}

/// A series of the program's own metrics.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct UserMetric {
    /// The name, as given to the macro.
    pub name: String,
    /// The labels, redacted as for every exporter.
    pub labels: Labels,
    /// The value.
    pub value: UserMetricValue,
}

/// The value of a [`UserMetric`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum UserMetricValue {
    /// The value of a counter.
    Counter(u64),
    /// The value of a gauge.
    Gauge(f64),
    /// The observations of a histogram, in their order: in a capture of the feature `testing`.
    Histogram(Vec<f64>),
    /// The observations of a histogram by bucket.
    Buckets {
        /// The upper bounds of the buckets.
        bounds: &'static [f64],
        /// Observations by bucket, not cumulative; one more count for those above the last bound.
        counts: Vec<u64>,
        /// Sum of the observations.
        sum: f64,
    },
}

/// A family and its series.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FamilySnapshot {
    /// The family's entry in the catalogue.
    pub family: &'static Family,
    /// The series, sorted by labels and unique by labels.
    pub series: Vec<Series>,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// The labels.
    pub labels: Labels,
    /// The value.
    pub value: SeriesValue,
    /// Exemplars of a histogram: at most one for each bucket.
    pub exemplars: Vec<Exemplar>,
    /// The most recent observations of a histogram, oldest first; of the durations of calls only those above the first bound,
    /// and only if Datadog is enabled.
    pub recent: Vec<f64>,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum SeriesValue {
    /// The value of a counter or gauge.
    Number(f64),
    /// The value of a histogram.
    Histogram {
        /// Observations by bucket of [`Family::buckets`], not cumulative; one more count for those above the last bound.
        counts: Vec<u64>,
        /// Sum of the observations.
        sum: f64,
    },
}

impl Snapshot {
    /// The family with a dotted name, if it has series.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&FamilySnapshot> {
        self.families.iter().find(|found| found.family.name == name)
    }

    /// The value of a family, or of a metric of the program's own, with these labels: the sum over all series that have
    /// them, with any other labels. `None` if there is no such series. The value of a histogram is the number of
    /// its observations.
    ///
    /// Give all labels of a gauge whose values make no sense as a sum, such as a point in time.
    #[must_use]
    pub fn value(&self, family: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let matches =
            |of: &Labels| labels.iter().all(|(name, value)| of.iter().any(|(has, is)| has == name && is == value));
        let series = self.family(family).into_iter().flat_map(|found| &found.series);
        let values = series.filter(|series| matches(&series.labels)).map(|series| series.value.number());
        let user = self.user.iter().filter(|metric| metric.name == family && matches(&metric.labels));
        values.chain(user.map(|metric| metric.value.number())).reduce(|sum, value| sum + value)
    }
}

impl SeriesValue {
    fn number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
            Self::Histogram { counts, .. } => counts.iter().sum::<u64>() as f64,
        }
    }
}

impl UserMetricValue {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn number(&self) -> f64 {
        match self {
            Self::Counter(count) => *count as f64,
            Self::Gauge(number) => *number,
            Self::Histogram(observations) => observations.len() as f64,
            Self::Buckets { counts, .. } => counts.iter().sum::<u64>() as f64,
        }
    }
}

/// Collects series from several sources and adds up those with equal labels.
#[derive(Debug, Default)]
pub(crate) struct SnapshotBuilder {
    /// In order of arrival. Sorted once at the end, which is fast where the sources are sorted.
    families: Vec<(&'static Family, Vec<Series>)>,
}

impl SnapshotBuilder {
    /// Adds to a counter or gauge.
    pub fn number(&mut self, family: &'static Family, labels: Labels, number: f64) {
        self.add(
            family,
            Series { labels, value: SeriesValue::Number(number), exemplars: Vec::new(), recent: Vec::new() },
        );
    }

    /// Adds observations to a histogram, by bucket of [`Family::buckets`].
    #[cfg(test)]
    pub fn histogram(&mut self, family: &'static Family, labels: Labels, counts: &[u64], sum: f64) {
        self.histogram_with_exemplars(family, labels, counts, sum, Vec::new(), Vec::new());
    }

    /// Adds observations to a histogram, by bucket of [`Family::buckets`], with exemplars, of which the latest of each bucket is
    /// kept, and the most recent observations above the first bound.
    pub fn histogram_with_exemplars(
        &mut self,
        family: &'static Family,
        labels: Labels,
        counts: &[u64],
        sum: f64,
        exemplars: Vec<Exemplar>,
        recent: Vec<f64>,
    ) {
        let value = SeriesValue::Histogram { counts: counts.to_vec(), sum };
        self.add(family, Series { labels, value, exemplars, recent });
    }

    /// Adds observations to a histogram, by bucket of [`Family::buckets`], with the most recent observations; they are dropped if another source adds to
    /// the same series.
    pub fn histogram_with_recent(
        &mut self,
        family: &'static Family,
        labels: Labels,
        counts: &[u64],
        sum: f64,
        recent: impl IntoIterator<Item = f64>,
    ) {
        let value = SeriesValue::Histogram { counts: counts.to_vec(), sum };
        self.add(family, Series { labels, value, exemplars: Vec::new(), recent: recent.into_iter().collect() });
    }

    fn add(&mut self, family: &'static Family, series: Series) {
        // A constant may have several addresses, so the name decides where the address does not match.
        let found = self.families.iter().position(|(known, _)| ptr::eq(*known, family));
        let found = found.or_else(|| self.families.iter().position(|(known, _)| known.name == family.name));
        let index = found.unwrap_or_else(|| {
            self.families.push((family, Vec::new()));
            self.families.len() - 1
        });
        self.families[index].1.push(series);
    }

    /// The collected families, in the order of the catalogue.
    #[must_use]
    pub fn finish(mut self) -> Snapshot {
        self.families.sort_by_key(|(family, _)| FAMILIES.iter().position(|known| known.name == family.name));
        let families = self.families.into_iter().map(|(family, mut series)| {
            // Most sources give sorted series without duplicates.
            if !series.is_sorted_by(|left, right| order(&left.labels, &right.labels).is_lt()) {
                series.sort_by(|left, right| order(&left.labels, &right.labels));
                series.dedup_by(|more, known| {
                    let same = more.labels == known.labels;
                    if same {
                        known.add(more);
                    }
                    same
                });
            }
            FamilySnapshot { family, series }
        });
        Snapshot { families: families.collect(), user: Vec::new() }
    }
}

/// Orders labels by name and value. Most texts are equal by address, which saves comparing them.
fn order(left: &Labels, right: &Labels) -> Ordering {
    let texts = |left: &str, right: &str| if ptr::eq(left, right) { Ordering::Equal } else { left.cmp(right) };
    let pairs = left.iter().zip(right);
    let differing = pairs.map(|(left, right)| texts(&left.0, &right.0).then_with(|| texts(&left.1, &right.1)));
    differing.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| left.len().cmp(&right.len()))
}

impl Series {
    /// Adds the values of another source for the same series.
    fn add(&mut self, more: &mut Self) {
        match (&mut self.value, &more.value) {
            (SeriesValue::Number(sum), SeriesValue::Number(more)) => *sum += more,
            (SeriesValue::Histogram { counts, sum }, SeriesValue::Histogram { counts: more, sum: more_sum }) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                *sum += more_sum;
            }
            (SeriesValue::Number(_), SeriesValue::Histogram { .. })
            | (SeriesValue::Histogram { .. }, SeriesValue::Number(_)) => {}
        }
        self.recent.clear();
        for exemplar in more.exemplars.drain(..) {
            match self.exemplars.iter_mut().find(|known| known.bucket == exemplar.bucket) {
                Some(known) if known.at >= exemplar.at => {}
                Some(known) => *known = exemplar,
                None => self.exemplars.push(exemplar),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::catalogue::{CLI_FEATURE_USAGE, OPERATION_DURATION_SECONDS, OPERATION_SUCCESS, SECONDS};

    fn labels(name: &'static str, value: &str) -> Labels {
        vec![(Cow::Borrowed(name), value.to_owned().into())]
    }

    #[test]
    fn series_with_equal_labels_are_added_up_and_sorted() {
        let mut builder = SnapshotBuilder::default();
        for (value, number) in [("b", 1.0), ("a", 2.0), ("b", 4.0)] {
            builder.number(&CLI_FEATURE_USAGE, labels("feature", value), number);
            builder.number(&OPERATION_SUCCESS, labels("operation", value), number);
            let mut counts = [0; SECONDS.len() + 1];
            counts[1] = 3;
            builder.histogram(&OPERATION_DURATION_SECONDS, labels("operation", value), &counts, number);
        }
        let snapshot = builder.finish();
        let names: Vec<_> = snapshot.families.iter().map(|found| found.family.name).collect();
        assert_eq!(names, ["operation.duration.seconds", "operation.success", "cli.feature.usage"]);
        let values = |family: &str| {
            let series = &snapshot.family(family).unwrap().series;
            series.iter().map(|one| (one.labels[0].1.clone(), one.value.clone())).collect::<Vec<_>>()
        };
        let numbers = [("a".into(), SeriesValue::Number(2.0)), ("b".into(), SeriesValue::Number(5.0))];
        assert_eq!(values("operation.success"), numbers);
        let SeriesValue::Histogram { counts, sum } = &values("operation.duration.seconds")[1].1 else { panic!() };
        assert_eq!((counts[1], counts.len(), *sum), (6, SECONDS.len() + 1, 5.0));
    }
}
