//! The status of the exporters.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use crate::metrics::delivery_stats;
use crate::metrics::drop_counters;
use crate::pipeline::global;
use crate::program::early_drop;

/// The status of obs in this process.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RuntimeStatus {
    /// Whether obs is initialised.
    pub initialised: bool,
    /// The exporters, and other parts that have dropped data, sorted by name.
    pub sinks: Vec<SinkStatus>,
    /// The metrics that have reached `OBS_MAX_SERIES`, sorted: further label values of theirs are recorded as `other`. These
    /// are what `obs.dropped{sink="metrics",reason="cardinality"}` counts. At most 100 names.
    pub full_metrics: Vec<String>,
}

/// The status of one exporter.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SinkStatus {
    /// The name, as in `obs.dropped{sink="…"}`.
    pub name: String,
    /// The time of the last successful flush, if any. Serialised as RFC 3339 in UTC.
    #[serde(serialize_with = "rfc_3339")]
    pub last_success: Option<SystemTime>,
    /// The error of the last flush, redacted; none if it succeeded.
    pub failure: Option<String>,
    /// The duration of the last flush, successful or not. Serialised as seconds.
    #[serde(serialize_with = "seconds")]
    pub flush_duration: Option<Duration>,
    /// The number of events or requests that wait to be sent.
    pub queued: usize,
    /// How much it has dropped since the process started, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
fn rfc_3339<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = time.and_then(|time| jiff::Timestamp::try_from(time).ok()).map(|time| format!("{time:.3}"));
    text.serialize(serializer)
}

#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
fn seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

/// The status of each exporter of this process: its last success, what it dropped and why, the duration of its flush and
/// the length of its queue. The same is measured as `obs.last_success.timestamp.seconds`, `obs.dropped`,
/// `obs.flush.last_duration.seconds` and `obs.queue.length`.
///
/// Sends nothing, and can be called at any time, also when obs is not initialised.
///
/// ```
/// let guard = obs_runtime::Observability::builder().without_environment().prometheus_port(0).init()?;
/// guard.flush();
/// let status = obs_runtime::status();
/// let log = status.sink("log").ok_or("there is a log")?;
/// assert!(log.last_success.is_some() && log.failure.is_none() && log.dropped.is_empty());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn status() -> RuntimeStatus {
    early_drop::note_reading();
    let pipeline = global::pipeline();
    let queued: BTreeMap<_, _> = pipeline.iter().flat_map(|pipeline| pipeline.queued()).collect();
    let deliveries = delivery_stats::all();
    let mut dropped: BTreeMap<&'static str, BTreeMap<&'static str, u64>> = BTreeMap::new();
    for (sink, reason, number) in drop_counters::all() {
        dropped.entry(sink).or_default().insert(reason, number);
    }
    let names: BTreeSet<_> = queued.keys().chain(deliveries.keys()).chain(dropped.keys()).copied().collect();
    let sink = |name: &'static str| {
        let delivered = deliveries.get(name);
        SinkStatus {
            name: name.to_owned(),
            last_success: delivered.and_then(|delivered| delivered.last_success),
            failure: delivered.and_then(|delivered| delivered.failure.clone()),
            flush_duration: delivered.map(|delivered| delivered.last_duration),
            queued: queued.get(name).copied().unwrap_or_default(),
            dropped: dropped.remove(name).unwrap_or_default(),
        }
    };
    RuntimeStatus {
        initialised: pipeline.is_some(),
        sinks: names.into_iter().map(sink).collect(),
        full_metrics: pipeline.map(|pipeline| pipeline.overflows()).unwrap_or_default(),
    }
}

impl RuntimeStatus {
    /// The exporter of that name.
    #[must_use]
    pub fn sink(&self, name: &str) -> Option<&SinkStatus> {
        self.sinks.iter().find(|sink| sink.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_has_drops_and_deliveries_also_as_json() {
        drop_counters::count("status-test", "full", 3);
        let took = Duration::from_millis(1500);
        delivery_stats::record("status-test", took, Ok(()));
        delivery_stats::record("status-test", took, Err("refused".to_owned()));
        let status = status();
        let sink = status.sink("status-test").unwrap();
        assert_eq!(
            (sink.dropped["full"], sink.failure.as_deref(), sink.flush_duration),
            (3, Some("refused"), Some(took))
        );
        let json = serde_json::to_value(sink).unwrap();
        assert_eq!((&json["flush_duration"], &json["dropped"]["full"]), (&1.5.into(), &3.into()));
        assert!(json["last_success"].as_str().unwrap().ends_with('Z'), "{json}");
    }
}
