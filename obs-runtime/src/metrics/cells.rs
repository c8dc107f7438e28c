//! What a call site counts: one cell for each thread, written by that thread alone.
//!
//! A writer needs no read-modify-write and shares no cache line with another: a plain load and store of its own atomics.
//! A reader adds all cells up whenever it likes and never makes a writer wait. Cells are never freed: a thread that ends
//! leaves its cells to the next thread that comes, so memory follows the largest number of threads at once.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::base::outcome::Outcome;
use crate::base::trace_context::TraceContext;
use crate::metrics::catalogue::SECONDS;
use crate::metrics::exemplars::{Exemplar, Exemplars};

/// Buckets of a duration: the bounds of [`SECONDS`] and one for what is above the last.
pub const BUCKETS: usize = SECONDS.len() + 1;

/// Calls up to this long, in nanoseconds, that end well are over at once: no exemplar is noted of them.
pub const QUICK: u64 = BOUNDS[0];

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
    taken: AtomicBool,
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
            taken: AtomicBool::new(true),
            started: AtomicU64::new(0),
            nanos: [const { AtomicU64::new(0) }; 4],
            buckets: [const { [const { AtomicU64::new(0) }; BUCKETS] }; 4],
            next: OnceLock::new(),
        }
    }

    /// Counts the end of a call. For the thread whose cell this is, and no other.
    #[inline]
    pub fn finish(&self, outcome: Outcome, nanos: u64) {
        let (outcome, bucket) = (outcome.index(), bucket(nanos));
        add(&self.nanos[outcome], nanos);
        add(&self.buckets[outcome][bucket], 1);
    }

    fn take(&self) -> bool {
        // Acquire pairs with the release of the thread that left it, so that its last stores are seen.
        self.taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }
}

/// Adds to a cell that only this thread writes.
#[inline]
fn add(cell: &AtomicU64, amount: u64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Release);
}

/// Number of the next list of cells that is used for the first time; 0 stands for none.
static NEXT: AtomicU32 = AtomicU32::new(1);

thread_local! {
    static MINE: RefCell<Mine> = const { RefCell::new(Mine(Vec::new())) };
}

