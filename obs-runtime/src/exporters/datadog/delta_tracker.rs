//! Tracks what was sent of each series, and makes lines or points to send of the difference to the current values.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};

use crate::exporters::datadog::distribution::{WeightedSample, exact_samples, weighted_samples};
use crate::exporters::datadog::measurements::{Measured, Measurements, Origin};
use crate::exporters::datadog::names;
use crate::exporters::datadog::names::{TagList, Tags};
use crate::metrics::catalogue::Kind;
use crate::metrics::snapshot::{Labels, SeriesValue};

/// The most values of one item.
const MAX_VALUES: usize = 25;

/// Writes what is sent of a series. `None` for what cannot be sent.
pub trait SeriesWriter {
    /// A line or a point.
    type Item;

    /// The growth of a counter.
    fn count(&self, name: &str, tags: &Tags, growth: f64) -> Option<Self::Item>;

    /// The value of a gauge.
    fn gauge(&self, name: &str, tags: &Tags, value: f64) -> Option<Self::Item>;

    /// Samples of a histogram that have the same weight.
    fn distribution(&self, name: &str, tags: &Tags, samples: &[WeightedSample]) -> Option<Self::Item>;
}

/// What to send, and what to mark as sent afterwards.
#[derive(Debug)]
pub struct Change<Item> {
    pub item: Item,
    pub sent: Sent,
}

/// The content of a [`Change`].
#[derive(Debug)]
pub enum Sent {
    /// The growth of a counter.
    Growth { index: usize, by: f64 },
    /// A gauge, which every delivery sends.
    Gauge,
    /// Observations of a histogram.
    Observations { index: usize, samples: Vec<WeightedSample> },
    /// A service check or event.
    Message,
}

/// What was sent so far. Holds a state for each series, which `OBS_MAX_SERIES` bounds.
#[derive(Debug)]
pub struct DeltaTracker {
    constant: Tags,
    states: Vec<SeriesState>,
    indices: HashMap<(Origin, Kind), HashMap<String, HashMap<Labels, usize>>>,
    /// The kind of each metric: that of its first series.
    kinds: HashMap<String, Kind>,
    /// Hashes of names and tags as Datadog distinguishes series.
    identities: HashSet<u64>,
    conflicts: Vec<String>,
}

#[derive(Debug)]
struct SeriesState {
    name: String,
    tags: Tags,
    sent: SeriesValue,
    /// A metric of another kind has the same name. Such a series is not sent: Datadog would mix the two.
    kind_conflict: bool,
}

impl DeltaTracker {
    /// An empty tracker. `constant` tags are added to every series elsewhere; a series' own tag of such a name is renamed.
    pub fn new(constant: Tags) -> Self {
        Self {
            constant,
            states: Vec::new(),
            indices: HashMap::new(),
            kinds: HashMap::new(),
            identities: HashSet::new(),
            conflicts: Vec::new(),
        }
    }

    /// Marks all current values as sent.
    pub fn start_from(&mut self, measured: &Measurements) {
        for series in measured.iter() {
            let index = self.index_of(&series);
            self.states[index].sent = series.value.clone();
        }
    }

    /// What has changed since it was sent. Values that are not finite are omitted: Datadog does not accept them.
    pub fn changes<W: SeriesWriter>(&mut self, measured: &Measurements, writer: &W) -> Vec<Change<W::Item>> {
        let mut changes = Vec::new();
        for series in measured.iter() {
            let index = self.index_of(&series);
            self.states[index].changes(index, &series, writer, &mut changes);
        }
        changes
    }

    /// Marks the content of a change as sent.
    pub fn mark_sent(&mut self, sent: &Sent) {
        match sent {
            Sent::Gauge | Sent::Message => {}
            Sent::Growth { index, by } => {
                if let SeriesValue::Number(total) = &mut self.states[*index].sent {
                    *total += by;
                }
            }
            Sent::Observations { index, samples } => {
                if let SeriesValue::Histogram { counts, sum } = &mut self.states[*index].sent {
                    for WeightedSample { bucket, count, value } in samples {
                        counts[*bucket] += count;
                        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
                        {
                            *sum += *count as f64 * value;
                        }
                    }
                }
            }
        }
    }

