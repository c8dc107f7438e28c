//! Assertions about captured metrics.

use std::fmt::{self, Debug, Display};

use crate::metrics::catalogue::{FAMILIES, Kind};
use crate::metrics::snapshot::{Labels, SeriesValue, Snapshot, UserMetricValue};
use crate::program::testing::capture::Captured;

/// The series of a metric that have certain labels, whatever other labels they have.
#[must_use = "nothing is asserted yet"]
#[derive(Clone)]
pub struct SeriesAssertion<'c> {
    metrics: &'c Snapshot,
    name: String,
    kind: Kind,
    labels: Vec<(String, String)>,
}

/// What was recorded in one series.
struct Recorded<'c> {
    labels: &'c Labels,
    kind: Kind,
    /// The value of a counter or a gauge, or the number of observations.
    number: f64,
    /// The sum of the observations of a histogram.
    sum: f64,
}

impl<R> Captured<R> {
    /// A counter, of obs or of the program's own.
    pub fn counter(&self, name: &str) -> SeriesAssertion<'_> {
        self.series(name, Kind::Counter)
    }

    /// A gauge, of obs or of the program's own.
    pub fn gauge(&self, name: &str) -> SeriesAssertion<'_> {
        self.series(name, Kind::Gauge)
    }

    /// A histogram, of obs or of the program's own. Its value is the number of its observations.
    pub fn histogram(&self, name: &str) -> SeriesAssertion<'_> {
        self.series(name, Kind::Histogram)
    }

    fn series(&self, name: &str, kind: Kind) -> SeriesAssertion<'_> {
        SeriesAssertion { metrics: &self.metrics, name: name.to_owned(), kind, labels: Vec::new() }
    }
}

impl SeriesAssertion<'_> {
    /// Only series with this label.
    pub fn with(mut self, label: &str, value: impl Display) -> Self {
        self.labels.push((label.to_owned(), value.to_string()));
        self
    }

    /// The sum over the series; `None` if there is none.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.found().map(|series| series.number).reduce(|sum, number| sum + number)
    }

    /// Asserts the value: the sum over the series, of a histogram the number of its observations. A counter or a histogram of
    /// obs without such a series is 0.
    ///
    /// # Panics
    /// Panics if it is another value, if there is no metric of that name, or if it is of another kind; with the series that there are.
    #[track_caller]
    pub fn is(&self, expected: impl Into<f64>) {
        self.assert_kind();
        let expected = expected.into();
        let absent = (self.kind != Kind::Gauge && self.is_of_obs()).then_some(0.0);
        let value = self.value().or(absent);
        let differs = |value: f64| (value - expected).abs() > 1e-9 * expected.abs().max(1.0);
        assert!(!value.is_none_or(differs), "expected {expected}, found {}: {self}", Shown(value));
    }

    /// Asserts that the value is no less than this.
    ///
    /// # Panics
    /// As [`is`](Self::is) does.
    #[track_caller]
    pub fn is_at_least(&self, least: impl Into<f64>) {
        self.assert_kind();
        let (value, least) = (self.value(), least.into());
        assert!(value.is_some_and(|value| value >= least), "expected {least} or more, found {}: {self}", Shown(value));
    }

    /// Asserts the sum of the observations of a histogram.
    ///
    /// # Panics
    /// As [`is`](Self::is) does.
    #[track_caller]
    pub fn sum_is(&self, expected: impl Into<f64>) {
        self.assert_kind();
        let (sum, expected) = (self.found().map(|series| series.sum).sum::<f64>(), expected.into());
        assert!(
            (sum - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            "expected observations that add up to {expected}, found {sum}: {self}"
        );
    }

    /// Asserts that there is no such series. Does not find a misspelt name: better assert that the value is 0.
    ///
    /// # Panics
    /// Panics if there is one.
    #[track_caller]
    pub fn is_absent(&self) {
        assert!(self.found().next().is_none(), "expected no such series: {self}");
    }

    fn is_of_obs(&self) -> bool {
        FAMILIES.iter().any(|family| family.name == self.name)
    }

    #[track_caller]
    fn assert_kind(&self) {
        let declared = FAMILIES.iter().find(|family| family.name == self.name).map(|family| family.kind);
        match declared.or_else(|| self.all().next().map(|series| series.kind)) {
            Some(kind) => assert!(kind == self.kind, "{} is a {}, not a {}", self.name, word(kind), word(self.kind)),
            None => panic!("no metric of obs and no recorded one has this name: {self}"),
        }
    }

    /// All series of the metric.
    fn all(&self) -> impl Iterator<Item = Recorded<'_>> {
        let families = self.metrics.families.iter().filter(|found| found.family.name == self.name);
        let of_obs = families.flat_map(|found| {
            let kind = found.family.kind;
            found.series.iter().map(move |series| {
                let (number, sum) = match &series.value {
                    SeriesValue::Number(number) => (*number, *number),
                    SeriesValue::Histogram { counts, sum } => (count(counts), *sum),
                };
                Recorded { labels: &series.labels, kind, number, sum }
            })
        });
        let own = self.metrics.user.iter().filter(|metric| metric.name == self.name).map(|metric| {
            let (kind, number, sum) = match &metric.value {
                UserMetricValue::Counter(value) => (Kind::Counter, count(&[*value]), count(&[*value])),
                UserMetricValue::Gauge(value) => (Kind::Gauge, *value, *value),
                UserMetricValue::Histogram(observed) => {
                    (Kind::Histogram, count(&[observed.len() as u64]), observed.iter().sum())
                }
                UserMetricValue::Buckets { counts, sum, .. } => (Kind::Histogram, count(counts), *sum),
            };
            Recorded { labels: &metric.labels, kind, number, sum }
        });
        of_obs.chain(own)
    }

    /// The series with the labels.
    fn found(&self) -> impl Iterator<Item = Recorded<'_>> {
        self.all().filter(|series| {
            let has = |name: &str, value: &str| series.labels.iter().any(|(known, is)| known == name && is == value);
            series.kind == self.kind && self.labels.iter().all(|(name, value)| has(name, value))
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn count(counts: &[u64]) -> f64 {
    counts.iter().sum::<u64>() as f64
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

struct Shown(Option<f64>);

impl Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => Display::fmt(&number, formatter),
            None => formatter.write_str("no series"),
        }
    }
}

/// A name with labels, as in Prometheus.
pub(super) fn line<'a>(name: &str, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let labels: Vec<_> = labels.into_iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}

impl Display for SeriesAssertion<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sought = self.labels.iter().map(|(name, value)| (&**name, &**value));
        write!(formatter, "{} {}", word(self.kind), line(&self.name, sought))?;
        if self.all().next().is_none() {
            let mut names: Vec<_> = self.metrics.families.iter().map(|found| found.family.name).collect();
            names.extend(self.metrics.user.iter().map(|metric| &*metric.name));
            names.dedup();
            return write!(formatter, "\n  it has no series; recorded were {}", names.join(", "));
        }
        self.all().try_for_each(|series| {
            let labels = series.labels.iter().map(|(name, value)| (&**name, &**value));
            write!(formatter, "\n  {} {}", line(&self.name, labels), series.number)
        })
    }
}

impl Debug for SeriesAssertion<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, formatter)
    }
}
