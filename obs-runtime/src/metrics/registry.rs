//! The registry of call sites: those that attributes define, collected by the linker, and those created at run time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::base::ffi::{Callsites, Section};
use crate::metrics::callsite::{Callsite, CallsiteKind, reserve_series};
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
