//! Stack traces with names and source locations of functions. Marks the program's own functions.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ::sentry::ClientOptions;
use ::sentry::integrations::backtrace::process_event_stacktrace;
use ::sentry::protocol::{Addr, Frame, Stacktrace};
use backtrace::Symbol;

use crate::base::stack::Stack;

/// The most frames that are sent.
const MAX_FRAMES: usize = 100;

/// Parts of source paths of frames that take a stack. They are removed from its top.
const HIDDEN_PATHS: &[&str] = &["obs-runtime", "/src/backtrace/"];

/// Prefixes of names of functions that take a stack or start a panic. They are removed from a stack's top.
const HIDDEN_NAMES: &[&str] = &[
    "backtrace::",
    "obs_runtime::",
    "std::panicking::",
    "std::sys::backtrace::",
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::ops::function::",
    "std::panic::",
    "std::thread::local::",
    "alloc::boxed::",
    "core::option::",
    "core::result::",
    "__rust",
    "rust_begin_unwind",
    "<alloc::boxed::Box<F,A> as core::ops::function::Fn<Args>>::call",
];

/// Parts of source paths of other crates.
const OTHER_CRATES: &[&str] =
    &["/rustc/", "/rustlib/", "/registry/src/", "/git/checkouts/", "obs-runtime", "obs-macros"];

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
    /// An empty cache. The first two arguments are prefixes of names of functions that belong to the program, or do not.
    pub fn new(in_app_include: &[String], in_app_exclude: &[String], limit: Duration) -> Self {
        // The client needs `&'static str`. Leaked once for each initialisation.
        let lasting = |names: &[String]| names.iter().map(|name| &*name.clone().leak()).collect::<Vec<&'static str>>();
        let in_app = ClientOptions::new();
        let in_app = in_app.in_app_include(lasting(in_app_include)).in_app_exclude(lasting(in_app_exclude));
        Self::with(move |address| look_up(address, &in_app), limit)
    }

    fn with(resolve: impl Fn(usize) -> Vec<Frame> + Send + Sync + 'static, limit: Duration) -> Self {
        let lookup = Lookup { resolve: Box::new(resolve), cache: Mutex::default(), is_late: AtomicBool::new(false) };
        Self { lookup: Arc::new(lookup), limit }
    }

    /// The stack trace of a stack; `None` if it has no frames.
    pub fn stacktrace(&self, stack: &Stack) -> Option<Stacktrace> {
        let mut frames = self.frames(stack);
        let hidden = frames.iter().take_while(|frame| frame.in_app != Some(true) && is_hidden(frame)).count();
        frames.drain(..hidden);
        frames.truncate(MAX_FRAMES);
        Stacktrace::from_frames_reversed(frames)
    }

    /// All frames, innermost first.
    fn frames(&self, stack: &Stack) -> Vec<Frame> {
        let cached = |address: &usize| self.lookup.cached(*address);
        if let Some(frames) = stack.frames().iter().map(cached).collect::<Option<Vec<_>>>() {
            return frames.concat();
        }
        let without_names = || stack.frames().iter().map(|address| frame(*address, None)).collect();
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

/// The frames of an address, and whether each belongs to the program.
fn look_up(address: usize, in_app: &ClientOptions) -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::resolve(std::ptr::without_provenance_mut(address), |symbol| {
        frames.push(frame(address, Some(symbol)));
    });
    if frames.is_empty() {
        frames.push(frame(address, None));
    }
    let mut stacktrace = Stacktrace { frames, ..Stacktrace::default() };
    process_event_stacktrace(&mut stacktrace, in_app);
    for frame in &mut stacktrace.frames {
        // The names of inlined functions have no module path.
        let path = frame.abs_path.as_deref();
        let is_elsewhere = path.is_none_or(|path| OTHER_CRATES.iter().any(|part| path.contains(part)));
        frame.in_app = Some(!is_elsewhere && frame.in_app != Some(false));
    }
    stacktrace.frames
}

/// A frame. Sentry may resolve an unknown name by the address.
fn frame(address: usize, symbol: Option<&Symbol>) -> Frame {
    // `:#` omits the hash.
    let name = symbol.and_then(Symbol::name).map(|name| format!("{name:#}"));
    let path = symbol.and_then(Symbol::filename).map(|path| path.to_string_lossy().into_owned());
    Frame {
        function: Some(name.unwrap_or_else(|| "<unknown>".to_owned())),
        instruction_addr: Some(Addr(address as u64)),
        filename: path.as_deref().map(|path| path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned()),
        abs_path: path,
        lineno: symbol.and_then(Symbol::lineno).map(u64::from),
        ..Frame::default()
    }
}

fn is_hidden(frame: &Frame) -> bool {
    let path = frame.abs_path.as_deref().unwrap_or_default();
    if path.starts_with("/rustc/") || HIDDEN_PATHS.iter().any(|part| path.contains(part)) {
        return true;
    }
    let name = frame.function.as_deref().unwrap_or_default();
    let name = name.trim_start_matches(['<', '_', '&']);
    HIDDEN_NAMES.iter().any(|prefix| name.starts_with(prefix.trim_start_matches(['<', '_'])))
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
                vec![Frame { function: Some("named".to_owned()), ..frame(address, None) }]
            },
            Duration::from_millis(1),
        );
        let stack = Stack::capture().unwrap();
        let functions = |names: &Names| -> Vec<_> {
            let frames = names.stacktrace(&stack).unwrap().frames;
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
