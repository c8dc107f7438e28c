//! The calls that led to an event, with names and places; the program's own stand out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ::sentry::ClientOptions;
use ::sentry::integrations::backtrace::process_event_stacktrace;
use ::sentry::protocol::{Addr, Frame, Stacktrace};
use backtrace::Symbol;

use crate::base::stack::stack_trace::Stack;

/// Most calls that are sent.
const MOST: usize = 100;

/// Parts of the paths of source files of what stands above the program's own code: how a stack is taken.
const ABOVE_BY_PATH: &[&str] = &["obs-runtime", "/src/backtrace/"];

/// Beginnings of the names of it, and of how a panic begins.
const ABOVE: &[&str] = &[
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

/// Parts of the paths of source files that are not the program's own.
const ELSEWHERE: &[&str] = &["/rustc/", "/rustlib/", "/registry/src/", "/git/checkouts/", "obs-runtime", "obs-macros"];

/// Most addresses of which the names are kept: many more than a program has from which errors come.
const KNOWN: usize = 8192;

/// The names of the calls that were looked up. That takes half a millisecond for a stack, and most stacks are much alike.
#[derive(Debug)]
pub struct Names {
    /// Which functions are the program's own, in the words of Sentry's client.
    in_app: ClientOptions,
    known: Mutex<HashMap<usize, Vec<Frame>>>,
}

impl Names {
    /// None yet. Functions whose names begin so are the program's own, or not.
    pub fn new(in_app_include: &[String], in_app_exclude: &[String]) -> Self {
        // The client wants what lives as long as the program; it is made once for each.
        let lasting = |names: &[String]| names.iter().map(|name| &*name.clone().leak()).collect::<Vec<&'static str>>();
        let in_app = ClientOptions::new();
        let in_app = in_app.in_app_include(lasting(in_app_include)).in_app_exclude(lasting(in_app_exclude));
        Self { in_app, known: Mutex::default() }
    }

    /// The calls as Sentry has them: outermost first. None when not one is known.
    pub fn stacktrace(&self, stack: &Stack) -> Option<Stacktrace> {
        let mut frames = self.frames(stack);
        let above = frames.iter().take_while(|frame| frame.in_app != Some(true) && is_above(frame)).count();
        frames.drain(..above);
        frames.truncate(MOST);
        Stacktrace::from_frames_reversed(frames)
    }

    /// All calls, innermost first.
    fn frames(&self, stack: &Stack) -> Vec<Frame> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > KNOWN {
            known.clear();
        }
        let of = |address: &usize| known.entry(*address).or_insert_with(|| self.look_up(*address)).clone();
        stack.calls().iter().flat_map(of).collect()
    }

    /// The call of an address: several ones where functions were inlined, innermost first.
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
            // A function that was inlined has lost the path of its name.
            let path = frame.abs_path.as_deref();
            let is_elsewhere = path.is_none_or(|path| ELSEWHERE.iter().any(|part| path.contains(part)));
            frame.in_app = Some(!is_elsewhere && frame.in_app != Some(false));
        }
        stacktrace.frames
    }
}

/// A call; one whose name is not known here may be known to Sentry by its address.
fn frame(address: usize, symbol: Option<&Symbol>) -> Frame {
    // Without the hash that tells builds apart.
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

fn is_above(frame: &Frame) -> bool {
    let path = frame.abs_path.as_deref().unwrap_or_default();
    if path.starts_with("/rustc/") || ABOVE_BY_PATH.iter().any(|part| path.contains(part)) {
        return true;
    }
    let name = frame.function.as_deref().unwrap_or_default();
    let name = name.trim_start_matches(['<', '_', '&']);
    ABOVE.iter().any(|above| name.starts_with(above.trim_start_matches(['<', '_'])))
}
