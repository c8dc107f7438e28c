//! Assertions about captured metrics.

use std::collections::BTreeSet;
use std::fmt::{self, Debug, Display};

use crate::config::parse::nearest;
use crate::metrics::catalogue::{FAMILIES, Family, Kind};
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
    /// obs without such a series is 0. A gauge, and a metric of the program's own, has no value then.
    ///
    /// # Panics
    /// Panics if it is another value, if there is no metric of that name, if it is of another kind, or if no series has a label of
    /// that name; with the series that there are.
    #[track_caller]
    pub fn is(&self, expected: impl Into<f64>) {
        self.assert_names();
        let (value, expected) = (self.known_value(), expected.into());
        assert!(
            value.is_some_and(|value| is_same(value, expected)),
            "expected {expected}, found {}: {self}",
            Shown(value)
        );
    }

    /// Asserts that the value, which is that of [`is`](Self::is), is no less than this.
    ///
    /// # Panics
    /// As [`is`](Self::is) does.
    #[track_caller]
    pub fn is_at_least(&self, least: impl Into<f64>) {
        self.assert_names();
        let (value, least) = (self.known_value(), least.into());
        assert!(value.is_some_and(|value| value >= least), "expected {least} or more, found {}: {self}", Shown(value));
    }

    /// Asserts the sum of the observations of a histogram. A histogram of obs without such a series has the sum 0.
    ///
    /// # Panics
    /// As [`is`](Self::is) does, and if it is no histogram.
    #[track_caller]
    pub fn sum_is(&self, expected: impl Into<f64>) {
        self.assert_names();
        assert!(
            self.kind == Kind::Histogram,
            "{} is a {}, which has no observations: assert its value by `is`",
            self.name,
            word(self.kind)
        );
        let sums = self.found().map(|series| series.sum).reduce(|sum, of_series| sum + of_series);
        let (sum, expected) = (sums.or(self.absent()), expected.into());
        assert!(
            sum.is_some_and(|sum| is_same(sum, expected)),
            "expected observations that add up to {expected}, found {}: {self}",
            Shown(sum)
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

    /// The value, or what an absent series stands for.
    fn known_value(&self) -> Option<f64> {
        self.value().or(self.absent())
    }

    /// What an absent series stands for.
    fn absent(&self) -> Option<f64> {
        (self.kind != Kind::Gauge && self.family().is_some()).then_some(0.0)
    }

    /// The metric of obs that has the name.
    fn family(&self) -> Option<&'static Family> {
        FAMILIES.iter().find(|family| family.name == self.name)
    }

    /// Asserts that there is such a metric, that it is of that kind, and that it may have the labels.
    #[track_caller]
    fn assert_names(&self) {
        let declared = self.family().map(|family| family.kind);
        let Some(kind) = declared.or_else(|| self.all().next().map(|series| series.kind)) else {
            let hint = nearest(&self.name, self.names().into_iter().chain(FAMILIES.iter().map(|known| known.name)));
            panic!("no metric of obs and no recorded one has this name: {self}{}", Hint(hint));
        };
        assert!(kind == self.kind, "{} is a {}, not a {}", self.name, word(kind), word(self.kind));
        let known = self.known_labels();
        if let Some((unknown, _)) = self.labels.iter().find(|(name, _)| !known.contains(&**name)) {
            let hint = nearest(unknown, known.iter().copied());
            let known: Vec<_> = known.iter().copied().collect();
            panic!("no series has a label `{unknown}`; the labels are {}: {self}{}", known.join(", "), Hint(hint));
        }
    }

    /// The names of the labels that the metric may have: its own, and of a metric of obs the tags of calls.
    fn known_labels(&self) -> BTreeSet<&str> {
        let of_series = self.all().flat_map(|series| series.labels).map(|(name, _)| &**name);
        let Some(family) = self.family() else { return of_series.collect() };
        let of_calls = self.metrics.families.iter().flat_map(|found| {
            let own = found.family.labels;
            let labels = found.series.iter().flat_map(|series| &series.labels).map(|(name, _)| &**name);
            labels.filter(move |name| !own.contains(name))
        });
        family.labels.iter().copied().chain(of_series).chain(of_calls).collect()
    }

    /// The names of the recorded metrics.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.metrics.families.iter().map(|found| found.family.name).collect();
        names.extend(self.metrics.user.iter().map(|metric| &*metric.name));
        names.dedup();
        names
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

/// Whether two values are the same but for rounding.
fn is_same(value: f64, expected: f64) -> bool {
    if value.is_finite() && expected.is_finite() {
        (value - expected).abs() <= 1e-9 * expected.abs().max(1.0)
    } else {
        value.total_cmp(&expected).is_eq() || value.is_nan() && expected.is_nan()
    }
}

/// A question after what is unknown.
struct Hint(Option<String>);

impl Display for Hint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(formatter, "\n  did you mean `{name}`?"))
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
            let names = self.names();
            let recorded = if names.is_empty() { "no metrics".to_owned() } else { names.join(", ") };
            return write!(formatter, "\n  it has no series; recorded were {recorded}");
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
