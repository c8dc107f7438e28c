//! Metrics with Prometheus' names and labels: rendered for a scrape, and accumulated in the textfile.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::UNIX_EPOCH;

use crate::base::text;
use crate::exporters::prometheus::names;
use crate::exporters::prometheus::names::LabelTexts;
use crate::metrics::catalogue::{Family, Kind};
use crate::metrics::exemplars::Exemplar;
use crate::metrics::objective_bounds::{bounds_of, bucket_of};
use crate::metrics::snapshot::{FamilySnapshot, Labels, Series, SeriesValue, Snapshot};

/// A gauge that a run continues from the earlier runs.
const CONSECUTIVE_FAILURES: &str = "cli_command_consecutive_failures";

/// The counter that ends it.
const SUCCESSES: &str = "cli_command_success_total";

/// A gauge that an errored check does not have.
const CHECK_STATUS: &str = "data_quality_check_status";

/// The counter of errored checks.
const ERRORED_CHECKS: &str = "data_quality_check_errored_total";

/// Metrics by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    pub(super) metrics: BTreeMap<String, Metric>,
    /// Descriptions of labels whose different names become the same.
    label_conflicts: BTreeSet<String>,
    /// When the counters were zero, in seconds since 1970.
    pub(super) created: Option<f64>,
    /// The labels of `target_info`, as between the braces.
    pub(super) target: String,
}

/// A metric and its series by the text of their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub(super) kind: Kind,
    /// Escaped for the text format.
    pub(super) help: String,
    pub(super) series: BTreeMap<String, Sample>,
    /// Bucket indexes and formatted exemplars, by the text of a series' labels.
    pub(super) exemplars: BTreeMap<String, Vec<(usize, String)>>,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Sample {
    Number(f64),
    Histogram {
        /// Upper bounds of the buckets, without the infinite bucket.
        bounds: Cow<'static, [f64]>,
        /// Counts by bucket, not cumulative; the last is the infinite bucket.
        counts: Vec<u64>,
        sum: f64,
    },
}

impl Exposition {
    /// Converts a snapshot. Series that get the same labels are added up; of gauges the last one wins.
    pub fn new(snapshot: Snapshot, constant_labels: &[(&str, &str)]) -> Self {
        let mut exposition = Self::default();
        for FamilySnapshot { family, series } in snapshot.families {
            let texts = LabelTexts::new(family, constant_labels);
            let mut named: Vec<_> = series.into_iter().map(|series| (texts.text(&series.labels), series)).collect();
            // Usually they are sorted already, or nearly.
            named.sort_by(|(text, _), (other, _)| text.cmp(other));
            for same in named.chunk_by(|(text, _), (other, _)| text == other) {
                for (index, (_, series)) in same.iter().enumerate() {
                    let conflicts =
                        same[..index].iter().filter_map(|(_, earlier)| label_conflict(&earlier.labels, &series.labels));
                    exposition.label_conflicts.extend(conflicts);
                }
            }
            let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
            let metric = Metric::of(family, help, named);
            exposition.metrics.insert(names::metric_name(family), metric);
        }
        exposition
    }

    /// Sets when the counters were zero, in seconds since 1970, and the labels of `target_info`: attributes of the resource in
    /// OpenTelemetry. Only OpenMetrics shows them.
    pub fn with_origin(mut self, created: f64, target: &[(&str, &str)]) -> Self {
        self.created = Some(created);
        self.target = names::constant_text(target);
        self
    }

    /// Labels with different names that have the same Prometheus name, so that their series were added up. Each pair once.
    pub fn label_conflicts(&self) -> impl Iterator<Item = &str> {
        self.label_conflicts.iter().map(String::as_str)
    }

    /// Adds a metric. Returns false, and adds nothing, if a metric of another kind has that name.
    pub fn include(&mut self, name: &str, metric: Metric) -> bool {
        match self.metrics.get_mut(name) {
            Some(known) if known.kind != metric.kind => return false,
            Some(known) => metric.series.into_iter().for_each(|(labels, sample)| known.put(labels, sample)),
            None => {
                self.metrics.insert(name.to_owned(), metric);
            }
        }
        true
    }

    /// Whether it contains that series of a metric.
    pub fn has(&self, name: &str, labels: &str) -> bool {
        self.metrics.get(name).is_some_and(|metric| metric.series.contains_key(labels))
    }

