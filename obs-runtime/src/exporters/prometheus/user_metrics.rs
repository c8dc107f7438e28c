//! The program's own metrics, from the macros of the `metrics` crate, kept by `metrics-exporter-prometheus` and parsed from
//! its text.
//!
//! Histograms always have buckets, by the unit at the end of their name (`_seconds`, `_bytes`, `_rows`, `_usd`), by the unit that
//! the program describes, which is added to the name, or for any number. Names that become the same Prometheus name share a series, with a warning.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, OnceLock, PoisonError};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::exporters::aggregation::user_buckets;
use crate::exporters::interface::UserMetrics;
use crate::exporters::prometheus::buffered_histogram::BufferedHistograms;
use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::{names, rendered};

/// The program's metrics, recorded by `metrics-exporter-prometheus`.
#[derive(Debug)]
pub struct UserMetricRegistry {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    histogram_recorder: OnceLock<(PrometheusRecorder, PrometheusHandle)>,
    histograms: BufferedHistograms,
    /// The program's first name of each safe name.
    names: Mutex<HashMap<String, String>>,
    warnings: Mutex<Warnings>,
}

#[derive(Debug, Default)]
struct Warnings {
    known: HashSet<String>,
    pending: Vec<String>,
}

/// The registry of this process.
pub fn registry() -> &'static UserMetricRegistry {
    static REGISTRY: OnceLock<UserMetricRegistry> = OnceLock::new();
    REGISTRY.get_or_init(UserMetricRegistry::new)
}

impl UserMetricRegistry {
    fn new() -> Self {
        let (recorder, handle) = recorder_with_buckets();
        Self {
            recorder,
            handle,
            histogram_recorder: OnceLock::new(),
            histograms: BufferedHistograms::default(),
            names: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// Made with the first histogram, so that the program can set buckets after it has made its first counters.
    fn histogram_recorder(&self) -> &(PrometheusRecorder, PrometheusHandle) {
        self.histogram_recorder.get_or_init(recorder_with_buckets)
    }

    fn render(&self) -> String {
        let histograms = self.histogram_recorder.get().map(|(_, handle)| handle.render()).unwrap_or_default();
        self.handle.render() + &histograms
    }

    /// Adds the current values of all metrics, and warns of conflicts. A metric of another kind that has the same name is
    /// kept.
    pub fn add_to(&self, exposition: &mut Exposition, constant: &[(&str, &str)]) {
        for conflict in exposition.label_conflicts() {
            self.warn(format!("{conflict}: rename one"));
        }
        let constant = names::constant_text(constant);
        for (name, mut metric) in rendered::parse(&self.histograms.drain(|| self.render())) {
            if !constant.is_empty() {
                metric.series =
                    metric.series.into_iter().map(|(labels, sample)| (joined(&labels, &constant), sample)).collect();
            }
            if !exposition.include(&name, metric) {
                self.warn(format!("the metric {name} has two kinds: Prometheus gets the first one only"));
            }
        }
    }

    /// Adds a warning, once for each text.
    fn warn(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.known.insert(warning.clone()) {
            warnings.pending.push(warning);
        }
    }

    fn safe_name(&self, name: &str) -> String {
        let safe = names::safe_metric_name(name).into_owned();
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let first = names.entry(safe.clone()).or_insert_with(|| name.to_owned());
        if first != name {
            self.warn(format!("the metrics `{first}` and `{name}` have the same Prometheus name, {safe}: rename one"));
        }
        safe
    }

    fn safe(&self, key: &Key) -> Key {
        let labels = names::user_labels(key.labels().map(|label| (label.key(), label.value())));
        let labels: Vec<Label> = labels.into_iter().map(|(name, value)| Label::new(name, value)).collect();
        Key::from_parts(self.safe_name(key.name()), labels)
    }
}

fn recorder_with_buckets() -> (PrometheusRecorder, PrometheusHandle) {
    let builder = PrometheusBuilder::new().with_recommended_naming(true);
    let (units, all, named) = user_buckets::matchers();
    let suffixes = units.iter().map(|(unit, bounds)| (Matcher::Suffix(format!("_{unit}")), *bounds));
    let full = named.iter().flat_map(|(name, bounds)| {
        let safe = names::safe_metric_name(name).into_owned();
        // A unit that the program describes is added to the name.
        let renamed: Vec<_> = units.iter().map(|(unit, _)| format!("{safe}_{unit}")).collect();
        std::iter::once(safe).chain(renamed).map(|name| (Matcher::Full(name), *bounds))
    });
    // Setting buckets fails only for an empty list.
    let builder = suffixes.chain(full).fold(builder, |builder, (matcher, bounds)| {
        builder.set_buckets_for_metric(matcher, bounds).unwrap_or_default()
    });
    let recorder = builder.set_buckets(all).unwrap_or_default().build_recorder();
    let handle = recorder.handle();
    (recorder, handle)
}

fn safe_name(name: &KeyName) -> KeyName {
    names::safe_metric_name(name.as_str()).into_owned().into()
}

/// The name of a histogram, with the unit that the program has described.
fn histogram_name(name: &str) -> String {
    let safe = names::safe_metric_name(name).into_owned();
    match user_buckets::suffix(name) {
        Some(unit) => format!("{safe}_{unit}"),
        None => safe,
    }
}

fn joined(labels: &str, more: &str) -> String {
    if labels.is_empty() { more.to_owned() } else { format!("{labels},{more}") }
}

impl UserMetrics for UserMetricRegistry {
    fn upkeep(&self) {
        self.histograms.drain(|| {
            self.handle.run_upkeep();
            if let Some((_, handle)) = self.histogram_recorder.get() {
                handle.run_upkeep();
            }
        });
    }

    fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner).pending)
    }
}

impl Recorder for UserMetricRegistry {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder.describe_counter(safe_name(&name), unit, description);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.recorder.describe_gauge(safe_name(&name), unit, description);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        // The unit that decides the buckets is part of the name already.
        let unit = if user_buckets::is_known(unit) { None } else { unit };
        self.histogram_recorder().0.describe_histogram(histogram_name(name.as_str()).into(), unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.recorder.register_counter(&self.safe(key), metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.recorder.register_gauge(&self.safe(key), metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let safe = self.safe(key);
        let safe = match user_buckets::suffix(key.name()) {
            Some(unit) => {
                Key::from_parts(format!("{}_{unit}", safe.name()), safe.labels().cloned().collect::<Vec<_>>())
            }
            None => safe,
        };
        self.histograms.buffered(self.histogram_recorder().0.register_histogram(&safe, metadata))
    }
}

#[cfg(test)]
mod tests;
