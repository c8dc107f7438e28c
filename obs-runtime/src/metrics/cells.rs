//! Per-thread counters of a call site.
//!
//! Each cell is written by one thread only, so counting needs no read-modify-write operation and shares no cache line. A
//! reader sums all cells without making a writer wait. Cells are never freed: the cells of a thread that ends are claimed
//! by the next new thread, so memory is bounded by the largest number of threads alive at once.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::base::outcome::Outcome;
use crate::base::trace_context::TraceContext;
use crate::metrics::catalogue::SECONDS;
use crate::metrics::exemplars::{Exemplar, Exemplars};
use crate::metrics::recent_calls::RecentCalls;

/// Number of duration buckets: one for each bound of [`SECONDS`], and one above the last.
pub const BUCKETS: usize = SECONDS.len() + 1;

/// Successful calls of at most this many nanoseconds get no exemplar.
pub const FAST_NANOS: u64 = BOUNDS[0];

/// The bounds of [`SECONDS`] in nanoseconds.
const BOUNDS: [u64; SECONDS.len()] = {
    let mut bounds = [0; SECONDS.len()];
    let mut index = 0;
    while index < bounds.len() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounds are whole and positive")]
        {
            bounds[index] = (SECONDS[index] * 1e9) as u64;
        }
        index += 1;
    }
    bounds
};

/// The counts of one thread at one call site.
#[derive(Debug)]
pub struct ThreadCell {
    claimed: AtomicBool,
    started: AtomicU64,
    /// By outcome.
    nanos: [AtomicU64; 4],
    /// By outcome, then by bucket.
    buckets: [[AtomicU64; BUCKETS]; 4],
    next: OnceLock<Box<ThreadCell>>,
}

impl ThreadCell {
    const fn new() -> Self {
        Self {
            claimed: AtomicBool::new(true),
            started: AtomicU64::new(0),
            nanos: [const { AtomicU64::new(0) }; 4],
            buckets: [const { [const { AtomicU64::new(0) }; BUCKETS] }; 4],
            next: OnceLock::new(),
        }
    }

    /// Counts the end of a call. Only the thread that claimed the cell may call this.
    #[inline]
    pub fn finish(&self, outcome: Outcome, nanos: u64) {
        let (outcome, bucket) = (outcome.index(), bucket(nanos));
        add(&self.nanos[outcome], nanos);
        add(&self.buckets[outcome][bucket], 1);
    }

    fn claim(&self) -> bool {
        // Acquire pairs with the release of the thread that gave the cell up, so that its last stores are visible.
        self.claimed.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

/// Adds to a counter that only this thread writes.
#[inline]
fn add(cell: &AtomicU64, amount: u64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Release);
}

/// The next id of a [`Cells`]; 0 means that none is assigned yet.
static NEXT_ID: AtomicU32 = AtomicU32::new(1);

thread_local! {
    static THREAD_CELLS: RefCell<ThreadCells> = const { RefCell::new(ThreadCells(Vec::new())) };
}

/// The cells that this thread writes, indexed by [`Cells::id`].
struct ThreadCells(Vec<Option<&'static ThreadCell>>);

impl Drop for ThreadCells {
    fn drop(&mut self) {
        for cell in self.0.iter().flatten() {
            cell.claimed.store(false, Ordering::Release);
        }
    }
}

/// The counts of one call site with one set of tag values: a linked list of cells, one for each thread.
#[derive(Debug)]
pub struct Cells {
    id: AtomicU32,
    first: OnceLock<Box<ThreadCell>>,
    /// Counts of calls made while the thread's local storage is being destroyed; rare, so a lock is fine.
    teardown: OnceLock<Box<TeardownTotals>>,
    /// By outcome.
    exemplars: Exemplars,
    recent: RecentCalls,
}

/// Totals shared by all threads that end.
#[derive(Debug)]
struct TeardownTotals(std::sync::Mutex<Totals>);

impl Cells {
    /// Cells of a call site that was not called yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            id: AtomicU32::new(0),
            first: OnceLock::new(),
            teardown: OnceLock::new(),
            exemplars: Exemplars::new(),
            recent: RecentCalls::new(),
        }
    }