    /// New conflicts: series that Datadog cannot distinguish. Each is returned once.
    pub fn take_conflicts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.conflicts)
    }

    fn index_of(&mut self, series: &Measured<'_>) -> usize {
        let known = self.indices.entry((series.origin, series.kind)).or_default();
        if let Some(number) = known.get(series.name).and_then(|known| known.get(series.labels)) {
            return *number;
        }
        let number = self.states.len();
        known.entry(series.name.to_owned()).or_default().insert(series.labels.clone(), number);
        let name = names::metric_name(series.name).into_owned();
        let tags = tags(&self.constant, series);
        let kind_conflict = *self.kinds.entry(name.clone()).or_insert(series.kind) != series.kind;
        if kind_conflict {
            self.conflicts.push(format!("{name} has two kinds"));
        } else if !self.identities.insert(identity(&name, &tags)) {
            let tags: Vec<_> = tags.iter().map(|(name, value)| format!("{name}:{value}")).collect();
            self.conflicts.push(format!("{name}{{{}}} is the name of two series", tags.join(",")));
        }
        let sent = match series.kind {
            Kind::Histogram => SeriesValue::Histogram { counts: vec![0; series.bounds.len() + 1], sum: 0.0 },
            Kind::Counter | Kind::Gauge => SeriesValue::Number(0.0),
        };
        self.states.push(SeriesState { name, tags, sent, kind_conflict });
        number
    }
}

impl SeriesState {
    fn changes<W: SeriesWriter>(
        &mut self,
        index: usize,
        series: &Measured<'_>,
        writer: &W,
        changes: &mut Vec<Change<W::Item>>,
    ) {
        if self.kind_conflict {
            return;
        }
        let mut push = |item: Option<W::Item>, sent| changes.extend(item.map(|item| Change { item, sent }));
        match (series.value, &mut self.sent) {
            (SeriesValue::Number(value), _) if series.kind == Kind::Gauge => {
                if value.is_finite() {
                    push(writer.gauge(&self.name, &self.tags, *value), Sent::Gauge);
                }
            }
            (SeriesValue::Number(value), SeriesValue::Number(sent)) => {
                // The counter was reset.
                if *value < *sent {
                    *sent = 0.0;
                }
                let by = *value - *sent;
                if by > 0.0 && by.is_finite() {
                    push(writer.count(&self.name, &self.tags, by), Sent::Growth { index, by });
                }
            }
            (SeriesValue::Histogram { counts, sum }, SeriesValue::Histogram { counts: counts_sent, sum: sum_sent }) => {
                if counts.iter().zip(counts_sent.iter()).any(|(now, sent)| now < sent) {
                    counts_sent.fill(0);
                    *sum_sent = 0.0;
                }
                let counts: Vec<u64> = counts.iter().zip(counts_sent.iter()).map(|(now, sent)| now - sent).collect();
                // Samples of the same weight share an item.
                let mut by_count: BTreeMap<u64, Vec<WeightedSample>> = BTreeMap::new();
                let new_sum = sum - *sum_sent;
                let exact = exact_samples(series.bounds, &counts, new_sum, series.recent);
                for sample in exact.unwrap_or_else(|| weighted_samples(series.bounds, &counts, new_sum)) {
                    by_count.entry(sample.count).or_default().push(sample);
                }
                for samples in by_count
                    .into_values()
                    .flat_map(|alike| alike.chunks(MAX_VALUES).map(<[_]>::to_vec).collect::<Vec<_>>())
                {
                    let item = writer.distribution(&self.name, &self.tags, &samples);
                    push(item, Sent::Observations { index, samples });
                }
            }
            (SeriesValue::Number(_), SeriesValue::Histogram { .. })
            | (SeriesValue::Histogram { .. }, SeriesValue::Number(_)) => {}
        }
    }
}

