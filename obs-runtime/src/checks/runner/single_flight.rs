//! Calls of checks that are in flight: one at a time for each check, shared by all runs that want it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::base::clock;
use crate::checks::runner::isolated_call;
use crate::checks::runner::job::{Job, Key};
use crate::checks::runner::outcome::CheckOutcome;
use crate::context::current::Context;
use crate::events::active_span::Active;
use crate::metrics::drop_counters;

/// The calls in flight, by check.
#[derive(Debug)]
pub struct SingleFlight<V>(Mutex<BTreeMap<Key, Call<V>>>);

#[derive(Debug)]
struct Call<V> {
    id: u64,
    start: Instant,
    /// From then on, no run joins it.
    deadline: Instant,
    waiters: Vec<(usize, Sender<Completion<V>>)>,
}

/// Sent to each run that waits for a call, when the call ends.
#[derive(Debug)]
pub struct Completion<V> {
    /// The check's index in the run.
    pub index: usize,
    pub call: u64,
    pub outcome: CheckOutcome<V>,
}

/// The result of [`SingleFlight::join`].
pub enum Join<V> {
    /// A call has started.
    Started(u64),
    /// A call was in flight; its completion is sent to this run too.
    Joined(u64),
    /// The check is not called.
    Refused(CheckOutcome<V>),
}

impl<V> Default for SingleFlight<V> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<V: Clone + Send + 'static> SingleFlight<V> {
    fn calls(&self) -> MutexGuard<'_, BTreeMap<Key, Call<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the call of this check that is in flight, or starts one in this context and span.
    pub fn join(
        self: &Arc<Self>,
        index: usize,
        job: Job<V>,
        context: &Context,
        active: &Active,
        completions: &Sender<Completion<V>>,
    ) -> Join<V> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let now = Instant::now();
        let mut calls = self.calls();
        if let Some(call) = calls.get_mut(&job.key) {
            if call.deadline <= now {
                return Join::Refused(CheckOutcome::StillRunning(now.saturating_duration_since(call.start)));
            }
            call.waiters.push((index, completions.clone()));
            return Join::Joined(call.id);
        }
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let key = job.key.clone();
        let deadline = clock::deadline(now, job.timeout);
        let (this, completed) = (Arc::clone(self), key.clone());
        let complete = move |outcome| this.complete(&completed, id, &outcome);
        if let Err(error) = isolated_call::spawn(job, context.clone(), active.clone(), complete) {
            return Join::Refused(CheckOutcome::NotStarted(format!("no thread could be started: {error}")));
        }
        // The new thread cannot complete before this: it needs the lock held here.
        calls.insert(key, Call { id, start: now, deadline, waiters: vec![(index, completions.clone())] });
        Join::Started(id)
    }

    fn complete(&self, key: &Key, id: u64, outcome: &CheckOutcome<V>) {
        let mut calls = self.calls();
        let Some(call) = calls.get(key).filter(|call| call.id == id) else { return };
        for (index, completions) in &call.waiters {
            // Fails when the run is over.
            let _ = completions.send(Completion { index: *index, call: id, outcome: outcome.clone() });
        }
        calls.remove(key);
    }

    /// Counts a call that exceeded its time limit and cannot be cancelled. No run joins it any more.
    pub fn abandon(&self, key: &Key, id: u64) {
        if let Some(call) = self.calls().get_mut(key).filter(|call| call.id == id) {
            call.deadline = Instant::now();
            drop_counters::count("checks", "left_behind", 1);
        }
    }

    /// How many runs wait for calls.
    #[cfg(test)]
    pub fn waiters(&self) -> usize {
        self.calls().values().map(|call| call.waiters.len()).sum()
    }
}
