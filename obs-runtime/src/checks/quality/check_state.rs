//! The calls of data-quality checks that are in flight, and which of them were reported.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::checks::quality::item::Item;
use crate::checks::quality::measure::Measure;
use crate::checks::runner::job::Key;
use crate::checks::runner::single_flight::SingleFlight;
use crate::context::current::Context;

/// The state of all data-quality checks. Each test capture has its own.
#[derive(Debug, Default)]
pub struct CheckState {
    pub(super) calls: Arc<SingleFlight<Measure>>,
    pub(super) lists: Arc<SingleFlight<Result<Vec<Item>, String>>>,
    reported: Mutex<HashMap<Key, u64>>,
    /// The declarations that were warned of.
    warned: Mutex<HashSet<usize>>,
}

impl CheckState {
    /// The state of the current context.
    pub fn current() -> Arc<Self> {
        static GLOBAL: LazyLock<Arc<CheckState>> = LazyLock::new(Arc::default);
        Context::current().extension().unwrap_or_else(|| Arc::clone(&GLOBAL))
    }

    /// Removes checks whose declarations are no longer registered.
    pub fn retain(&self, declarations: &HashSet<usize>) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        reported.retain(|(declaration, _), _| declarations.contains(declaration));
    }

    /// Whether a declaration was not warned of yet.
    pub fn is_first_warning(&self, declaration: usize) -> bool {
        self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(declaration)
    }

    /// Whether this call was not reported yet: of the runs that shared it, one reports its result.
    pub fn is_first_report(&self, key: Key, call: u64) -> bool {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        call == 0 || reported.insert(key, call) != Some(call)
    }
}
