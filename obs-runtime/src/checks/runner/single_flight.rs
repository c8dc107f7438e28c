//! Calls of checks that are in flight: one at a time for each check, shared by the runs that want it. A run that must not
//! see what was read before it began waits for the next call.

use std::collections::BTreeMap;
use std::fmt;
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
pub struct SingleFlight<V>(Mutex<BTreeMap<Key, Call<V>>>);

impl<V> fmt::Debug for SingleFlight<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SingleFlight")
    }
}

struct Call<V> {
    id: u64,
    start: Instant,
    /// From then on, no run joins it.
    deadline: Instant,
    waiters: Vec<Waiter<V>>,
    next: Option<Next<V>>,
}

/// The call that starts when the one in flight has ended.
struct Next<V> {
    id: u64,
    job: Job<V>,
    context: Context,
    active: Active,
    waiters: Vec<Waiter<V>>,
}

/// A call that could not be started, and who waits for it.
struct NotStarted<V> {
    outcome: CheckOutcome<V>,
    waiters: Vec<Waiter<V>>,
}

/// A run that waits for a call.
pub struct Waiter<V> {
    /// Identifies the run.
    pub run: u64,
    /// The check's index in the run.
    pub index: usize,
    pub sender: Sender<CallEvent<V>>,
}

impl<V> Clone for Waiter<V> {
    fn clone(&self) -> Self {
        Self { run: self.run, index: self.index, sender: self.sender.clone() }
    }
}

impl<V> Waiter<V> {
    fn send(&self, call: u64, progress: Progress<V>) {
        // Fails when the run is over.
        let _ = self.sender.send(CallEvent { index: self.index, call, progress });
    }
}

/// Sent to each run that waits for a call.
#[derive(Debug)]
pub struct CallEvent<V> {
    /// The check's index in the run.
    pub index: usize,
    pub call: u64,
    pub progress: Progress<V>,
}

/// What has become of a call.
#[derive(Debug)]
pub enum Progress<V> {
    /// A call that had to wait has started; one of the runs owns it.
    Started {
        owned: bool,
    },
    Ended(CheckOutcome<V>),
}

/// The result of [`SingleFlight::join`].
pub enum Join<V> {
    /// A call has started.
    Started(u64),
    /// A call was in flight; its end is sent to this run too.
    Joined(u64),
    /// A call that began before the run is in flight, since then; this call follows it. That one must end in time.
    Queued { call: u64, since: Instant, until: Instant },
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

    /// Joins the call of this check that is in flight, waits for the next, or starts one in this context and span.
    pub fn join(self: &Arc<Self>, waiter: &Waiter<V>, job: Job<V>, context: &Context, active: &Active) -> Join<V> {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let now = Instant::now();
        let mut calls = self.calls();
        let Some(call) = calls.get_mut(&job.key) else {
            let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
            let next =
                Next { id, job, context: context.clone(), active: active.clone(), waiters: vec![waiter.clone()] };
            return match self.start(next, &mut calls) {
                Ok(_) => Join::Started(id),
                Err(failed) => Join::Refused(failed.outcome),
            };
        };
        if call.deadline <= now {
            return Join::Refused(CheckOutcome::StillRunning(now.saturating_duration_since(call.start)));
        }
        if job.not_before.is_none_or(|begin| begin <= call.start) {
            call.waiters.push(waiter.clone());
            return Join::Joined(call.id);
        }
        let (since, until) = (call.start, call.deadline);
        let next = call.next.get_or_insert_with(|| Next {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            job,
            context: context.clone(),
            active: active.clone(),
            waiters: Vec::new(),
        });
        next.waiters.push(waiter.clone());
        Join::Queued { call: next.id, since, until }
    }

    /// Starts a call and returns those who wait for it, or why it could not be started.
    fn start(
        self: &Arc<Self>,
        next: Next<V>,
        calls: &mut BTreeMap<Key, Call<V>>,
    ) -> Result<Vec<Waiter<V>>, NotStarted<V>> {
        let Next { id, job, context, active, waiters } = next;
        let (key, start) = (job.key.clone(), Instant::now());
        let deadline = clock::deadline(start, job.timeout);
        let (this, completed) = (Arc::clone(self), key.clone());
        let complete = move |outcome| this.complete(&completed, id, &outcome);
        if let Err(error) = isolated_call::spawn(job, context, active, complete) {
            let outcome = CheckOutcome::NotStarted(format!("no thread could be started: {error}"));
            return Err(NotStarted { outcome, waiters });
        }
        // The new thread cannot complete before this: it needs the lock of the calls.
        calls.insert(key, Call { id, start, deadline, waiters: waiters.clone(), next: None });
        Ok(waiters)
    }

    fn complete(self: &Arc<Self>, key: &Key, id: u64, outcome: &CheckOutcome<V>) {
        let mut calls = self.calls();
        if calls.get(key).is_none_or(|call| call.id != id) {
            return;
        }
        let Some(call) = calls.remove(key) else { return };
        for waiter in &call.waiters {
            waiter.send(id, Progress::Ended(outcome.clone()));
        }
        let Some(next) = call.next.filter(|next| !next.waiters.is_empty()) else { return };
        let id = next.id;
        match self.start(next, &mut calls) {
            Ok(waiters) => {
                for (position, waiter) in waiters.iter().enumerate() {
                    waiter.send(id, Progress::Started { owned: position == 0 });
                }
            }
            Err(NotStarted { outcome, waiters }) => {
                for waiter in waiters {
                    waiter.send(id, Progress::Ended(outcome.clone()));
                }
            }
        }
    }

    /// Counts a call that exceeded its time limit and cannot be cancelled. No run joins it any more.
    pub fn abandon(&self, key: &Key, id: u64) {
        if let Some(call) = self.calls().get_mut(key).filter(|call| call.id == id) {
            call.deadline = Instant::now();
            drop_counters::count("checks", "left_behind", 1);
        }
    }

    /// A run no longer waits for a call that has not started.
    pub fn leave(&self, key: &Key, id: u64, run: u64) {
        let mut calls = self.calls();
        let next = calls.get_mut(key).and_then(|call| call.next.as_mut()).filter(|next| next.id == id);
        if let Some(next) = next {
            next.waiters.retain(|waiter| waiter.run != run);
        }
    }

    /// How many runs wait for calls.
    #[cfg(test)]
    pub fn waiters(&self) -> usize {
        self.calls().values().map(|call| call.waiters.len()).sum()
    }
}
