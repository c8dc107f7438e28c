//! The calls that led to an event, with names and places; the program's own stand out.

use ::sentry::ClientOptions;
use ::sentry::integrations::backtrace::{backtrace_to_stacktrace, process_event_stacktrace};
use ::sentry::protocol::{Frame, Stacktrace};

use super::options::Settings;
use crate::stack::Stack;

/// Most calls that are sent.
const MOST: usize = 100;

/// Beginnings of the names of what stands above the program's own code: how a stack is taken, and how a panic begins.
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
    let mut stacktrace = backtrace_to_stacktrace(&stack.resolved())?;
    let options = ClientOptions::new()
        .in_app_include(own(&settings.in_app_include))
        .in_app_exclude(own(&settings.in_app_exclude));
    process_event_stacktrace(&mut stacktrace, &options);
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

fn own(names: &[String]) -> Vec<&'static str> {
    names.iter().map(|name| &*Box::leak(name.clone().into_boxed_str())).collect()
}

fn is_above(frame: &Frame) -> bool {
    if frame.abs_path.as_deref().is_some_and(|path| path.contains("obs-runtime") || path.starts_with("/rustc/")) {
        return true;
    }
    let name = frame.function.as_deref().unwrap_or_default();
    let name = name.trim_start_matches(['<', '_', '&']);
    ABOVE.iter().any(|above| name.starts_with(above.trim_start_matches(['<', '_'])))
}
