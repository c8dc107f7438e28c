//! What was sent of each series, so that the next time what has come since is sent.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};

use crate::exporters::datadog::distribution::{Portion, exactly, portions};
use crate::exporters::datadog::lines::Writer;
use crate::exporters::datadog::measurements::{Measured, Measurements, Origin};
use crate::exporters::datadog::names;
use crate::exporters::datadog::names::{TagList, Tags};
use crate::metrics::catalogue::Kind;
use crate::metrics::snapshot::{Labels, SeriesValue};

/// So many values stand on one line.
const VALUES: usize = 25;

/// A line to send, and what of it is to be noted once it was sent.
#[derive(Debug)]
pub struct Line {
    pub text: String,
    pub sent: Sent,
}

/// What a line tells.
#[derive(Debug)]
pub enum Sent {
    /// How much a counter grew.
    Growth { account: usize, by: f64 },
    /// A gauge, which is told each time.
    Gauge,
    /// Observations.
    Observations { account: usize, portions: Vec<Portion> },
    /// What happened, and is not added up.
    Note,
}

/// What was sent so far. It holds an account for each series that there is, so as many as `OBS_MAX_SERIES` allows.
#[derive(Debug)]
pub struct Ledger {
    constant: Tags,
    accounts: Vec<Account>,
    numbers: HashMap<(Origin, Kind), HashMap<String, HashMap<Labels, usize>>>,
    /// The kind of each metric, as the first series of that name has it.
    kinds: HashMap<String, Kind>,
    /// Hashes of names and tags as Datadog tells series apart.
    identities: HashSet<u64>,
    clashes: Vec<String>,
}

#[derive(Debug)]
struct Account {
    name: String,
    tags: Tags,
    sent: SeriesValue,
    /// The name is one of another kind of metric: Datadog would take one for the other.
    barred: bool,
}

impl Ledger {
    /// An empty ledger of series that bear these tags beside their own.
    pub fn new(constant: Tags) -> Self {
        Self {
            constant,
            accounts: Vec::new(),
            numbers: HashMap::new(),
            kinds: HashMap::new(),
            identities: HashSet::new(),
            clashes: Vec::new(),
        }
    }

    /// Notes all that was measured as sent.
    pub fn begin_at(&mut self, measured: &Measurements) {
        for series in measured.iter() {
            let account = self.account(&series);
            self.accounts[account].sent = series.value.clone();
        }
    }

    /// Lines of what has come since what was sent. Values that are no finite numbers are left out: Datadog has none.
    pub fn lines(&mut self, measured: &Measurements, writer: &Writer) -> Vec<Line> {
        let mut lines = Vec::new();
        for series in measured.iter() {
            let account = self.account(&series);
            self.accounts[account].lines(account, &series, writer, &mut lines);
        }
        lines
    }