/// A warning about new conflicts.
pub fn conflict_warning(conflicts: &[String]) -> Option<String> {
    let first = conflicts.first()?;
    let more = if conflicts.len() > 1 { format!(", and {} more", conflicts.len() - 1) } else { String::new() };
    Some(format!(
        "datadog: {first}{more}; Datadog cannot tell them apart: it ignores case, replaces special characters, and has one kind \
         of metric for each name"
    ))
}

/// The tags of a series: its family's labels first, then the others, sorted.
fn tags(constant: &Tags, series: &Measured<'_>) -> Tags {
    let mut list = TagList::after(constant);
    let mut rest: Vec<_> = series.labels.iter().collect();
    for own in series.own {
        let value = rest.iter().position(|(name, _)| name == own).map_or("", |index| &*rest.remove(index).1);
        // The version of `obs.build.info`.
        if !constant.iter().any(|(name, constant)| name == own && constant == value) {
            list.add(own, value);
        }
    }
    rest.sort_unstable();
    for (name, value) in rest {
        list.add(name, value);
    }
    list.finish()
}

/// A hash of what Datadog distinguishes series by. It ignores the case of tags.
fn identity(name: &str, tags: &Tags) -> u64 {
    let mut tags: Vec<_> = tags.iter().map(|(name, value)| format!("{name}:{value}").to_lowercase()).collect();
    tags.sort_unstable();
    let mut hasher = DefaultHasher::new();
    (name, tags).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::exporters::aggregation::user_metrics::UserSeries;
    use crate::exporters::datadog::events_and_service_checks::Sender;
    use crate::exporters::datadog::lines::Writer;
    use crate::metrics::catalogue;
    use crate::metrics::snapshot::SnapshotBuilder;

    fn labels(labels: &[(&'static str, &str)]) -> Labels {
        labels.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned((*value).to_owned()))).collect()
    }

    fn tracker_and_writer() -> (DeltaTracker, Writer) {
        let constant = vec![("service".to_owned(), "etl".to_owned())];
        (DeltaTracker::new(constant.clone()), Writer::new(&Sender { constant, container: None }))
    }

    fn snapshot(successes: f64, seconds: &[u64], sum: f64, active: f64) -> Measurements {
        let mut builder = SnapshotBuilder::default();
        let load = || labels(&[("operation", "load")]);
        builder.number(&catalogue::OPERATION_SUCCESS, load(), successes);
        builder.histogram(&catalogue::OPERATION_DURATION_SECONDS, load(), seconds, sum);
        builder.number(&catalogue::OPERATION_ACTIVE, load(), active);
        Measurements { snapshot: builder.finish(), users: Vec::new() }
    }

    fn texts(lines: &[Change<String>]) -> Vec<&str> {
        lines.iter().map(|line| line.item.split("|#").next().unwrap_or_default()).collect()
    }

    fn mark_all_sent(tracker: &mut DeltaTracker, lines: &[Change<String>]) {
        for line in lines {
            tracker.mark_sent(&line.sent);
        }
    }

    #[test]
    fn only_gauges_are_sent_again() {
        let (mut tracker, writer) = tracker_and_writer();
        let first = snapshot(3.0, &[2, 1], 0.00275, 1.0);
        let lines = tracker.changes(&first, &writer);
        assert_eq!(
            texts(&lines),
            [
                "operation.duration.seconds:0.00175|d",
                "operation.duration.seconds:0.0005|d|@0.5",
                "operation.success:3|c",
                "operation.active:1|g"
            ]
        );
        assert!(lines[0].item.ends_with("|#service:etl,operation:load"), "{lines:?}");
        mark_all_sent(&mut tracker, &lines);
        assert_eq!(texts(&tracker.changes(&first, &writer)), ["operation.active:1|g"]);
        let lines = tracker.changes(&snapshot(4.5, &[2, 2], 0.004, 0.0), &writer);
        assert_eq!(
            texts(&lines),
            ["operation.duration.seconds:0.0012500000000000002|d", "operation.success:1.5|c", "operation.active:0|g"]
        );
    }

    #[test]
    fn unsent_growth_is_sent_with_the_next_delivery() {
        let (mut tracker, writer) = tracker_and_writer();
        let lines = tracker.changes(&snapshot(3.0, &[2], 0.001, 1.0), &writer);
        // All but the observations.
        mark_all_sent(&mut tracker, &lines[1..]);
        let lines = tracker.changes(&snapshot(4.0, &[4], 0.002, 1.0), &writer);
        assert_eq!(
            texts(&lines),
            ["operation.duration.seconds:0.0005|d|@0.25", "operation.success:1|c", "operation.active:1|g"]
        );
    }

    #[test]
    fn a_reset_counter_is_sent_from_zero() {
        let (mut tracker, writer) = tracker_and_writer();
        tracker.start_from(&snapshot(9.0, &[9], 0.009, 1.0));
        let lines = tracker.changes(&snapshot(2.0, &[1], 0.0005, 0.0), &writer);
        assert_eq!(
            texts(&lines),
            ["operation.duration.seconds:0.0005|d", "operation.success:2|c", "operation.active:0|g"]
        );
    }

    #[test]
    fn values_that_are_not_finite_are_omitted() {
        let (mut tracker, writer) = tracker_and_writer();
        assert_eq!(texts(&tracker.changes(&snapshot(f64::INFINITY, &[], 0.0, f64::NAN), &writer)), [""; 0]);
    }

    #[test]
    fn series_that_datadog_cannot_distinguish_are_reported_once() {
        let (mut tracker, writer) = tracker_and_writer();
        let mut builder = SnapshotBuilder::default();
        for value in ["Users", "users", "a b", "a_b"] {
            builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "load"), ("table", value)]), 1.0);
        }
        let snapshot = Measurements { snapshot: builder.finish(), users: Vec::new() };
        assert_eq!(tracker.changes(&snapshot, &writer).len(), 4);
        assert_eq!(
            tracker.take_conflicts(),
            [
                "operation.success{operation:load,table:a_b} is the name of two series",
                "operation.success{operation:load,table:users} is the name of two series"
            ]
        );
        tracker.changes(&snapshot, &writer);
        assert_eq!(tracker.take_conflicts(), [""; 0]);
    }

    #[test]
    fn labels_of_the_family_come_first_and_keep_their_names() {
        let constant = vec![("service".to_owned(), "etl".to_owned())];
        let of = labels(&[("zone", "eu"), ("operation", "b"), ("operation", "a"), ("service", "x")]);
        let series = Measured {
            origin: Origin::Obs,
            kind: Kind::Counter,
            name: "a",
            own: catalogue::OPERATION_FAILURE.labels,
            labels: &of,
            bounds: &[],
            value: &SeriesValue::Number(1.0),
            recent: &[],
        };
        let tags = tags(&constant, &series);
        let tags: Vec<_> = tags.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        assert_eq!(tags, ["operation:b", "tag_operation:a", "tag_service:x", "zone:eu"]);
    }

    #[test]
    fn metrics_of_the_program_are_separate_from_those_of_obs_and_have_one_kind() {
        let (mut tracker, writer) = tracker_and_writer();
        let user = |kind, value: f64| UserSeries {
            name: "operation.success".to_owned(),
            kind,
            labels: labels(&[("operation", "load")]),
            value: SeriesValue::Number(value),
        };
        let mut measured = snapshot(3.0, &[], 0.0, 0.0);
        measured.users = vec![user(Kind::Counter, 2.0), user(Kind::Gauge, 7.0)];
        let lines = tracker.changes(&measured, &writer);
        assert_eq!(texts(&lines), ["operation.success:3|c", "operation.active:0|g", "operation.success:2|c"]);
        let conflicts = tracker.take_conflicts();
        assert!(conflicts.len() == 2 && conflicts[1] == "operation.success has two kinds", "{conflicts:?}");
        mark_all_sent(&mut tracker, &lines);
        assert_eq!(texts(&tracker.changes(&measured, &writer)), ["operation.active:0|g"]);
    }
}
