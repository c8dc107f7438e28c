//! The catalogue of a program: its instrumented functions, checks and metrics.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::base::declaration::Objective;
use crate::base::schedule::{Schedule, seconds};
use crate::checks::health::check::HealthCheck;
use crate::checks::quality::check::QualityCheck;
use crate::checks::quality::list;
use crate::checks::quality::partition::PartitionUnit;
use crate::checks::runner::details::{shown_declared, shown_name};
use crate::metrics::callsite::{Callsite, SourceLocation};
use crate::metrics::catalogue::{FAMILIES, Family};
use crate::metrics::registry;
use crate::pipeline::global;
use crate::program::early_drop;

/// The instrumented functions, checks and metrics of the program.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Catalogue {
    /// Functions with `#[tracked_command]`, `#[with_error_tracking]`, `#[bq_cost]` and `#[track_performance]`, and operations
    /// that were named at run time so far.
    pub callsites: Vec<Entry>,
    /// Functions with `#[health_check]`, and checks that are registered.
    pub health_checks: Vec<Entry>,
    /// Functions with `#[dq_check]`, one with `for_each` once, and checks that are registered.
    pub dq_checks: Vec<Entry>,
    /// Every metric family.
    pub metrics: &'static [Family],
    /// Problems of the declarations, each a sentence with the places: duplicate names, `after` with an unknown check. Runs
    /// log them as warnings.
    pub problems: Vec<String>,
    /// The names that several annotated functions have, each a sentence with the places: their metrics are added up.
    /// Initialising obs logs them as a warning.
    pub shared_names: Vec<String>,
}

/// An instrumented function or a check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// The name of the operation, command or check.
    pub name: Cow<'static, str>,
    /// The attribute.
    pub attribute: &'static str,
    /// Where the function is declared.
    pub place: SourceLocation,
    /// The schedule of a command with `cron` or `every`.
    pub schedule: Option<Schedule>,
    /// Who owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<&'static str>,
    /// The page that says what to do when it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<&'static str>,
    /// The share of calls that must succeed. Serialised as a percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slo: Option<Objective>,
    /// How long a call may take, for the share that `slo` gives. Serialised in seconds.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub slo_latency: Option<Duration>,
    /// The first paragraph of its documentation; of a data-quality check only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'static str>,
    /// The settings of a data-quality check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualityEntry>,
}

/// The settings of a data-quality check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct QualityEntry {
    /// The data set; empty if the check names none, or for a list of data sets.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dataset: String,
    /// The column, or empty.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub column: &'static str,
    /// `info`, `warning` or `critical`.
    pub severity: &'static str,
    /// Whether its failure skips the other checks of its data set.
    pub blocking: bool,
    /// Each limit as in the attribute: `fail_above = 0.05`.
    pub thresholds: Vec<String>,
    /// How long its partitions are, if it has any: `hour`, `day` or `month`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<&'static str>,
    /// Its tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl QualityEntry {
    pub(crate) fn new(check: &QualityCheck) -> Self {
        Self {
            dataset: shown_name(check.dataset_name().to_owned().into()).into_owned(),
            column: shown_declared(check.column),
            severity: check.severity.as_str(),
            blocking: check.blocking,
            thresholds: check.thresholds(),
            partition: check.partition.map(PartitionUnit::as_str),
            tags: check.tags(),
        }
    }
}

/// Lists the instrumented functions, checks and metrics of the program, sorted by name, without running any.
///
/// It includes the functions of all linked crates. The compiler does not link a dependency that no code uses:
/// `#![warn(unused_crate_dependencies)]` reports it, and `use growth_checks as _;` links it.
///
/// ```
/// let catalogue = obs_runtime::catalogue();
/// assert!(catalogue.metrics.iter().any(|family| family.name == "operation.duration.seconds"));
/// ```
#[must_use]
pub fn catalogue() -> Catalogue {
    early_drop::note_reading();
    let entry = |name, attribute, place| Entry {
        name,
        attribute,
        place,
        schedule: None,
        owner: None,
        runbook: None,
        slo: None,
        slo_latency: None,
        description: None,
        quality: None,
    };
    let callsite = |site: &'static Callsite| {
        let declared = site.declaration();
        Entry {
            schedule: site.cron_schedule(),
            owner: declared.owner.map(shown_declared),
            runbook: declared.runbook.map(shown_declared),
            slo: declared.slo,
            slo_latency: declared.slo_latency,
            ..entry(Cow::Borrowed(site.name()), site.kind().as_str(), site.place())
        }
    };
    let shown = |name: &str| shown_name(name.to_owned().into());
    let declared = |text: &'static str| (!text.is_empty()).then(|| shown_declared(text));
    let quality = |check: &QualityCheck| Entry {
        owner: declared(check.owner),
        runbook: declared(check.runbook),
        description: declared(check.description),
        quality: Some(QualityEntry::new(check)),
        ..entry(shown(check.name()), "dq_check", check.place())
    };
    let health = |check: &HealthCheck| Entry {
        owner: declared(check.owner),
        runbook: declared(check.runbook),
        ..entry(shown(check.name()), "health_check", check.place())
    };
    let health_checks = crate::checks::health::list::checks();
    let dq_checks = list::checks();
    Catalogue {
        callsites: sorted(registry::callsites().into_iter().map(callsite)),
        health_checks: sorted(health_checks.iter().map(|check| health(check))),
        dq_checks: sorted(dq_checks.iter().map(|check| quality(check))),
        problems: [crate::checks::health::list::problems(), list::problems()]
            .concat()
            .into_iter()
            .map(global::redact)
            .collect(),
        shared_names: registry::shared_names(),
        metrics: FAMILIES,
    }
}

fn sorted(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = entries.collect();
    entries.sort();
    entries
}