    /// Notes what a line told as sent.
    pub fn note(&mut self, sent: &Sent) {
        match sent {
            Sent::Gauge | Sent::Note => {}
            Sent::Growth { account, by } => {
                if let SeriesValue::Number(total) = &mut self.accounts[*account].sent {
                    *total += by;
                }
            }
            Sent::Observations { account, portions } => {
                if let SeriesValue::Histogram { counts, sum } = &mut self.accounts[*account].sent {
                    for Portion { bucket, count, value } in portions {
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

    /// What Datadog cannot tell apart, each of it told once.
    pub fn take_clashes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.clashes)
    }

    fn account(&mut self, series: &Measured<'_>) -> usize {
        let known = self.numbers.entry((series.origin, series.kind)).or_default();
        if let Some(number) = known.get(series.name).and_then(|known| known.get(series.labels)) {
            return *number;
        }
        let number = self.accounts.len();
        known.entry(series.name.to_owned()).or_default().insert(series.labels.clone(), number);
        let name = names::metric_name(series.name).into_owned();
        let tags = tags(&self.constant, series);
        let barred = *self.kinds.entry(name.clone()).or_insert(series.kind) != series.kind;
        if barred {
            self.clashes.push(format!("{name} is two kinds of metric"));
        } else if !self.identities.insert(identity(&name, &tags)) {
            let tags: Vec<_> = tags.iter().map(|(name, value)| format!("{name}:{value}")).collect();
            self.clashes.push(format!("{name}{{{}}} stands for two series", tags.join(",")));
        }
        let sent = match series.kind {
            Kind::Histogram => SeriesValue::Histogram { counts: vec![0; series.bounds.len() + 1], sum: 0.0 },
            Kind::Counter | Kind::Gauge => SeriesValue::Number(0.0),
        };
        self.accounts.push(Account { name, tags, sent, barred });
        number
    }
}

impl Account {
    fn lines(&mut self, account: usize, series: &Measured<'_>, writer: &Writer, lines: &mut Vec<Line>) {
        if self.barred {
            return;
        }
        let mut push = |text: Option<String>, sent| lines.extend(text.map(|text| Line { text, sent }));
        match (series.value, &mut self.sent) {
            (SeriesValue::Number(value), _) if series.kind == Kind::Gauge => {
                if value.is_finite() {
                    push(writer.gauge(&self.name, &self.tags, *value), Sent::Gauge);
                }
            }
            (SeriesValue::Number(value), SeriesValue::Number(sent)) => {
                // Less than before: it began anew.
                if *value < *sent {
                    *sent = 0.0;
                }
                let by = *value - *sent;
                if by > 0.0 && by.is_finite() {
                    push(writer.count(&self.name, &self.tags, by), Sent::Growth { account, by });
                }
            }
            (SeriesValue::Histogram { counts, sum }, SeriesValue::Histogram { counts: counts_sent, sum: sum_sent }) => {
                if counts.iter().zip(counts_sent.iter()).any(|(now, sent)| now < sent) {
                    counts_sent.fill(0);
                    *sum_sent = 0.0;
                }
                let counts: Vec<u64> = counts.iter().zip(counts_sent.iter()).map(|(now, sent)| now - sent).collect();
                // Portions that count the same share a line.
                let mut by_count: BTreeMap<u64, Vec<Portion>> = BTreeMap::new();
                // What everybody remembers need not be guessed.
                let remembered = exactly(series.bounds, &counts, series.recent);
                for portion in remembered.unwrap_or_else(|| portions(series.bounds, &counts, sum - *sum_sent)) {
                    by_count.entry(portion.count).or_default().push(portion);
                }
                for portions in
                    by_count.into_values().flat_map(|alike| alike.chunks(VALUES).map(<[_]>::to_vec).collect::<Vec<_>>())
                {
                    let text = writer.distribution(&self.name, &self.tags, &portions);
                    push(text, Sent::Observations { account, portions });
                }
            }
            (SeriesValue::Number(_), SeriesValue::Histogram { .. })
            | (SeriesValue::Histogram { .. }, SeriesValue::Number(_)) => {}
        }
    }
}

/// The series' own labels come first, then the call's tags.
fn tags(constant: &Tags, series: &Measured<'_>) -> Tags {
    let mut list = TagList::after(constant);
    let mut rest: Vec<_> = series.labels.iter().collect();
    for own in series.own {
        let value = rest.iter().position(|(name, _)| name == own).map(|index| &rest.remove(index).1);
        list.add(own, value.map_or("", |value| &**value));
    }
    rest.sort_unstable();
    for (name, value) in rest {
        list.add(name, value);
    }
    list.finish()
}

/// A number for what Datadog tells series apart by: it folds the case of tags.
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
    use crate::exporters::datadog::events_and_service_checks::Sender;
    use crate::exporters::datadog::user_metrics::UserSeries;
    use crate::metrics::catalogue;
    use crate::metrics::snapshot::Builder;

    fn labels(labels: &[(&'static str, &str)]) -> Labels {
        labels.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Owned((*value).to_owned()))).collect()
    }

    fn books() -> (Ledger, Writer) {
        let constant = vec![("service".to_owned(), "etl".to_owned())];
        (Ledger::new(constant.clone()), Writer::new(&Sender { constant, container: None }))
    }

    fn snapshot(successes: f64, seconds: &[u64], sum: f64, active: f64) -> Measurements {
        let mut builder = Builder::default();
        let load = || labels(&[("operation", "load")]);
        builder.number(&catalogue::OPERATION_SUCCESS, load(), successes);
        builder.histogram(&catalogue::OPERATION_DURATION_SECONDS, load(), seconds, sum);
        builder.number(&catalogue::OPERATION_ACTIVE, load(), active);
        Measurements { snapshot: builder.finish(), users: Vec::new() }
    }

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.text.split("|#").next().unwrap_or_default()).collect()
    }

