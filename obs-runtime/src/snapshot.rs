//! The state of all metric families at one moment: what exporters read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::catalogue::{FAMILIES, Family, Kind};
pub use crate::exemplars::Exemplar;

/// Labels of a series, in order: the family's own, then tags.
pub type Labels = Vec<(Cow<'static, str>, String)>;

/// All families that have a series, in the order of the table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Families with at least one series.
    pub families: Vec<FamilySnapshot>,
}

/// A family and its series.
#[derive(Clone, Debug, PartialEq)]
pub struct FamilySnapshot {
    /// The family's row in the table.
    pub family: &'static Family,
    /// Its series, sorted by labels, each set of labels once.
    pub series: Vec<Series>,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// Its value.
    pub value: SeriesValue,
    /// Of a histogram: single observations that stand for the others, one for a bucket at most.
    pub exemplars: Vec<Exemplar>,
    /// The last observations of a histogram of single events, oldest first; as many as are remembered. Nothing for what is
    /// counted by bucket only, as calls are.
    pub recent: Vec<f64>,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum SeriesValue {
    /// Of a counter or a gauge.
    Number(f64),
    /// Of a histogram.
    Histogram {
        /// Observations by bucket of [`Family::buckets`], not cumulative, and one more for those above the last bound.
        counts: Vec<u64>,
        /// Sum of the observations.
        sum: f64,
    },
}

impl Snapshot {
    /// The family of that dotted name, if it has series.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&FamilySnapshot> {
        self.families.iter().find(|found| found.family.name == name)
    }

    /// The value of the series of that family that bears these labels (and maybe more): of a histogram, the number of
    /// its observations.
    #[must_use]
    pub fn value(&self, family: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let bears = |series: &Series| {
            labels.iter().all(|(name, value)| series.labels.iter().any(|(has, is)| has == name && is == value))
        };
        let series = self.family(family)?.series.iter().find(|series| bears(series))?;
        Some(match &series.value {
            SeriesValue::Number(number) => *number,
            #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
            SeriesValue::Histogram { counts, .. } => counts.iter().sum::<u64>() as f64,
        })
    }
}

/// Collects series from many sources; those of equal labels are added up.
#[derive(Debug, Default)]
pub struct Builder {
    families: Vec<(&'static Family, BTreeMap<Labels, Collected>)>,
}

/// A series that is being collected.
#[derive(Debug)]
struct Collected {
    value: SeriesValue,
    exemplars: Vec<Exemplar>,
    recent: Vec<f64>,
    /// How many have added to it.
    sources: usize,
}

impl Collected {
    fn new(family: &Family) -> Self {
        let value = match family.kind {
            Kind::Histogram => SeriesValue::Histogram { counts: vec![0; family.buckets().len() + 1], sum: 0.0 },
            Kind::Counter | Kind::Gauge => SeriesValue::Number(0.0),
        };
        Self { value, exemplars: Vec::new(), recent: Vec::new(), sources: 0 }
    }
}

impl Builder {
    /// Adds to a counter or gauge.
    pub fn number(&mut self, family: &'static Family, labels: Labels, number: f64) {
        match &mut self.series(family, labels).value {
            SeriesValue::Number(sum) => *sum += number,
            SeriesValue::Histogram { .. } => {}
        }
    }

    /// Adds observations to a histogram.
    pub fn histogram(&mut self, family: &'static Family, labels: Labels, more: &[u64], more_sum: f64) {
        let collected = self.series(family, labels);
        collected.sources += 1;
        collected.recent.clear();
        match &mut collected.value {
            SeriesValue::Histogram { counts, sum } => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                *sum += more_sum;
            }
            SeriesValue::Number(_) => {}
        }
    }

    /// Says what the last observations were that were added to a histogram. Of several sources nobody knows which were last.
    pub fn recent(&mut self, family: &'static Family, labels: &Labels, recent: impl IntoIterator<Item = f64>) {
        let collected = self.series(family, labels.clone());
        if collected.sources == 1 {
            collected.recent.extend(recent);
        }
    }

    /// Adds exemplars to a histogram; of those in one bucket the latest stays.
    pub fn exemplars(&mut self, family: &'static Family, labels: &Labels, more: Vec<Exemplar>) {
        if more.is_empty() {
            return;
        }
        let kept = &mut self.series(family, labels.clone()).exemplars;
        for exemplar in more {
            match kept.iter_mut().find(|known| known.bucket == exemplar.bucket) {
                Some(known) if known.at >= exemplar.at => {}
                Some(known) => *known = exemplar,
                None => kept.push(exemplar),
            }
        }
    }

    fn series(&mut self, family: &'static Family, labels: Labels) -> &mut Collected {
        let index = self.families.iter().position(|(known, _)| known.name == family.name).unwrap_or_else(|| {
            self.families.push((family, BTreeMap::new()));
            self.families.len() - 1
        });
        self.families[index].1.entry(labels).or_insert_with(|| Collected::new(family))
    }

    /// What was collected, in the order of the table.
    #[must_use]
    pub fn finish(mut self) -> Snapshot {
        self.families.sort_by_key(|(family, _)| FAMILIES.iter().position(|known| known.name == family.name));
        let families = self
            .families
            .into_iter()
            .map(|(family, series)| FamilySnapshot {
                family,
                series: series
                    .into_iter()
                    .map(|(labels, Collected { value, exemplars, recent, sources: _ })| Series {
                        labels,
                        value,
                        exemplars,
                        recent,
                    })
                    .collect(),
            })
            .collect();
        Snapshot { families }
    }
}
