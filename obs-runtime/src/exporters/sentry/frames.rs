//! The frames of a stack: names, trimming of its top, and the place that is known without debug information.

use ::sentry::protocol::{Addr, Frame};
use backtrace::Symbol;

use crate::exporters::sentry::function_names::{crate_of_file, crates, readable};
use crate::exporters::sentry::in_app::InApp;

/// The name of a function without one. Sentry may resolve it by the address.
pub const UNKNOWN: &str = "<unknown>";

/// Crates whose frames are removed from the top of a stack: those that take it, log an error or start a panic.
const HIDDEN_CRATES: [&str; 11] = [
    "__rustc",
    "alloc",
    "backtrace",
    "core",
    "log",
    "obs_runtime",
    "std",
    "tracing",
    "tracing_core",
    "tracing_log",
    "tracing_subscriber",
];

/// Parts of source paths of such crates, for inlined functions, whose names have no crate.
const HIDDEN_PATHS: [&str; 4] = ["/rustc/", "/rustlib/", "obs-runtime", "/src/backtrace/"];

/// Prefixes of symbols that start a panic or call the functions of a thread.
const HIDDEN_SYMBOLS: [&str; 4] = ["__rust", "rust_begin_unwind", "rust_panic", "_Unwind_"];

/// Where an event is known to come from: the location of a panic, of a call of obs, or of an annotated function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPlace {
    /// The annotated function, with its module; `None` if only the location is known.
    pub function: Option<String>,
    /// Source file, as it was passed to the compiler.
    pub file: String,
    /// Line number, from 1.
    pub line: u64,
}

/// The frames of an address, from the innermost inlined function to the function that has the address.
pub fn look_up(address: usize, in_app: &InApp) -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::resolve(std::ptr::without_provenance_mut(address), |symbol| {
        frames.push(frame(address, Some(symbol), in_app));
    });
    if frames.is_empty() {
        frames.push(without_name(address));
    }
    frames
}

/// A frame of which only the address is known. Whether it belongs to the program is left to Sentry.
pub fn without_name(address: usize) -> Frame {
    Frame { function: Some(UNKNOWN.to_owned()), instruction_addr: Some(Addr(address as u64)), ..Frame::default() }
}

fn frame(address: usize, symbol: Option<&Symbol>, in_app: &InApp) -> Frame {
    // `:#` omits the hash.
    let Some(name) = symbol.and_then(Symbol::name).map(|name| format!("{name:#}")) else {
        return without_name(address);
    };
    let path = symbol.and_then(Symbol::filename).map(|path| path.to_string_lossy().into_owned());
    Frame {
        in_app: Some(in_app.contains(&name, path.as_deref())),
        package: crates(&name).next().map(str::to_owned),
        function: Some(readable(&name)),
        filename: path.as_deref().map(file_name),
        abs_path: path,
        lineno: symbol.and_then(Symbol::lineno).map(u64::from),
        ..without_name(address)
    }
}

fn file_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned()
}

/// Removes the frames at the top, which comes first, that take the stack or start a panic, unless nothing would be left.
pub fn trim(frames: &mut Vec<Frame>) {
    let hidden = frames.iter().take_while(|frame| frame.in_app != Some(true) && is_hidden(frame)).count();
    if hidden < frames.len() {
        frames.drain(..hidden);
    }
}

fn is_hidden(frame: &Frame) -> bool {
    let name = frame.function.as_deref().unwrap_or_default();
    if crates(name).next().is_some() {
        return crates(name).all(|name| HIDDEN_CRATES.contains(&name));
    }
    let path = frame.abs_path.as_deref().unwrap_or_default();
    HIDDEN_PATHS.iter().any(|part| path.contains(part))
        || crate_of_file(path).is_some_and(|name| HIDDEN_CRATES.contains(&&*name))
        || HIDDEN_SYMBOLS.iter().any(|prefix| name.starts_with(prefix))
        || name.starts_with('<') && name != UNKNOWN
}

/// Adds what is known without debug information: the location to the frame that it belongs to, and the frame itself if it was inlined or
/// has no name.
pub fn locate(frames: &mut Vec<Frame>, place: &KnownPlace) {
    let top = frames.first();
    let found = match &place.function {
        Some(_) if top.is_some_and(|top| is_body(top, place)) => Some(0),
        Some(function) => frames.iter().position(|frame| frame.in_app == Some(true) && is_of(frame, function)),
        // Only the top frame can be at the location.
        None if top.is_some_and(|top| top.lineno.is_some() || top.in_app == Some(true)) => Some(0),
        None => None,
    };
    if let Some(frame) = found.and_then(|index| frames.get_mut(index)) {
        if place.function.is_some() && crates(frame.function.as_deref().unwrap_or_default()).next().is_none() {
            // The name of an inlined function has no path.
            frame.function.clone_from(&place.function);
        }
        if frame.lineno.is_none() {
            at(frame, place);
        }
    } else {
        let function = Some(place.function.clone().unwrap_or_else(|| UNKNOWN.to_owned()));
        let mut frame = Frame { function, in_app: Some(true), ..Frame::default() };
        at(&mut frame, place);
        frames.insert(0, frame);
    }
}

