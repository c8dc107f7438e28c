//! The last panic of each thread, for the calls that it unwinds through, and a hook that reports panics where they begin.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use crate::base::clock::Stamp;
use crate::base::stack::Stack;

thread_local! {
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
    /// Whether telemetry runs code of the program's, a panic of which is no error of the program.
    static OWN: Cell<bool> = const { Cell::new(false) };
    /// Whether a panic is expected and handled.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// When a panic began last, on any thread.
static SEEN: Mutex<Stamp> = Mutex::new(Stamp::ZERO);

/// Messages of a panic that follows from another one and aborts the process.
const CONSEQUENCES: [&str; 2] = ["panic in a destructor during cleanup", "panic in a function that cannot unwind"];

/// The message of a panic with another value than text.
const NO_TEXT: &str = "a value that is not text";

/// A panic. Its `Display` is its message and its location.
#[derive(Clone, Debug)]
pub struct Panic {
    at: Stamp,
    /// Its message.
    pub words: String,
    /// Source file and line.
    pub place: Option<(String, u32)>,
    /// The call stack, if a sink wants it.
    pub stack: Option<Stack>,
    /// The backtrace as text, if `RUST_BACKTRACE` asks for it.
    pub backtrace: Option<String>,
    /// Whether only what it panicked with is known, because no hook of obs was called: another hook replaced it, or the panic was resumed.
    pub is_from_payload: bool,
    /// Whether it is one in code that runs for telemetry, or follows from a panic that was seen before.
    pub is_secondary: bool,
}

impl fmt::Display for Panic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)?;
        self.place.iter().try_for_each(|(file, line)| write!(formatter, " at {file}:{line}"))
    }
}

/// What is called at a panic.
#[derive(Clone, Copy, Debug)]
pub struct Watcher {
    /// Whether a sink wants call stacks.
    pub wants_stack_traces: fn() -> bool,
    /// A panic begins, other than one in code that runs for telemetry.
    pub seen: fn(&Panic),
    /// Writes the log line of a panic. Returns whether the line replaces the standard library's message.
    pub log: fn(&Panic) -> bool,
    /// The process aborts as soon as this returns.
    pub dying: fn(),
}

/// Whether the main function unwinds, which ends the process.
static ENDS_PROCESS: AtomicBool = AtomicBool::new(false);

/// Notes that the main function unwinds if this thread does.
pub fn note_end_of_process() {
    ENDS_PROCESS.fetch_or(std::thread::panicking(), Ordering::Relaxed);
}

/// Whether the main function unwinds.
#[cfg(feature = "sentry")]
pub fn is_end_of_process() -> bool {
    ENDS_PROCESS.load(Ordering::Relaxed)
}

/// Installs the panic hook. The previous hook is still called, except that of the standard library where the log line of
/// the panic replaces its message.
pub fn watch(watcher: Watcher) {
    static WATCHED: Once = Once::new();
    // A thread that panics cannot change the hook.
    if std::thread::panicking() {
        return;
    }
    WATCHED.call_once(|| {
        let (previous, is_default) = take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // A panic in here would abort the process: nothing in here calls code of the program's.
            if cfg!(panic = "unwind") && QUIET.try_with(Cell::get).unwrap_or(false) {
                return;
            }
            let panic = Panic::new(info, watcher);
            claim_unseen(panic.at);
            let is_consequence = is_consequence(&panic.words);
            if !panic.is_secondary {
                remember(&panic);
                (watcher.seen)(&panic);
            }
            if !(watcher.log)(&panic) || !is_default {
                previous(info);
            }
            if is_consequence || cfg!(panic = "abort") {
                (watcher.dying)();
            }
        }));
    });
}

