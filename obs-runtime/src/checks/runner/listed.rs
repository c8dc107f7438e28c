//! All checks of a kind: those known when the program is linked, and those registered by hand.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::metrics::callsite::Place;

/// A check of the program.
#[derive(Debug)]
pub enum Listed<C: 'static> {
    /// Known when the program is linked.
    Linked(&'static C),
    /// Registered by hand, as the first, the second, …
    ByHand(usize, Arc<C>),
}

impl<C> Clone for Listed<C> {
    fn clone(&self) -> Self {
        match self {
            Self::Linked(check) => Self::Linked(check),
            Self::ByHand(number, check) => Self::ByHand(*number, Arc::clone(check)),
        }
    }
}

impl<C> Deref for Listed<C> {
    type Target = C;

    fn deref(&self) -> &C {
        match self {
            Self::Linked(check) => check,
            Self::ByHand(_, check) => check,
        }
    }
}

impl<C> Listed<C> {
    /// By what it is known, as no other check of this program ever is.
    pub fn identity(&self) -> usize {
        match self {
            // Such a number is even: a declaration begins with something that is larger than a byte.
            Self::Linked(check) => std::ptr::from_ref::<C>(check).addr() & !1,
            Self::ByHand(number, _) => 2 * number + 1,
        }
    }
}

/// The checks that were registered by hand.
pub struct ByHand<C>(Mutex<Registered<C>>);

struct Registered<C> {
    last: usize,
    checks: Vec<(usize, Arc<C>)>,
}

impl<C: Send + Sync + 'static> ByHand<C> {
    /// None yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Registered { last: 0, checks: Vec::new() }))
    }

    fn registered(&self) -> MutexGuard<'_, Registered<C>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more.
    pub fn register(&'static self, check: C) -> Registration {
        let mut registered = self.registered();
        registered.last += 1;
        let number = registered.last;
        registered.checks.push((number, Arc::new(check)));
        Registration(Box::new(move || {
            let mut registered = self.registered();
            let at = registered.checks.iter().position(|(known, _)| *known == number);
            let removed = at.map(|at| registered.checks.remove(at));
            // What the check holds may register or unregister others in its drop.
            drop(registered);
            drop(removed);
        }))
    }

    /// All checks there are now.
    pub fn with(&self, linked: &'static [C]) -> Vec<Listed<C>> {
        let registered = self.registered();
        let by_hand = registered.checks.iter().map(|(number, check)| Listed::ByHand(*number, Arc::clone(check)));
        linked.iter().map(Listed::Linked).chain(by_hand).collect()
    }
}

/// A check that was registered by hand. It stays registered when this is dropped.
pub struct Registration(Box<dyn FnOnce() + Send + Sync>);

impl Registration {
    /// Takes the check out of the registry. A call of it that is under way goes on to its end.
    pub fn unregister(self) {
        (self.0)();
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Registration")
    }
}

/// Says of each name that more than one check of a kind bears where they stand.
pub fn twice<'c>(kind: &str, checks: impl IntoIterator<Item = (&'c str, Place)>) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
    for (name, place) in checks {
        places.entry(name).or_default().push(place);
    }
    let twice = places.into_iter().filter(|(_, places)| places.len() > 1);
    twice
        .map(|(name, mut places)| {
            places.sort_unstable();
            let places: Vec<_> = places.iter().map(|place| format!("{}:{}", place.file, place.line)).collect();
            format!("{} {kind}s are named `{name}`: {}; give each its own `name`", places.len(), places.join(", "))
        })
        .collect()
}
