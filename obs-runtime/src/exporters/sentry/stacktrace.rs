//! Stack traces with names and source locations of functions.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ::sentry::protocol::{Addr, Frame, Stacktrace};

use crate::base::stack::Stack;
use crate::exporters::sentry::frames::{self, KnownPlace, without_name};
use crate::exporters::sentry::in_app::InApp;

/// The most frames that are sent.
const MAX_FRAMES: usize = 100;

/// The most addresses in the cache. A program has far fewer on the stacks of its errors.
const CACHE_CAPACITY: usize = 8192;

/// Resolves addresses to names. Cached: a lookup takes half a millisecond for a stack, and most stacks are similar.
///
/// The first lookup reads the debug information of the program, which takes seconds for a large debug build on a busy
/// machine. It runs on a thread of its own: an event that waited for longer than the limit is sent without names, which is
/// better than not at all.
#[derive(Debug)]
pub struct Names {
    lookup: Arc<Lookup>,
    limit: Duration,
}

struct Lookup {
    /// The frames of an address: several if functions are inlined, innermost first.
    resolve: Box<dyn Fn(usize) -> Vec<Frame> + Send + Sync>,
    cache: Mutex<HashMap<usize, Vec<Frame>>>,
    /// Whether a lookup runs that has exceeded the limit.
    is_late: AtomicBool,
}

impl Names {
    /// An empty cache.
    pub fn new(in_app: InApp, limit: Duration) -> Self {
        Self::with(move |address| frames::look_up(address, &in_app), limit)
    }

    fn with(resolve: impl Fn(usize) -> Vec<Frame> + Send + Sync + 'static, limit: Duration) -> Self {
        let lookup = Lookup { resolve: Box::new(resolve), cache: Mutex::default(), is_late: AtomicBool::new(false) };
        Self { lookup: Arc::new(lookup), limit }
    }

    /// The stack trace of a stack, and of where the event is known to come from; `None` if it has no frames.
    pub fn stacktrace(&self, stack: &Stack, place: Option<&KnownPlace>) -> Option<Stacktrace> {
        let mut frames = self.frames(stack);
        frames::trim(&mut frames);
        mark_as_return(&mut frames);
        if let Some(place) = place {
            frames::locate(&mut frames, place);
        }
        frames.truncate(MAX_FRAMES);
        Stacktrace::from_frames_reversed(frames)
    }

    /// All frames, innermost first.
    fn frames(&self, stack: &Stack) -> Vec<Frame> {
        let cached = |address: &usize| self.lookup.cached(*address);
        if let Some(frames) = stack.frames().iter().map(cached).collect::<Option<Vec<_>>>() {
            return frames.concat();
        }
        let without_names = || stack.frames().iter().map(|address| without_name(*address)).collect();
        if self.lookup.is_late.load(Ordering::SeqCst) {
            return without_names();
        }
        let (done, result) = mpsc::channel();
        let (lookup, all) = (Arc::clone(&self.lookup), stack.clone());
        let work = move || {
            let frames = all.frames().iter().flat_map(|address| lookup.frames(*address)).collect();
            // Fails if it was late.
            let _ = done.send(frames);
            lookup.is_late.store(false, Ordering::SeqCst);
        };
        if thread::Builder::new().name("obs-names".to_owned()).spawn(work).is_err() {
            return without_names();
        }
        match result.recv_timeout(self.limit) {
            Ok(frames) => frames,
            Err(RecvTimeoutError::Disconnected) => without_names(),
            Err(RecvTimeoutError::Timeout) => {
                self.lookup.is_late.store(true, Ordering::SeqCst);
                // It may have ended just now.
                result.try_recv().map_or_else(
                    |_| without_names(),
                    |frames| {
                        self.lookup.is_late.store(false, Ordering::SeqCst);
                        frames
                    },
                )
            }
        }
    }
}

impl Lookup {
    fn cached(&self, address: usize) -> Option<Vec<Frame>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned()
    }

    fn frames(&self, address: usize) -> Vec<Frame> {
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

impl fmt::Debug for Lookup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lookup").field("is_late", &self.is_late).finish_non_exhaustive()
    }
}

/// Sentry takes the address of the top frame for that of an instruction, and all others for return addresses, as which it looks up the
/// instruction before. Here, all are return addresses.
fn mark_as_return(frames: &mut [Frame]) {
    let top = frames.first().and_then(|frame| frame.instruction_addr);
    let inlined = frames.iter_mut().take_while(|frame| top.is_some() && frame.instruction_addr == top);
    inlined.for_each(|frame| frame.instruction_addr = top.map(|Addr(address)| Addr(address.saturating_sub(1))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_does_not_wait_for_names_beyond_the_limit_and_later_ones_have_them() {
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let names = Names::with(
            move |address| {
                // Until the test drops its end.
                let _ = released.lock().unwrap().recv();
                vec![Frame { function: Some("named".to_owned()), ..without_name(address) }]
            },
            Duration::from_millis(1),
        );
        let stack = Stack::capture().unwrap();
        let functions = |names: &Names| -> Vec<_> {
            let frames = names.stacktrace(&stack, None).unwrap().frames;
            frames.into_iter().map(|frame| (frame.function.unwrap(), frame.instruction_addr)).collect()
        };
        let without = functions(&names);
        assert_eq!(without.len(), stack.frames().len());
        assert!(without.iter().all(|(name, address)| name == "<unknown>" && address.is_some()), "{without:?}");
        // While a lookup is late, others do not wait for it, even with a longer limit.
        let patient = Names { limit: Duration::MAX, ..names };
        assert_eq!(functions(&patient), without);
        drop(release);
        while patient.lookup.is_late.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        assert!(functions(&patient).iter().all(|(name, _)| name == "named"));
    }
}
