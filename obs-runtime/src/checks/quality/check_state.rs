//! The calls of data-quality checks that are under way.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::checks::quality::check::Item;
use crate::checks::quality::measure::Measure;
use crate::checks::runner::job::Key;
use crate::checks::runner::single_flight::Flights;
use crate::context::current::Context;

/// What is under way. A test's capture has one of its own.
#[derive(Debug, Default)]
pub struct Board {
    pub(super) flights: Arc<Flights<Measure>>,
    pub(super) lists: Arc<Flights<Result<Vec<Item>, String>>>,
    told: Mutex<HashMap<Key, u64>>,
}

impl Board {
    /// The board of this moment.
    pub fn current() -> Arc<Self> {
        static OF_THE_PROGRAM: LazyLock<Arc<Board>> = LazyLock::new(Arc::default);
        Context::current().carried().unwrap_or_else(|| Arc::clone(&OF_THE_PROGRAM))
    }

    /// Forgets checks that are not registered any more.
    pub fn keep(&self, checks: &[Key]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() > checks.len() {
            told.retain(|key, _| checks.contains(key));
        }
    }

    /// Whether the end of a call is told for the first time: of runs that shared one, one tells it.
    pub fn is_news(&self, key: Key, flight: u64) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        flight == 0 || told.insert(key, flight) != Some(flight)
    }
}
