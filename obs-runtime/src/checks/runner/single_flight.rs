//! Calls of checks that are under way: one at a time for each check, shared by all runs that want it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::checks::runner::ending::Ending;
use crate::checks::runner::isolated;
use crate::checks::runner::job::{Job, Key, NO_LIMIT};
use crate::context::current::Context;
use crate::metrics::drop_counters;

/// The calls that are under way.
#[derive(Debug)]
pub struct Flights<V>(Mutex<BTreeMap<Key, Flight<V>>>);

#[derive(Debug)]
struct Flight<V> {
    number: u64,
    begun: Instant,
    /// Behind it, nobody joins any more.
    deadline: Instant,
    passengers: Vec<(usize, Sender<Landed<V>>)>,
}

/// What a run is told when a call has ended.
#[derive(Debug)]
pub struct Landed<V> {
    /// The run's own number of the check.
    pub index: usize,
    /// The call.
    pub flight: u64,
    /// How it ended.
    pub ending: Ending<V>,
}

/// What became of a wish for a check.
pub enum Boarding<V> {
    /// A call has begun.
    Leads(u64),
    /// A call is under way, and its end will be told here too.
    Joins(u64),
    /// There is no call.
    Refused(Ending<V>),
}

impl<V> Default for Flights<V> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<V: Clone + Send + 'static> Flights<V> {
    fn open(&self) -> MutexGuard<'_, BTreeMap<Key, Flight<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call of the check, in this context, or joins the one that is under way.
    pub fn board(
        self: &Arc<Self>,
        index: usize,
        job: Job<V>,
        context: &Context,
        landed: &Sender<Landed<V>>,
    ) -> Boarding<V> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let now = Instant::now();
        let mut open = self.open();
        if let Some(flight) = open.get_mut(&job.key) {
            if flight.deadline <= now {
                return Boarding::Refused(Ending::Hung(now.saturating_duration_since(flight.begun)));
            }
            flight.passengers.push((index, landed.clone()));
            return Boarding::Joins(flight.number);
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let key = job.key.clone();
        let deadline = now.checked_add(job.timeout).unwrap_or(now + NO_LIMIT);
        let (flights, landing) = (Arc::clone(self), key.clone());
        let land = move |ending| flights.land(&landing, number, &ending);
        if let Err(error) = isolated::start(job, context.clone(), land) {
            return Boarding::Refused(Ending::NotStarted(format!("no thread could be started: {error}")));
        }
        // The new thread's end waits for the lock that is held here.
        open.insert(key, Flight { number, begun: now, deadline, passengers: vec![(index, landed.clone())] });
        Boarding::Leads(number)
    }

    fn land(&self, key: &Key, number: u64, ending: &Ending<V>) {
        let mut open = self.open();
        let Some(flight) = open.get(key).filter(|flight| flight.number == number) else { return };
        for (index, landed) in &flight.passengers {
            // Nobody listens any more when it was late.
            let _ = landed.send(Landed { index: *index, flight: number, ending: ending.clone() });
        }
        open.remove(key);
    }

    /// Counts a call that is over time and cannot be stopped.
    pub fn leave_behind(&self, key: &Key, number: u64) {
        if let Some(flight) = self.open().get_mut(key).filter(|flight| flight.number == number) {
            flight.deadline = Instant::now();
            drop_counters::count("checks", "left_behind", 1);
        }
    }

    /// How many runs wait for calls.
    #[cfg(test)]
    pub fn passengers(&self) -> usize {
        self.open().values().map(|flight| flight.passengers.len()).sum()
    }
}