    /// Counts the start of a call and returns this thread's cell, or `None` while the thread's local storage is destroyed.
    #[inline]
    pub fn start(&'static self) -> Option<&'static ThreadCell> {
        let cell = self.thread_cell();
        match cell {
            Some(cell) => add(&cell.started, 1),
            None => self.record_in_teardown(|totals| totals.started += 1),
        }
        cell
    }

    /// Counts the end of a call that may have started on another thread.
    pub fn finish(&'static self, outcome: Outcome, nanos: u64) {
        match self.thread_cell() {
            Some(cell) => cell.finish(outcome, nanos),
            None => self.record_in_teardown(|totals| {
                let outcome = outcome.index();
                totals.nanos[outcome] = totals.nanos[outcome].wrapping_add(nanos);
                totals.buckets[outcome][bucket(nanos)] += 1;
            }),
        }
    }

    /// Records the trace of a call as the exemplar of its bucket.
    #[cold]
    #[inline(never)]
    pub fn record_exemplar(&self, outcome: Outcome, nanos: u64, trace: TraceContext) {
        let value = Duration::from_nanos(nanos).as_secs_f64();
        let exemplar = Exemplar { bucket: bucket(nanos), value, trace, at: SystemTime::now() };
        self.exemplars.record(outcome.index(), exemplar);
    }

    /// The exemplars of calls that ended with an outcome.
    pub fn exemplars(&self, outcome: Outcome) -> Vec<Exemplar> {
        self.exemplars.of_histogram(outcome.index())
    }

    /// Records the duration of a slow call.
    #[cold]
    #[inline(never)]
    pub fn record_recent(&self, outcome: Outcome, nanos: u64) {
        self.recent.record(outcome, nanos);
    }

    /// The durations in seconds of the most recent slow calls that ended with an outcome, oldest first.
    pub fn recent(&self, outcome: Outcome) -> Vec<f64> {
        self.recent.of_outcome(outcome)
    }

    #[inline]
    fn thread_cell(&'static self) -> Option<&'static ThreadCell> {
        let id = self.id.load(Ordering::Relaxed) as usize;
        match THREAD_CELLS.try_with(|cells| cells.borrow().0.get(id).copied().flatten()) {
            Ok(Some(cell)) => Some(cell),
            Ok(None) => Some(self.claim_cell()),
            Err(_) => None,
        }
    }

    /// Claims a cell for this thread's first call here.
    #[cold]
    #[inline(never)]
    fn claim_cell(&'static self) -> &'static ThreadCell {
        let id = self.assigned_id() as usize;
        let cell = self.free_cell();
        // `thread_cell` has just accessed the thread's storage, so it is alive.
        let _ = THREAD_CELLS.try_with(|cells| {
            let cells = &mut cells.borrow_mut().0;
            if cells.len() <= id {
                cells.resize(id + 1, None);
            }
            cells[id] = Some(cell);
        });
        cell
    }

    fn assigned_id(&self) -> u32 {
        let id = self.id.load(Ordering::Relaxed);
        if id != 0 {
            return id;
        }
        let fresh = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        match self.id.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => fresh,
            Err(assigned) => assigned,
        }
    }

    /// An unclaimed cell, or a new one at the end of the list.
    fn free_cell(&'static self) -> &'static ThreadCell {
        let mut link = &self.first;
        let mut fresh = None;
        loop {
            if let Some(cell) = link.get() {
                if cell.claim() {
                    return cell;
                }
                link = &cell.next;
                continue;
            }
            let new = fresh.take().unwrap_or_else(|| Box::new(ThreadCell::new()));
            match link.set(new) {
                Ok(()) => {}
                Err(new) => {
                    fresh = Some(new);
                    continue;
                }
            }
            // A new cell is already claimed.
            if let Some(cell) = link.get() {
                return cell;
            }
        }
    }

    #[cold]
    fn record_in_teardown(&self, record: impl FnOnce(&mut Totals)) {
        let totals = self.teardown.get_or_init(|| Box::new(TeardownTotals(std::sync::Mutex::default())));
        record(&mut totals.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// The sum of all threads' counts. Does not block writers.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = self
            .teardown
            .get()
            .map(|totals| *totals.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
            .unwrap_or_default();
        // Ends are read before starts, so that a call that ends meanwhile never makes the number of active calls negative.
        for cell in self.iter() {
            for outcome in 0..4 {
                let nanos = cell.nanos[outcome].load(Ordering::Acquire);
                totals.nanos[outcome] = totals.nanos[outcome].wrapping_add(nanos);
                for bucket in 0..BUCKETS {
                    totals.buckets[outcome][bucket] += cell.buckets[outcome][bucket].load(Ordering::Acquire);
                }
            }
        }
        for cell in self.iter() {
            totals.started += cell.started.load(Ordering::Acquire);
        }
        totals
    }

    fn iter(&self) -> impl Iterator<Item = &ThreadCell> {
        std::iter::successors(self.first.get(), |cell| cell.next.get()).map(|cell| &**cell)
    }
}

impl Default for Cells {
    fn default() -> Self {
        Self::new()
    }
}

/// The counts of a call site, summed over all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Calls started.
    pub started: u64,
    /// Nanoseconds spent, by outcome.
    pub nanos: [u64; 4],
    /// Calls ended, by outcome and bucket; not cumulative.
    pub buckets: [[u64; BUCKETS]; 4],
}

impl Totals {
    /// Calls that ended with an outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.buckets[outcome.index()].iter().sum()
    }

    /// Calls that have started and not ended.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.started.saturating_sub(Outcome::ALL.into_iter().map(|outcome| self.count(outcome)).sum())
    }
}

#[inline]
fn bucket(nanos: u64) -> usize {
    // Most instrumented calls are short: they cost one comparison.
    if nanos <= BOUNDS[0] { 0 } else { BOUNDS.partition_point(|&bound| bound < nanos) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_on_a_bound_belongs_to_the_lower_bucket() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(1_000_000), 0);
        assert_eq!(bucket(1_000_001), 1);
        assert_eq!(bucket(86_400_000_000_000), SECONDS.len() - 1);
        assert_eq!(bucket(u64::MAX), SECONDS.len());
    }

    #[test]
    fn a_thread_cell_is_at_most_a_kibibyte() {
        assert!(size_of::<ThreadCell>() <= 1024, "{} bytes", size_of::<ThreadCell>());
    }

    #[test]
    fn counts_of_ended_threads_are_kept_and_their_cells_reused() {
        static CELLS: Cells = Cells::new();
        for _ in 0..50 {
            let thread = std::thread::spawn(|| {
                CELLS.start();
                CELLS.finish(Outcome::Ok, 5);
                CELLS.start();
                CELLS.finish(Outcome::Error, 2_000_000);
            });
            assert!(thread.join().is_ok());
        }
        let totals = CELLS.totals();
        assert_eq!((totals.started, totals.count(Outcome::Ok), totals.count(Outcome::Error)), (100, 50, 50));
        assert_eq!((totals.nanos[0], totals.buckets[1][1], totals.active()), (250, 50, 0));
        assert_eq!(CELLS.iter().count(), 1);
    }

    #[test]
    fn a_call_that_ends_on_another_thread_is_no_longer_active() {
        static CELLS: Cells = Cells::new();
        CELLS.start();
        assert_eq!(CELLS.totals().active(), 1);
        let thread = std::thread::spawn(|| CELLS.finish(Outcome::Cancelled, 7));
        assert!(thread.join().is_ok());
        assert_eq!((CELLS.totals().active(), CELLS.totals().count(Outcome::Cancelled)), (0, 1));
    }
}
