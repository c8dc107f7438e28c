//! Bucket bounds of the program's own histograms, the same for all exporters that have buckets.
//!
//! The bounds are those that the program gives for the name; else those of the unit that it describes, or that ends the name; else
//! those that it gives for all; else those for any number.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use metrics::Unit;

use crate::config::validated::Config;
use crate::metrics::catalogue::{BYTES, ROWS, SECONDS, USD};

/// Bucket bounds of histograms without a unit.
pub const UNITLESS: [f64; 26] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0,
    1000.0, 2500.0, 5000.0, 10_000.0, 1e5, 1e6, 1e8, 1e10,
];

/// Units by the last word of a name: their bounds, and by how much these are multiplied.
const UNITS: [(&str, &[f64], f64); 11] = [
    ("seconds", &SECONDS, 1.0),
    ("milliseconds", &SECONDS, 1e3),
    ("microseconds", &SECONDS, 1e6),
    ("nanoseconds", &SECONDS, 1e9),
    ("bytes", &BYTES, 1.0),
    ("kibibytes", &BYTES, 1.0 / 1024.0),
    ("mebibytes", &BYTES, 1.0 / 1024.0 / 1024.0),
    ("gibibytes", &BYTES, 1.0 / 1024.0 / 1024.0 / 1024.0),
    ("tebibytes", &BYTES, 1.0 / 1024.0 / 1024.0 / 1024.0 / 1024.0),
    ("rows", &ROWS, 1.0),
    ("usd", &USD, 1.0),
];

/// The most metrics whose units are kept.
const MAX_DESCRIBED: usize = 10_000;

/// What the program has set.
static SET: RwLock<Option<Set>> = RwLock::new(None);

#[derive(Debug)]
struct Set {
    all: Option<&'static [f64]>,
    named: HashMap<String, &'static [f64]>,
    /// Bounds by unit, multiplied.
    units: Vec<(&'static str, &'static [f64])>,
    /// Units that the program has described, by the name of the metric.
    described: HashMap<String, &'static str>,
    #[cfg(any(test, feature = "prometheus"))]
    has_suffixes: bool,
}

/// Bounds in order, each once. They live as long as the process, as the histograms do.
fn leaked(bounds: impl IntoIterator<Item = f64>) -> &'static [f64] {
    let mut bounds: Vec<f64> = bounds.into_iter().filter(|bound| bound.is_finite()).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    Box::leak(bounds.into_boxed_slice())
}

fn with<R>(read: impl FnOnce(&mut Set) -> R) -> R {
    let mut set = SET.write().unwrap_or_else(PoisonError::into_inner);
    read(set.get_or_insert_with(|| {
        Set {
            all: None,
            named: HashMap::new(),
            units: UNITS
                .iter()
                .map(|(unit, bounds, factor)| (*unit, leaked(bounds.iter().map(|bound| bound * factor))))
                .collect(),
            described: HashMap::new(),
            #[cfg(any(test, feature = "prometheus"))]
            has_suffixes: true,
        }
    }))
}

/// Sets the bounds that the program gives, for histograms that are made from now on.
pub fn set(config: &Config) {
    let given = |bounds: &Vec<f64>| Some(leaked(bounds.iter().copied())).filter(|bounds| !bounds.is_empty());
    with(|set| {
        if let Some(all) = &config.histogram_buckets
            && set.all.is_none_or(|known| known != all.as_slice())
        {
            set.all = given(all);
        }
        for (name, bounds) in &config.histogram_buckets_by_name {
            if let Some(bounds) = given(bounds) {
                set.named.insert(name.clone(), bounds);
            }
        }
        #[cfg(any(test, feature = "prometheus"))]
        {
            set.has_suffixes = config.metric_unit_suffixes;
        }
    });
}

