//! Names and source locations of the functions on a stack.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::base::stack::Stack;
use crate::events::panics::caught;

/// The most addresses in the cache. A program has far fewer on the stacks of its errors.
const CACHE_CAPACITY: usize = 8192;

/// Resolves addresses to frames of an exporter. Cached: a lookup takes half a millisecond for a stack, and most stacks are similar.
///
/// The first lookup reads the debug information of the program, which takes seconds for a large debug build on a busy
/// machine. It runs on a thread of its own: what waited for longer than the limit is sent without names, which is better than
/// not at all.
#[derive(Debug)]
pub struct StackNames<F> {
    lookup: Arc<Lookup<F>>,
    limit: Duration,
}

struct Lookup<F> {
    /// The frames of an address: several if functions are inlined, innermost first.
    resolve: Box<dyn Fn(usize) -> Vec<F> + Send + Sync>,
    cache: Mutex<HashMap<usize, Vec<F>>>,
    /// Whether a lookup runs that has exceeded the limit.
    is_late: AtomicBool,
}

impl<F: Clone + Send + 'static> StackNames<F> {
    /// An empty cache.
    pub fn new(resolve: impl Fn(usize) -> Vec<F> + Send + Sync + 'static, limit: Duration) -> Self {
        let lookup = Lookup { resolve: Box::new(resolve), cache: Mutex::default(), is_late: AtomicBool::new(false) };
        Self { lookup: Arc::new(lookup), limit }
    }

    /// All frames, innermost first. `None` if the lookup is late.
    pub fn frames(&self, stack: &Stack) -> Option<Vec<F>> {
        let cached = |address: &usize| self.lookup.cached(*address);
        if let Some(frames) = stack.frames().iter().map(cached).collect::<Option<Vec<_>>>() {
            return Some(frames.concat());
        }
        if self.lookup.is_late.load(Ordering::SeqCst) {
            return None;
        }
        let (done, result) = mpsc::channel();
        let (lookup, all) = (Arc::clone(&self.lookup), stack.clone());
        let work = move || {
            let frames = || all.frames().iter().flat_map(|address| lookup.frames(*address)).collect::<Vec<F>>();
            match caught(frames) {
                // Fails if it was late.
                Ok(frames) => drop(done.send(frames)),
                Err(_) => drop(done),
            }
            lookup.is_late.store(false, Ordering::SeqCst);
        };
        thread::Builder::new().name("obs-names".to_owned()).spawn(work).ok()?;
        match result.recv_timeout(self.limit) {
            Ok(frames) => Some(frames),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                self.lookup.is_late.store(true, Ordering::SeqCst);
                match result.try_recv() {
                    Err(TryRecvError::Empty) => None,
                    // It has ended just now.
                    ended => {
                        self.lookup.is_late.store(false, Ordering::SeqCst);
                        ended.ok()
                    }
                }
            }
        }
    }
}

impl<F: Clone> Lookup<F> {
    fn cached(&self, address: usize) -> Option<Vec<F>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned()
    }

    fn frames(&self, address: usize) -> Vec<F> {
        self.cached(address).unwrap_or_else(|| {
            let frames = (self.resolve)(address);
            let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            if cache.len() > CACHE_CAPACITY {
                cache.clear();
            }
            cache.insert(address, frames.clone());
            frames
        })
    }
}

impl<F> fmt::Debug for Lookup<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lookup").field("is_late", &self.is_late).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_names_beyond_the_limit_and_later_stacks_have_them() {
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let names = StackNames::new(
            move |address| {
                // Until the test drops its end.
                let _ = released.lock().unwrap().recv();
                vec![address]
            },
            Duration::from_millis(1),
        );
        let stack = Stack::capture().unwrap();
        assert_eq!(names.frames(&stack), None);
        // While a lookup is late, others do not wait for it, even with a longer limit.
        let patient = StackNames { limit: Duration::MAX, ..names };
        assert_eq!(patient.frames(&stack), None);
        drop(release);
        while patient.lookup.is_late.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        assert_eq!(patient.frames(&stack), Some(stack.frames().to_vec()));
    }
    #[test]
    fn a_lookup_that_panics_does_not_keep_later_stacks_from_having_names() {
        let panics = AtomicBool::new(true);
        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let resolve = move |address| {
            let _ = begun.send(());
            let _ = released.lock().unwrap().recv();
            assert!(!panics.swap(false, Ordering::SeqCst), "the first lookup");
            vec![address]
        };
        let names = StackNames::new(resolve, Duration::from_millis(1));
        let stack = Stack::capture().unwrap();
        assert_eq!(names.frames(&stack), None, "late");
        has_begun.recv().unwrap();
        drop(release);
        while names.lookup.is_late.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        let patient = StackNames { limit: Duration::MAX, ..names };
        assert_eq!(patient.frames(&stack), Some(stack.frames().to_vec()));
    }
}