fn at(frame: &mut Frame, place: &KnownPlace) {
    (frame.filename, frame.abs_path) = (Some(file_name(&place.file)), Some(place.file.clone()));
    frame.lineno = Some(place.line);
}

/// Whether it is the inlined body of the function at a place, which has no name of its own if it is `async`.
fn is_body(frame: &Frame, place: &KnownPlace) -> bool {
    let is_in_file = frame.abs_path.as_deref().is_some_and(|path| path.ends_with(&place.file));
    let is_unnamed = frame.function.as_deref().is_some_and(|name| name.starts_with('{'));
    is_in_file && is_unnamed && frame.lineno >= Some(place.line)
}

/// Whether it is a frame of a function, which may be a method.
fn is_of(frame: &Frame, function: &str) -> bool {
    let name = frame.function.as_deref().unwrap_or_default();
    let last = |path: &str| path.rsplit("::").next().map(str::to_owned);
    let is_same_crate =
        crates(name).next().is_none() || crates(name).any(|name| crates(function).any(|own| own == name));
    is_same_crate && last(name) == last(function)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(function: &str, in_app: bool, line: Option<u64>) -> Frame {
        let abs_path = line.map(|_| "/home/u/app/src/main.rs".to_owned());
        Frame { function: Some(function.to_owned()), in_app: Some(in_app), lineno: line, abs_path, ..Frame::default() }
    }

    fn functions(frames: &[Frame]) -> Vec<(&str, Option<u64>)> {
        frames.iter().map(|frame| (frame.function.as_deref().unwrap(), frame.lineno)).collect()
    }

    #[test]
    fn the_top_is_trimmed_by_names_too() {
        let mut frames = vec![
            named("core::bool::<impl bool>::then", false, None),
            named("obs_runtime::instrument::errors::tracked::errors", false, None),
            named("<core::panic::AssertUnwindSafe as core::ops::FnOnce>::call_once", false, None),
            named("__rust_try", false, None),
            named("app::load", true, None),
            named("obs_runtime::instrument::command::command", false, None),
        ];
        trim(&mut frames);
        assert_eq!(functions(&frames)[0], ("app::load", None));
        assert_eq!(frames.len(), 2);
        let mut hidden = vec![named("std::rt::lang_start", false, None)];
        trim(&mut hidden);
        let mut unknown = vec![without_name(1), without_name(2)];
        trim(&mut unknown);
        assert_eq!((hidden.len(), unknown.len()), (1, 2));
        let mut library = vec![named("csv::read", false, None), named("std::rt::lang_start", false, None)];
        trim(&mut library);
        assert_eq!(library.len(), 2);
    }

    #[test]
    fn a_known_place_is_added_to_its_frame_or_as_one() {
        let of = |function: Option<&str>| KnownPlace {
            function: function.map(str::to_owned),
            file: "src/main.rs".to_owned(),
            line: 7,
        };
        let located = |frames: &[Frame], function: Option<&str>| {
            let mut frames = frames.to_vec();
            locate(&mut frames, &of(function));
            frames
        };
        // With debug information.
        let frames = [named("app::load", true, Some(3)), named("app::main", true, Some(9))];
        assert_eq!(located(&frames, Some("app::load")), frames);
        assert_eq!(located(&frames, None), frames);
        let inlined = located(&[named("load", true, Some(3))], Some("app::load"));
        assert_eq!(functions(&inlined), [("app::load", Some(3))]);
        let body = located(&[named("{async_fn#0}", true, Some(9))], Some("app::load"));
        assert_eq!(functions(&body), [("app::load", Some(9))]);
        // Without.
        let frames = [named("<app::Loader as app::Load>::load", true, None), named("app::main", true, None)];
        let lines = |frames: &[Frame]| frames.iter().map(|frame| frame.lineno).collect::<Vec<_>>();
        assert_eq!(lines(&located(&frames, Some("app::load"))), [Some(7), None]);
        assert_eq!(lines(&located(&frames, None)), [Some(7), None]);
        // Inlined.
        let frames = [named("app::main", true, None)];
        let inlined = located(&frames, Some("app::load"));
        assert_eq!(functions(&inlined), [("app::load", Some(7)), ("app::main", None)]);
        assert_eq!((inlined[0].filename.as_deref(), inlined[0].in_app), (Some("main.rs"), Some(true)));
        // Stripped.
        let unknown = located(&[without_name(1)], None);
        assert_eq!(functions(&unknown), [(UNKNOWN, Some(7)), (UNKNOWN, None)]);
    }
}
