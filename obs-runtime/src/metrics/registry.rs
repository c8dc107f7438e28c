//! What is known when the program is linked: call sites and checks, each left behind by an attribute.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::metrics::callsite::{Callsite, CallsiteKind, make_room};
use crate::metrics::cardinality::OTHER;

/// Every function under one of obs' attributes, health and data-quality checks aside.
#[linkme::distributed_slice]
pub static CALLSITES: [Callsite];

/// Operations and commands named at run time, by hand.
static BY_HAND: Mutex<Option<HashMap<Key, &'static Callsite>>> = Mutex::new(None);

type Key = (bool, Cow<'static, str>);

/// The call site of an operation or a command named by hand. At most `limit` names are told apart; those that come later
/// are [`OTHER`], and the second value returned is true.
pub fn by_hand(
    name: Cow<'static, str>,
    command: bool,
    limit: usize,
    place: &'static std::panic::Location<'static>,
) -> (&'static Callsite, bool) {
    let mut sites = BY_HAND.lock().unwrap_or_else(PoisonError::into_inner);
    let sites = sites.get_or_insert_default();
    let key = (command, name);
    if let Some(site) = sites.get(&key) {
        return (site, false);
    }
    let kind = if command { CallsiteKind::Command } else { CallsiteKind::Operation };
    let full = !make_room(kind, limit);
    let key = if full { (command, Cow::Borrowed(OTHER)) } else { key };
    let site = sites.entry(key.clone()).or_insert_with(|| {
        // Leaked on purpose, as call sites live as long as the program; `limit` bounds how many there are.
        let name: &'static str = match key.1 {
            Cow::Borrowed(name) => name,
            Cow::Owned(name) => name.leak(),
        };
        let make = if command { Callsite::command } else { Callsite::operation };
        Box::leak(Box::new(make(name, "", place.file(), place.line())))
    });
    (site, full)
}

/// All call sites: those of attributes first, in the order of the linker, then those named by hand.
#[must_use]
pub fn callsites() -> Vec<&'static Callsite> {
    let by_hand = BY_HAND.lock().unwrap_or_else(PoisonError::into_inner);
    CALLSITES.iter().chain(by_hand.iter().flatten().map(|(_, site)| *site)).collect()
}
