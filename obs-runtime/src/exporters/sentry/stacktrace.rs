//! Stack traces with names and source locations of functions. Marks the program's own functions.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

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
#[derive(Debug)]
pub struct Names {
    /// Which functions belong to the program, as options of Sentry's client.
    in_app: ClientOptions,
    cache: Mutex<HashMap<usize, Vec<Frame>>>,
}

impl Names {
    /// An empty cache. The arguments are prefixes of names of functions that belong to the program, or do not.
    pub fn new(in_app_include: &[String], in_app_exclude: &[String]) -> Self {
        // The client needs `&'static str`. Leaked once for each initialisation.
        let lasting = |names: &[String]| names.iter().map(|name| &*name.clone().leak()).collect::<Vec<&'static str>>();
        let in_app = ClientOptions::new();
        let in_app = in_app.in_app_include(lasting(in_app_include)).in_app_exclude(lasting(in_app_exclude));
        Self { in_app, cache: Mutex::default() }
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
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() > CACHE_CAPACITY {
            cache.clear();
        }
        let of = |address: &usize| cache.entry(*address).or_insert_with(|| self.look_up(*address)).clone();
        stack.frames().iter().flat_map(of).collect()
    }

    /// The frames of an address: several if functions are inlined, innermost first.
    fn look_up(&self, address: usize) -> Vec<Frame> {
        let mut frames = Vec::new();
        backtrace::resolve(std::ptr::without_provenance_mut(address), |symbol| {
            frames.push(frame(address, Some(symbol)));
        });
        if frames.is_empty() {
            frames.push(frame(address, None));
        }
        let mut stacktrace = Stacktrace { frames, ..Stacktrace::default() };
        process_event_stacktrace(&mut stacktrace, &self.in_app);
        for frame in &mut stacktrace.frames {
            // The names of inlined functions have no module path.
            let path = frame.abs_path.as_deref();
            let is_elsewhere = path.is_none_or(|path| OTHER_CRATES.iter().any(|part| path.contains(part)));
            frame.in_app = Some(!is_elsewhere && frame.in_app != Some(false));
        }
        stacktrace.frames
    }
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