    /// Keeps the series for which `keep` returns true, by the metric's name and the text of the labels.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        self.metrics.retain(|name, metric| {
            metric.series.retain(|labels, _| keep(name, labels));
            !metric.series.is_empty()
        });
    }

    /// Whether both are equal except for what changes with every delivery.
    pub fn equals_except_deliveries(&self, other: &Self) -> bool {
        self.metrics_except_deliveries().eq(other.metrics_except_deliveries())
    }

    fn metrics_except_deliveries(&self) -> impl Iterator<Item = (&String, &Metric)> {
        let changing = ["obs_flush_last_", "obs_flush_max_", "obs_last_success_", "obs_queue_"];
        self.metrics.iter().filter(move |(name, _)| !changing.iter().any(|prefix| name.starts_with(prefix)))
    }

    /// The growth of counters and histograms since `earlier`, and the current gauges. A counter below its earlier value
    /// was reset: all of it is growth.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut growth = self.clone();
        let failures = growth.metrics.remove(CONSECUTIVE_FAILURES);
        for (name, metric) in growth.metrics.iter_mut().filter(|(_, metric)| metric.kind != Kind::Gauge) {
            let Some(before) = earlier.metrics.get(name) else { continue };
            for (labels, sample) in &mut metric.series {
                if let Some(before) = before.series.get(labels) {
                    sample.subtract(before);
                }
            }
        }
        // After a success they count from zero, otherwise from those of earlier runs.
        if let Some(mut failures) = failures {
            let succeeded = growth.successful_commands();
            let before = earlier.metrics.get(CONSECUTIVE_FAILURES);
            for (labels, sample) in failures.series.iter_mut().filter(|(labels, _)| !succeeded.contains(*labels)) {
                if let Some(before) = before.and_then(|before| before.series.get(labels)) {
                    sample.subtract(before);
                }
            }
            growth.metrics.insert(CONSECUTIVE_FAILURES.to_owned(), failures);
        }
        growth
    }

    /// The labels of commands whose successes are above zero.
    fn successful_commands(&self) -> BTreeSet<String> {
        self.above_zero(SUCCESSES)
    }

    /// The labels of checks that have errored and have no status since.
    fn checks_without_status(&self) -> BTreeSet<String> {
        let errored = self.above_zero(ERRORED_CHECKS).into_iter();
        errored.filter(|labels| !self.has(CHECK_STATUS, labels)).collect()
    }

    /// The labels of the series of a metric whose values are above zero.
    fn above_zero(&self, name: &str) -> BTreeSet<String> {
        let series = self.metrics.get(name).into_iter().flat_map(|metric| &metric.series);
        let grown = series.filter(|(_, sample)| matches!(sample, Sample::Number(number) if *number > 0.0));
        grown.map(|(labels, _)| labels.clone()).collect()
    }

    /// Adds counters and histograms, and replaces gauges. A gauge that is always 1 also replaces those that differ only in what
    /// it tells, such as the version. Of times, the later one stays. Consecutive failures are added to, unless there was a
    /// success. A check that has errored loses its status.
    ///
    /// # Errors
    /// If a metric has another kind here. Then nothing is changed.
    pub fn add(&mut self, growth: Self) -> Result<(), String> {
        for (name, new) in &growth.metrics {
            if let Some(known) = self.metrics.get(name).filter(|known| known.kind != new.kind) {
                return Err(format!("{name} is a {} in the file and a {} now", known.kind_name(), new.kind_name()));
            }
        }
        let succeeded = growth.successful_commands();
        let without_status = growth.checks_without_status();
        if let Some(statuses) = self.metrics.get_mut(CHECK_STATUS) {
            statuses.series.retain(|labels, _| !without_status.contains(labels));
        }
        for (name, mut new) in growth.metrics {
            let Some(known) = self.metrics.get_mut(&name) else {
                self.metrics.insert(name, new);
                continue;
            };
            if new.kind == Kind::Gauge && name.ends_with("_info") {
                let replaced: BTreeSet<_> = new.series.keys().map(|labels| identity(labels)).collect();
                known.series.retain(|labels, _| !replaced.contains(&identity(labels)));
            }
            if name == CONSECUTIVE_FAILURES || name.ends_with("_timestamp_seconds") {
                for (labels, sample) in &mut new.series {
                    match (known.series.get(labels), sample) {
                        (Some(Sample::Number(known)), Sample::Number(new)) if name != CONSECUTIVE_FAILURES => {
                            *new = new.max(*known);
                        }
                        (Some(Sample::Number(known)), Sample::Number(new)) if !succeeded.contains(labels) => {
                            *new += known;
                        }
                        _ => {}
                    }
                }
            }
            known.help = new.help;
            for (labels, sample) in new.series {
                known.put(labels, sample);
            }
        }
        Ok(())
    }
}

impl Metric {
    /// A metric without exemplars.
    pub const fn new(kind: Kind, help: String, series: BTreeMap<String, Sample>) -> Self {
        Self { kind, help, series, exemplars: BTreeMap::new() }
    }

    /// A family's series; `series` is sorted by the text of the labels.
    fn of(family: &'static Family, help: String, series: Vec<(String, Series)>) -> Self {
        let mut metric = Self::new(family.kind, help, BTreeMap::new());
        let mut samples: Vec<(String, Sample)> = Vec::with_capacity(series.len());
        for (text, series) in series {
            let bounds = if family.kind == Kind::Histogram { bounds_of(family, &series.labels) } else { &[] };
            if !series.exemplars.is_empty() {
                let exemplars =
                    series.exemplars.iter().map(|one| (bucket_of(bounds, family, one.bucket), exemplar_text(one)));
                metric.exemplars.insert(text.clone(), exemplars.collect());
            }
            let sample = match series.value {
                SeriesValue::Number(number) => Sample::Number(number),
                SeriesValue::Histogram { counts, sum } => {
                    let mut merged = vec![0; bounds.len() + 1];
                    for (bucket, count) in counts.into_iter().enumerate() {
                        merged[bucket_of(bounds, family, bucket)] += count;
                    }
                    Sample::Histogram { bounds: Cow::Borrowed(bounds), counts: merged, sum }
                }
            };
            match samples.last_mut().filter(|(last, _)| *last == text) {
                Some((_, known)) => known.put(sample, family.kind),
                None => samples.push((text, sample)),
            }
        }
        // Building the map from sorted samples is faster than inserting them.
        metric.series = samples.into_iter().collect();
        metric
    }

