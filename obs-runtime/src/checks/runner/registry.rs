//! All checks of a kind: those known at link time, and those registered at run time.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::metrics::callsite::SourceLocation;
use crate::metrics::registry::{listed, shared};

/// A check of the program.
#[derive(Debug)]
pub enum CheckRef<C: 'static> {
    /// Known at link time.
    Linked(&'static C),
    /// Registered at run time, with its number.
    Manual(usize, Arc<C>),
}

impl<C> Clone for CheckRef<C> {
    fn clone(&self) -> Self {
        match self {
            Self::Linked(check) => Self::Linked(check),
            Self::Manual(number, check) => Self::Manual(*number, Arc::clone(check)),
        }
    }
}

impl<C> Deref for CheckRef<C> {
    type Target = C;

    fn deref(&self) -> &C {
        match self {
            Self::Linked(check) => check,
            Self::Manual(_, check) => check,
        }
    }
}

impl<C> CheckRef<C> {
    /// Unique in the process and never reused.
    pub fn identity(&self) -> usize {
        match self {
            // Even: a declaration is aligned to more than one byte.
            Self::Linked(check) => std::ptr::from_ref::<C>(check).addr() & !1,
            Self::Manual(number, _) => 2 * number + 1,
        }
    }
}

/// The checks that were registered at run time.
pub struct Manual<C>(Mutex<Registered<C>>);

struct Registered<C> {
    last: usize,
    checks: Vec<(usize, Arc<C>)>,
}

impl<C: Send + Sync + 'static> Manual<C> {
    pub const fn new() -> Self {
        Self(Mutex::new(Registered { last: 0, checks: Vec::new() }))
    }

    fn registered(&self) -> MutexGuard<'_, Registered<C>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn register(&'static self, check: C) -> Registration {
        let mut registered = self.registered();
        registered.last += 1;
        let number = registered.last;
        registered.checks.push((number, Arc::new(check)));
        Registration(Box::new(move || {
            let mut registered = self.registered();
            let at = registered.checks.iter().position(|(known, _)| *known == number);
            let removed = at.map(|at| registered.checks.remove(at));
            // The lock is released first: the check's destructor may register or unregister others.
            drop(registered);
            drop(removed);
        }))
    }

    /// The linked checks and those registered now.
    pub fn with(&self, linked: &'static [C]) -> Vec<CheckRef<C>> {
        let registered = self.registered();
        let manual = registered.checks.iter().map(|(number, check)| CheckRef::Manual(*number, Arc::clone(check)));
        linked.iter().map(CheckRef::Linked).chain(manual).collect()
    }
}

/// The handle of a check that was registered at run time. Dropping it leaves the check registered.
pub struct Registration(Box<dyn FnOnce() + Send + Sync>);

impl Registration {
    /// Removes the check from the registry. A call that is in flight runs to its end.
    pub fn unregister(self) {
        (self.0)();
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Registration")
    }
}

/// A message for each name that more than one check has, with their places. `kind` names these checks in the plural.
pub fn duplicate_names<'c>(kind: &str, checks: impl IntoIterator<Item = (&'c str, SourceLocation)>) -> Vec<String> {
    let duplicates = shared(checks).map(|(name, places)| {
        format!("{} {kind} are named `{name}`: {}; give each its own `name`", places.len(), listed(&places))
    });
    duplicates.collect()
}
