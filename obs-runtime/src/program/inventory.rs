//! Everything that is known of the program before it runs anything.

use std::borrow::Cow;

use serde::Serialize;

use crate::base::schedule::Schedule;
use crate::checks::quality::list;
use crate::metrics::callsite::{Callsite, SourceLocation};
use crate::metrics::catalogue::{FAMILIES, Family};
use crate::metrics::registry;

/// What the program is made of, as far as obs' attributes tell.
#[derive(Clone, Debug, Serialize)]
pub struct Catalogue {
    /// Functions under `#[tracked_command]`, `#[with_error_tracking]`, `#[bq_cost]` and `#[track_performance]`, and
    /// operations that were named by hand so far.
    pub callsites: Vec<Entry>,
    /// Functions under `#[health_check]`, and checks that were registered so far.
    pub health_checks: Vec<Entry>,
    /// Functions under `#[dq_check]`, one with `for_each` once, and checks that were registered so far.
    pub dq_checks: Vec<Entry>,
    /// Every metric family.
    pub metrics: &'static [Family],
    /// What is wrong with the declarations, each in one sentence with the places: two checks of one name, a check that comes
    /// after one that is not there. Runs warn of it.
    pub problems: Vec<String>,
}

/// A function under one of obs' attributes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Entry {
    /// The operation's, command's or check's name.
    pub name: Cow<'static, str>,
    /// The attribute.
    pub attribute: &'static str,
    /// Where the function stands.
    pub place: SourceLocation,
    /// When it is scheduled to run; commands with `cron` only.
    pub schedule: Option<Schedule>,
}

/// Lists everything that obs knows of the program, sorted by name, without running any of it.
///
/// Functions of other crates are there when those crates are linked, whatever the linker drops. The compiler leaves out a crate
/// that `Cargo.toml` names and no code: `#![warn(unused_crate_dependencies)]` tells of it, and `use growth_checks as _;`
/// brings it in.
///
/// ```
/// let catalogue = obs_runtime::catalogue();
/// assert!(catalogue.metrics.iter().any(|family| family.name == "operation.duration.seconds"));
/// ```
#[must_use]
pub fn catalogue() -> Catalogue {
    let entry = |name, attribute, place| Entry { name, attribute, place, schedule: None };
    let callsite = |site: &'static Callsite| Entry {
        schedule: site.cron_schedule(),
        ..entry(Cow::Borrowed(site.name()), site.kind().as_str(), site.place())
    };
    let owned = |name: &str| Cow::Owned(name.to_owned());
    let health_checks = crate::checks::health::list::checks();
    let dq_checks = list::checks();
    Catalogue {
        callsites: sorted(registry::callsites().into_iter().map(callsite)),
        health_checks: sorted(
            health_checks.iter().map(|check| entry(owned(check.name()), "health_check", check.place())),
        ),
        dq_checks: sorted(dq_checks.iter().map(|check| entry(owned(check.name()), "dq_check", check.place()))),
        problems: [crate::checks::health::list::problems(), list::problems()].concat(),
        metrics: FAMILIES,
    }
}

fn sorted(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = entries.collect();
    entries.sort();
    entries
}