    /// Adds a sample; of gauges the last one wins.
    pub(super) fn put(&mut self, labels: String, sample: Sample) {
        match self.series.entry(labels) {
            Entry::Occupied(known) => known.into_mut().put(sample, self.kind),
            Entry::Vacant(vacant) => {
                vacant.insert(sample);
            }
        }
    }

    /// The kind as in a TYPE line.
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

impl Sample {
    /// Combines two samples of the same series: of gauges the last one wins, others are added.
    fn put(&mut self, sample: Self, kind: Kind) {
        if kind == Kind::Gauge {
            *self = sample;
        } else {
            self.add(sample);
        }
    }

    fn add(&mut self, more: Self) {
        match (self, more) {
            (Self::Number(number), Self::Number(more)) => *number = total(*number, more),
            (
                Self::Histogram { bounds, counts, sum },
                Self::Histogram { bounds: new_bounds, counts: more, sum: more_sum },
            ) => {
                let earlier = std::mem::replace(counts, more);
                let earlier_bounds = std::mem::replace(bounds, new_bounds);
                for (index, count) in earlier.into_iter().enumerate() {
                    // The bounds may have changed: an observation is known only by its old upper bound.
                    let upper = earlier_bounds.get(index).copied().unwrap_or(f64::INFINITY);
                    let bucket = bounds.partition_point(|&bound| bound < upper);
                    counts[bucket] = counts[bucket].saturating_add(count);
                }
                *sum = total(*sum, more_sum);
            }
            (known, more) => *known = more,
        }
    }

    fn subtract(&mut self, before: &Self) {
        match (self, before) {
            (Self::Number(number), Self::Number(before)) if *number >= *before => *number -= before,
            (
                Self::Histogram { bounds, counts, sum },
                Self::Histogram { bounds: old_bounds, counts: before, sum: sum_before },
            ) if bounds == old_bounds && counts.iter().zip(before).all(|(count, before)| count >= before) => {
                counts.iter_mut().zip(before).for_each(|(count, before)| *count -= before);
                *sum -= sum_before;
            }
            _ => {}
        }
    }
}

/// An exemplar in the format of `OpenMetrics`: labels, value, and UNIX time.
fn exemplar_text(exemplar: &Exemplar) -> String {
    let at = exemplar.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (trace, value) = (exemplar.trace.trace_id(), exemplar.value);
    format!("{{trace_id=\"{trace}\"}} {value} {}.{:03}", at.as_secs(), at.subsec_millis())
}

/// The differing label names of two series that are the same to Prometheus; `None` if the names do not differ.
fn label_conflict(one: &Labels, other: &Labels) -> Option<String> {
    let only_in = |these: &Labels, those: &Labels| {
        let missing = |(name, value): &&(Cow<'static, str>, Cow<'static, str>)| {
            !value.is_empty() && !those.iter().any(|(known, _)| known == name)
        };
        these.iter().find(missing).map(|(name, _)| name.to_string())
    };
    Some(format!("the labels `{}` and `{}` have the same Prometheus name", only_in(one, other)?, only_in(other, one)?))
}

/// The sum, ignoring a value that is not finite, which would make the totals of all later runs useless.
fn total(known: f64, more: f64) -> f64 {
    match (known.is_finite(), more.is_finite()) {
        (_, false) => known,
        (false, true) => more,
        (true, true) => known + more,
    }
}

/// The labels of an info metric that say what it is about.
fn identity(labels: &str) -> Vec<&str> {
    let told = |pair: &&str| ["version=", "commit=", "cron=", "timezone="].iter().any(|name| pair.starts_with(name));
    pairs(labels).unwrap_or_default().into_iter().filter(|pair| !told(pair)).collect()
}

/// The labels (`name="value"`) of the text between the braces; `None` if it is malformed.
pub fn pairs(mut labels: &str) -> Option<Vec<&str>> {
    let mut pairs = Vec::new();
    while !labels.is_empty() {
        let equals = labels.find("=\"")?;
        let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if equals == 0 || !is_name(text::until(labels, equals)) {
            return None;
        }
        let mut escaped = false;
        let length = text::from(labels, equals + 2).find(|character| {
            let ends = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            ends
        })?;
        let (pair, rest) = labels.split_at_checked(equals + 2 + length + 1)?;
        pairs.push(pair);
        labels = match rest.strip_prefix(',') {
            Some("") => return None,
            Some(rest) => rest,
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    Some(pairs)
}