/// Notes the unit that the program describes. Returns whether it is another one than before.
pub fn describe(name: &str, unit: Option<Unit>) -> bool {
    let Some(unit) = unit else { return false };
    with(|set| {
        let known = set.units.iter().find(|(word, _)| *word == unit.as_str());
        let Some((word, _)) = known else { return false };
        let has_room = set.described.len() < MAX_DESCRIBED || set.described.contains_key(name);
        has_room && set.described.insert(name.to_owned(), word) != Some(*word)
    })
}

/// Whether a unit has bounds of its own.
#[cfg(feature = "prometheus")]
pub fn is_known(unit: Option<Unit>) -> bool {
    unit.is_some_and(|unit| UNITS.iter().any(|(word, _, _)| *word == unit.as_str()))
}

/// The unit that Prometheus' name of a histogram gets at its end: the one that the program has described, if the name does not end
/// with it.
#[cfg(any(test, feature = "prometheus"))]
pub fn suffix(name: &str) -> Option<&'static str> {
    with(|set| set.described.get(name).copied().filter(|word| set.has_suffixes && last_word(name) != *word))
}

fn last_word(name: &str) -> &str {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == ':';
    name.rsplit(|letter| !is_part(letter)).next().unwrap_or_default()
}

/// The bounds of the histogram of that name.
pub fn bounds(name: &str) -> &'static [f64] {
    with(|set| {
        if let Some(bounds) = set.named.get(name) {
            return *bounds;
        }
        let last = last_word(name);
        let word = set.described.get(name).copied().or((last.len() < name.len()).then_some(last));
        let of_unit = set.units.iter().find(|(unit, _)| Some(*unit) == word).map(|(_, bounds)| *bounds);
        of_unit.or(set.all).unwrap_or(&UNITLESS)
    })
}

/// The bounds by the last word of a name, and those for any name; then those by name.
#[cfg(feature = "prometheus")]
#[expect(clippy::type_complexity, reason = "read once, by the next line of its caller")]
pub fn matchers() -> (Vec<(&'static str, &'static [f64])>, &'static [f64], Vec<(String, &'static [f64])>) {
    with(|set| {
        let named = set.named.iter().map(|(name, bounds)| (name.clone(), *bounds)).collect();
        (set.units.clone(), set.all.unwrap_or(&UNITLESS), named)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_name_is_its_unit() {
        for (name, expected) in [
            ("load.seconds", &SECONDS[..]),
            ("load_time_seconds", &SECONDS),
            ("read-bytes", &BYTES),
            ("load.rows", &ROWS),
            ("spent usd", &USD),
            ("seconds", &UNITLESS),
            ("milliseconds", &UNITLESS),
            ("load.seconds.", &UNITLESS),
            ("load.seconds.max", &UNITLESS),
        ] {
            assert_eq!(bounds(name), expected, "{name}");
        }
    }

    #[test]
    fn a_described_unit_counts_as_one_at_the_end_of_the_name() {
        describe("buckets.latency", Some(Unit::Seconds));
        describe("buckets.delay", Some(Unit::Milliseconds));
        describe("buckets.share", Some(Unit::Percent));
        assert_eq!(bounds("buckets.latency"), SECONDS);
        assert_eq!(bounds("buckets.delay"), SECONDS.map(|bound| bound * 1e3));
        assert_eq!(bounds("buckets.share"), UNITLESS);
        assert_eq!((suffix("buckets.latency"), suffix("buckets.share")), (Some("seconds"), None));
        describe("buckets.latency_seconds", Some(Unit::Seconds));
        assert_eq!(suffix("buckets.latency_seconds"), None);
    }

    #[test]
    fn bounds_by_name_come_first() {
        let named = vec![("buckets.named_seconds".to_owned(), vec![2.0, 1.0, f64::NAN, 2.0])];
        set(&Config::default().with(|config| config.histogram_buckets_by_name = named));
        assert_eq!(bounds("buckets.named_seconds"), [1.0, 2.0]);
    }
}
