//! The registry of call sites: those that attributes define, collected by the linker, and those created at run time.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::base::ffi::{Callsites, Section};
use crate::metrics::callsite::{Callsite, CallsiteKind, SourceLocation, reserve_series};
use crate::metrics::cardinality::OTHER;

impl Section for Callsites {
    type Item = Callsite;
}

/// Operations and commands that the program names at run time.
static MANUAL: Mutex<Option<HashMap<Key, &'static Callsite>>> = Mutex::new(None);

type Key = (bool, Cow<'static, str>);

/// The call site of an operation or a command named at run time. At most `limit` names are kept; further ones share
/// [`OTHER`], and the second value returned is true.
pub fn manual_callsite(
    name: Cow<'static, str>,
    command: bool,
    limit: usize,
    place: &'static std::panic::Location<'static>,
) -> (&'static Callsite, bool) {
    let mut sites = MANUAL.lock().unwrap_or_else(PoisonError::into_inner);
    let sites = sites.get_or_insert_default();
    let key = (command, name);
    if let Some(site) = sites.get(&key) {
        return (site, false);
    }
    let kind = if command { CallsiteKind::Command } else { CallsiteKind::Operation };
    let full = !reserve_series(kind, limit);
    let key = if full { (command, Cow::Borrowed(OTHER)) } else { key };
    let site = sites.entry(key.clone()).or_insert_with(|| {
        // Leaked: call sites live as long as the program, and `limit` bounds their number.
        let name: &'static str = match key.1 {
            Cow::Borrowed(name) => name,
            Cow::Owned(name) => name.leak(),
        };
        let make = if command { Callsite::command } else { Callsite::operation };
        Box::leak(Box::new(make(name, "", place.file(), place.line())))
    });
    (site, full)
}

/// All call sites: those of attributes in the order of the linker, then those created at run time.
#[must_use]
pub fn callsites() -> Vec<&'static Callsite> {
    let manual = MANUAL.lock().unwrap_or_else(PoisonError::into_inner);
    Callsites::items().iter().chain(manual.iter().flatten().map(|(_, site)| *site)).collect()
}

/// A sentence for each name that several annotated functions have, with their places. Nothing tells their series apart.
///
/// A name counts once for a label: functions with several attributes share it in all of them.
#[must_use]
pub fn shared_names() -> Vec<String> {
    let mut sentences: BTreeMap<(bool, &str), String> = BTreeMap::new();
    for kind in [CallsiteKind::Command, CallsiteKind::Operation, CallsiteKind::Errors, CallsiteKind::Cost] {
        let sites = Callsites::items().iter().filter(|site| site.kind() == kind);
        for (name, places) in shared(sites.map(|site| (site.name(), site.place()))) {
            let attribute = kind.as_str();
            sentences.entry((kind == CallsiteKind::Command, name)).or_insert_with(|| {
                format!(
                    "{} functions with #[{attribute}] are named `{name}`, and their metrics are added up: {}; give each its \
                     own `name`",
                    places.len(),
                    listed(&places)
                )
            });
        }
    }
    sentences.into_values().collect()
}

/// The names that occur more than once, with the places in order.
pub fn shared<'n>(
    named: impl IntoIterator<Item = (&'n str, SourceLocation)>,
) -> impl Iterator<Item = (&'n str, Vec<SourceLocation>)> {
    let mut places: BTreeMap<&str, Vec<SourceLocation>> = BTreeMap::new();
    for (name, place) in named {
        places.entry(name).or_default().push(place);
    }
    places.into_iter().filter(|(_, places)| places.len() > 1).map(|(name, mut places)| {
        places.sort_unstable();
        (name, places)
    })
}

/// Places as `file:line`, separated by commas.
pub fn listed(places: &[SourceLocation]) -> String {
    places.iter().map(|place| format!("{}:{}", place.file, place.line)).collect::<Vec<_>>().join(", ")
}
