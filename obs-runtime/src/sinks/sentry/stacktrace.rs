//! The calls that led to an event, with names and places; the program's own stand out.

use ::sentry::integrations::backtrace::process_event_stacktrace;
use ::sentry::protocol::{Addr, Frame, Stacktrace};
use backtrace::Symbol;

use super::options::Settings;
use crate::stack::Stack;

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

/// The calls as Sentry has them: outermost first. None when not one is known.
pub fn stacktrace(stack: &Stack, settings: &Settings) -> Option<Stacktrace> {
    let mut frames = Vec::new();
    stack.resolve(|address, symbol| frames.push(frame(address, symbol)));
    let mut stacktrace = Stacktrace::from_frames_reversed(frames)?;
    process_event_stacktrace(&mut stacktrace, &settings.in_app);
    let frames = &mut stacktrace.frames;
    for frame in frames.iter_mut() {
        // A function that was inlined has lost the path of its name.
        let path = frame.abs_path.as_deref();
        let is_elsewhere = path.is_none_or(|path| ELSEWHERE.iter().any(|part| path.contains(part)));
        frame.in_app = Some(!is_elsewhere && frame.in_app != Some(false));
    }
    while frames.last().is_some_and(|frame| frame.in_app != Some(true) && is_above(frame)) {
        frames.pop();
    }
    let most = frames.len().saturating_sub(MOST);
    frames.drain(..most);
    (!frames.is_empty()).then_some(stacktrace)
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