/// The cells that this thread writes, by number of the list.
struct Mine(Vec<Option<&'static ThreadCell>>);

impl Drop for Mine {
    fn drop(&mut self) {
        for cell in self.0.iter().flatten() {
            cell.taken.store(false, Ordering::Release);
        }
    }
}

/// The counts of one call site (with one set of tag values), one cell for each thread.
#[derive(Debug)]
pub struct Cells {
    number: AtomicU32,
    first: OnceLock<Box<ThreadCell>>,
    /// Written by threads that are ending and have no cells of their own any more.
    last_words: OnceLock<Box<LastWords>>,
    /// By outcome.
    exemplars: Exemplars,
}

/// Counts of calls that run while their thread's own storage is being torn down: rare, so shared.
#[derive(Debug)]
struct LastWords(std::sync::Mutex<Totals>);

impl Cells {
    /// Cells of a call site that was never called.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            number: AtomicU32::new(0),
            first: OnceLock::new(),
            last_words: OnceLock::new(),
            exemplars: Exemplars::new(),
        }
    }

    /// Counts the start of a call, and gives this thread's cell for its end, unless the thread is ending itself.
    #[inline]
    pub fn start(&'static self) -> Option<&'static ThreadCell> {
        let cell = self.mine();
        match cell {
            Some(cell) => add(&cell.started, 1),
            None => self.record_last_words(|totals| totals.started += 1),
        }
        cell
    }

    /// Counts the end of a call that may have begun on another thread.
    pub fn finish(&'static self, outcome: Outcome, nanos: u64) {
        match self.mine() {
            Some(cell) => cell.finish(outcome, nanos),
            None => self.record_last_words(|totals| {
                let outcome = outcome.index();
                totals.nanos[outcome] = totals.nanos[outcome].wrapping_add(nanos);
                totals.buckets[outcome][bucket(nanos)] += 1;
            }),
        }
    }

    /// Notes the trace of a call that has ended, for the bucket that it fell into.
    #[cold]
    #[inline(never)]
    pub fn exemplify(&self, outcome: Outcome, nanos: u64, trace: TraceContext) {
        let value = Duration::from_nanos(nanos).as_secs_f64();
        let exemplar = Exemplar { bucket: bucket(nanos), value, trace, at: SystemTime::now() };
        self.exemplars.note(outcome.index(), exemplar);
    }

    /// The exemplars of the calls that ended with that outcome.
    pub fn exemplars(&self, outcome: Outcome) -> Vec<Exemplar> {
        self.exemplars.of(outcome.index())
    }

    /// This thread's cell.
    #[inline]
    fn mine(&'static self) -> Option<&'static ThreadCell> {
        let number = self.number.load(Ordering::Relaxed) as usize;
        match MINE.try_with(|mine| mine.borrow().0.get(number).copied().flatten()) {
            Ok(Some(cell)) => Some(cell),
            Ok(None) => Some(self.claim()),
            Err(_) => None,
        }
    }

    /// This thread's first call here: takes a cell that an ended thread left, or adds one.
    #[cold]
    #[inline(never)]
    fn claim(&'static self) -> &'static ThreadCell {
        let number = self.number() as usize;
        let cell = self.free_cell();
        // `mine` has just seen that the thread's storage is alive.
        let _ = MINE.try_with(|mine| {
            let cells = &mut mine.borrow_mut().0;
            if cells.len() <= number {
                cells.resize(number + 1, None);
            }
            cells[number] = Some(cell);
        });
        cell
    }

    fn number(&self) -> u32 {
        let number = self.number.load(Ordering::Relaxed);
        if number != 0 {
            return number;
        }
        let fresh = NEXT.fetch_add(1, Ordering::Relaxed);
        match self.number.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => fresh,
            Err(theirs) => theirs,
        }
    }

    fn free_cell(&'static self) -> &'static ThreadCell {
        let mut link = &self.first;
        let mut fresh = None;
        loop {
            if let Some(cell) = link.get() {
                if cell.take() {
                    return cell;
                }
                link = &cell.next;
                continue;
            }
            let mine = fresh.take().unwrap_or_else(|| Box::new(ThreadCell::new()));
            match link.set(mine) {
                Ok(()) => {}
                Err(mine) => {
                    fresh = Some(mine);
                    continue;
                }
            }
            // Just set by us, and born taken.
            if let Some(cell) = link.get() {
                return cell;
            }
        }
    }

    #[cold]
    fn record_last_words(&self, record: impl FnOnce(&mut Totals)) {
        let words = self.last_words.get_or_init(|| Box::new(LastWords(std::sync::Mutex::default())));
        record(&mut words.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    /// All threads' counts added up. Waits for nobody and makes nobody wait.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = self
            .last_words
            .get()
            .map(|words| *words.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
            .unwrap_or_default();
        // Ends are read before starts, so that a call that ends meanwhile never makes the number in flight negative.
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

/// The counts of a call site over all threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Calls begun.
    pub started: u64,
    /// Nanoseconds spent, by outcome.
    pub nanos: [u64; 4],
    /// Calls ended, by outcome and bucket (not cumulative).
    pub buckets: [[u64; BUCKETS]; 4],
}

impl Totals {
    /// Calls that ended with this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.buckets[outcome.index()].iter().sum()
    }

    /// Calls that have begun and not ended.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.started.saturating_sub(Outcome::ALL.into_iter().map(|outcome| self.count(outcome)).sum())
    }
}

#[inline]
fn bucket(nanos: u64) -> usize {
    // Most instrumented calls are short: one comparison for them.
    if nanos <= BOUNDS[0] { 0 } else { BOUNDS.partition_point(|&bound| bound < nanos) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_on_a_bound_belongs_to_the_bucket_that_it_closes() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(1_000_000), 0);
        assert_eq!(bucket(1_000_001), 1);
        assert_eq!(bucket(14_400_000_000_000), SECONDS.len() - 1);
        assert_eq!(bucket(u64::MAX), SECONDS.len());
    }

    #[test]
    fn a_threads_cell_stays_within_a_kibibyte() {
        assert!(size_of::<ThreadCell>() <= 1024, "{} bytes", size_of::<ThreadCell>());
    }

    #[test]
    fn counts_of_ended_threads_stay_and_their_cells_are_used_again() {
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
    fn a_call_that_starts_on_one_thread_and_ends_on_another_leaves_nothing_in_flight() {
        static CELLS: Cells = Cells::new();
        CELLS.start();
        assert_eq!(CELLS.totals().active(), 1);
        let thread = std::thread::spawn(|| CELLS.finish(Outcome::Cancelled, 7));
        assert!(thread.join().is_ok());
        assert_eq!((CELLS.totals().active(), CELLS.totals().count(Outcome::Cancelled)), (0, 1));
    }
}
