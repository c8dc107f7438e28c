//! What a panic said and where, remembered for the calls that it unwinds through, and told where it is seen.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::base::clock::Stamp;
use crate::base::stack::Stack;

thread_local! {
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
    /// Whether telemetry calls code that may panic, which is nobody's error.
    static OWN: Cell<bool> = const { Cell::new(false) };
}

/// What a panic says that follows from another one, which it ends by ending the process.
const CONSEQUENCES: [&str; 2] = ["panic in a destructor during cleanup", "panic in a function that cannot unwind"];

/// A panic as its hook saw it. Its `Display` is its words and its place.
#[derive(Clone, Debug)]
pub struct Panic {
    at: Stamp,
    /// Its words.
    pub words: String,
    /// Source file and line.
    pub place: Option<(String, u32)>,
    /// The calls that led to it, if anybody wants them.
    pub stack: Option<Stack>,
}

impl fmt::Display for Panic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)?;
        self.place.iter().try_for_each(|(file, line)| write!(formatter, " at {file}:{line}"))
    }
}

/// Who is told of panics.
#[derive(Clone, Copy, Debug)]
pub struct Watcher {
    /// Whether the calls that led to one are of use.
    pub wants_stack_traces: fn() -> bool,
    /// A panic was seen.
    pub seen: fn(Panic),
    /// The process ends by a panic as soon as this returns.
    pub dying: fn(),
}

/// Has panics remembered and told from now on. The hook that was there is called as before.
pub fn watch(watcher: Watcher) {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // A panic in here would end the process at once: nothing in here calls code of the user's.
            let panic = Panic::new(info, watcher);
            let is_consequence = CONSEQUENCES.contains(&&*panic.words);
            let is_own = OWN.try_with(Cell::get).unwrap_or(false);
            if !is_consequence && !is_own {
                remember(&panic);
                (watcher.seen)(panic);
            }
            previous(info);
            if is_consequence || cfg!(panic = "abort") {
                (watcher.dying)();
            }
        }));
    });
}

/// Calls code that may panic on behalf of telemetry: a panic in it ends there, and is no error of the program's.
///
/// # Errors
/// What it panicked with.
pub fn caught<R>(run: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let before = OWN.try_with(|own| own.replace(true)).unwrap_or(false);
    let result = catch_unwind(AssertUnwindSafe(run));
    let _ = OWN.try_with(|own| own.set(before));
    result
}

impl Panic {
    fn new(info: &PanicHookInfo<'_>, watcher: Watcher) -> Self {
        Self {
            at: Stamp::now(),
            words: info.payload_as_str().unwrap_or("a value that is not text").to_owned(),
            place: info.location().map(|place| (place.file().to_owned(), place.line())),
            stack: (watcher.wants_stack_traces)().then(Stack::capture).flatten(),
        }
    }
}

fn remember(panic: &Panic) {
    // A thread that is ending, or a panic inside of this: the message is lost, nothing else.
    let _ = LAST.try_with(|last| last.try_borrow_mut().map(|mut last| *last = Some(panic.clone())));
}

/// This thread's last panic since then. One that was resumed from elsewhere was not seen here.
pub fn last_since(start: Stamp) -> Option<Panic> {
    let recent = |last: &Option<Panic>| last.clone().filter(|last| !last.at.is_before(start));
    LAST.try_with(|last| last.try_borrow().ok().and_then(|last| recent(&last))).ok().flatten()
}

/// What this thread's last panic since then said, and where.
pub fn message_since(start: Stamp) -> Option<String> {
    last_since(start).map(|last| last.to_string())
}