    fn settle(ledger: &mut Ledger, lines: &[Line]) {
        for line in lines {
            ledger.note(&line.sent);
        }
    }

    #[test]
    fn what_was_sent_is_not_sent_again_and_gauges_are() {
        let (mut ledger, writer) = books();
        let first = snapshot(3.0, &[2, 1], 0.00275, 1.0);
        let lines = ledger.lines(&first, &writer);
        assert_eq!(
            texts(&lines),
            [
                "operation.duration.seconds:0.00175|d",
                "operation.duration.seconds:0.0005|d|@0.5",
                "operation.success:3|c",
                "operation.active:1|g"
            ]
        );
        assert!(lines[0].text.ends_with("|#service:etl,operation:load"), "{lines:?}");
        settle(&mut ledger, &lines);
        assert_eq!(texts(&ledger.lines(&first, &writer)), ["operation.active:1|g"]);
        let lines = ledger.lines(&snapshot(4.5, &[2, 2], 0.004, 0.0), &writer);
        assert_eq!(
            texts(&lines),
            ["operation.duration.seconds:0.0012500000000000002|d", "operation.success:1.5|c", "operation.active:0|g"]
        );
    }

    #[test]
    fn what_was_not_sent_comes_with_what_is_new() {
        let (mut ledger, writer) = books();
        let lines = ledger.lines(&snapshot(3.0, &[2], 0.001, 1.0), &writer);
        // All but the observations.
        settle(&mut ledger, &lines[1..]);
        let lines = ledger.lines(&snapshot(4.0, &[4], 0.002, 1.0), &writer);
        assert_eq!(
            texts(&lines),
            ["operation.duration.seconds:0.0005|d|@0.25", "operation.success:1|c", "operation.active:1|g"]
        );
    }

    #[test]
    fn what_began_anew_is_all_new() {
        let (mut ledger, writer) = books();
        ledger.begin_at(&snapshot(9.0, &[9], 0.009, 1.0));
        let lines = ledger.lines(&snapshot(2.0, &[1], 0.0005, 0.0), &writer);
        assert_eq!(
            texts(&lines),
            ["operation.duration.seconds:0.0005|d", "operation.success:2|c", "operation.active:0|g"]
        );
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let (mut ledger, writer) = books();
        assert_eq!(texts(&ledger.lines(&snapshot(f64::INFINITY, &[], 0.0, f64::NAN), &writer)), [""; 0]);
    }

    #[test]
    fn series_that_datadog_cannot_tell_apart_are_told_once() {
        let (mut ledger, writer) = books();
        let mut builder = Builder::default();
        for value in ["Users", "users", "a b", "a_b"] {
            builder.number(&catalogue::OPERATION_SUCCESS, labels(&[("operation", "load"), ("table", value)]), 1.0);
        }
        let snapshot = Measurements { snapshot: builder.finish(), users: Vec::new() };
        assert_eq!(ledger.lines(&snapshot, &writer).len(), 4);
        assert_eq!(
            ledger.take_clashes(),
            [
                "operation.success{operation:load,table:a_b} stands for two series",
                "operation.success{operation:load,table:users} stands for two series"
            ]
        );
        ledger.lines(&snapshot, &writer);
        assert_eq!(ledger.take_clashes(), [""; 0]);
    }

    #[test]
    fn own_labels_come_first_and_take_their_names() {
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
    fn what_the_program_counts_is_apart_from_what_obs_counts_and_of_one_kind() {
        let (mut ledger, writer) = books();
        let user = |kind, value: f64| UserSeries {
            name: "operation.success".to_owned(),
            kind,
            labels: labels(&[("operation", "load")]),
            value: SeriesValue::Number(value),
        };
        let mut measured = snapshot(3.0, &[], 0.0, 0.0);
        measured.users = vec![user(Kind::Counter, 2.0), user(Kind::Gauge, 7.0)];
        let lines = ledger.lines(&measured, &writer);
        assert_eq!(texts(&lines), ["operation.success:3|c", "operation.active:0|g", "operation.success:2|c"]);
        let clashes = ledger.take_clashes();
        assert!(clashes.len() == 2 && clashes[1] == "operation.success is two kinds of metric", "{clashes:?}");
        settle(&mut ledger, &lines);
        assert_eq!(texts(&ledger.lines(&measured, &writer)), ["operation.active:0|g"]);
    }
}