/// Takes the hook, and tells whether it is that of the standard library, whose message is neither redacted nor JSON, and
/// which waits for a reader of standard error for ever. There is no other way to tell: a second `take_hook` returns the hook
/// of the standard library, as none is set then, and the two are compared by the address of their code.
fn take_hook() -> (Hook, bool) {
    let hook = std::panic::take_hook();
    let default = std::panic::take_hook();
    let is_default = std::ptr::eq(&raw const *hook, &raw const *default);
    (hook, is_default)
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The stack as text, as in the standard library's message, if `RUST_BACKTRACE` asks for it.
fn backtrace() -> Option<String> {
    let style = std::env::var_os("RUST_BACKTRACE").filter(|style| style != "0")?;
    let backtrace = Backtrace::force_capture();
    let text = if style == "full" { format!("{backtrace:#}") } else { backtrace.to_string() };
    // The frames above are those of this hook.
    let begin = text.find("rust_begin_unwind").and_then(|at| text.get(..at)?.rfind('\n'));
    Some(begin.and_then(|begin| text.get(begin..)).unwrap_or(&text).trim_start_matches('\n').trim_end().to_owned())
}

/// Runs code of the program's on behalf of telemetry. A panic in it ends here, and is not captured.
///
/// # Errors
/// What it panicked with.
pub fn caught<R>(run: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let before = OWN.try_with(|own| own.replace(true)).unwrap_or(false);
    let result = catch_unwind(AssertUnwindSafe(run));
    let _ = OWN.try_with(|own| own.set(before));
    result
}

/// Like [`caught`], for a panic that is expected there: no panic hook tells of it.
///
/// # Errors
/// What it panicked with.
#[cfg(feature = "otlp")]
pub fn quietly<R>(run: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let before = QUIET.try_with(|quiet| quiet.replace(true)).unwrap_or(false);
    let result = catch_unwind(AssertUnwindSafe(run));
    let _ = QUIET.try_with(|quiet| quiet.set(before));
    result
}

impl Panic {
    fn new(info: &PanicHookInfo<'_>, watcher: Watcher) -> Self {
        let words = info.payload_as_str().unwrap_or(NO_TEXT).to_owned();
        Self {
            at: Stamp::now(),
            is_secondary: is_consequence(&words) || OWN.try_with(Cell::get).unwrap_or(false),
            words,
            is_from_payload: false,
            place: info.location().map(|place| (place.file().to_owned(), place.line())),
            stack: (watcher.wants_stack_traces)().then(Stack::capture).flatten(),
            backtrace: backtrace(),
        }
    }
}

fn is_consequence(words: &str) -> bool {
    CONSEQUENCES.contains(&words)
}

fn remember(panic: &Panic) {
    // Where the thread is ending, only the message is lost.
    let _ = LAST.try_with(|last| last.try_borrow_mut().map(|mut last| *last = Some(panic.clone())));
}

/// Notes that a panic is known now. Returns whether none was since `start`.
pub fn claim_unseen(start: Stamp) -> bool {
    let now = Stamp::now();
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut *seen, now).is_before(start)
}

/// This thread's last panic since then. A panic that was resumed from another thread is not among them.
pub fn last_since(start: Stamp) -> Option<Panic> {
    let recent = |last: &Option<Panic>| last.clone().filter(|last| !last.at.is_before(start));
    LAST.try_with(|last| last.try_borrow().ok().and_then(|last| recent(&last))).ok().flatten()
}

/// Runs code of the program. If it panics and the hook of obs was not called, its message is noted for [`last_since`], and the panic goes
/// on.
pub fn noted<R>(start: Stamp, run: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        if last_since(start).is_none() {
            let words = payload.downcast_ref::<&str>().copied().map(str::to_owned);
            let words = words.or_else(|| payload.downcast_ref::<String>().cloned());
            remember(&Panic {
                at: Stamp::now(),
                words: words.unwrap_or_else(|| NO_TEXT.to_owned()),
                place: None,
                stack: None,
                backtrace: None,
                is_from_payload: true,
                is_secondary: false,
            });
        }
        resume_unwind(payload)
    })
}

/// The message and location of this thread's last panic since then.
pub fn message_since(start: Stamp) -> Option<String> {
    last_since(start).map(|last| last.to_string())
}
