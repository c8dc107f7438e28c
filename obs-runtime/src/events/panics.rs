//! The last panic of each thread, for the calls that it unwinds through, and a hook that reports panics where they begin.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::base::clock::Stamp;
use crate::base::stack::Stack;

thread_local! {
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
    /// Whether telemetry runs code of the program's, a panic of which is no error of the program.
    static OWN: Cell<bool> = const { Cell::new(false) };
}

/// Messages of a panic that follows from another one and aborts the process.
const CONSEQUENCES: [&str; 2] = ["panic in a destructor during cleanup", "panic in a function that cannot unwind"];

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
    /// A panic begins.
    pub seen: fn(Panic),
    /// The process aborts as soon as this returns.
    pub dying: fn(),
}

/// Installs the panic hook. The previous hook is still called.
pub fn watch(watcher: Watcher) {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // A panic in here would abort the process: nothing in here calls code of the program's.
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
    // Where the thread is ending, only the message is lost.
    let _ = LAST.try_with(|last| last.try_borrow_mut().map(|mut last| *last = Some(panic.clone())));
}

/// This thread's last panic since then. A panic that was resumed from another thread is not among them.
pub fn last_since(start: Stamp) -> Option<Panic> {
    let recent = |last: &Option<Panic>| last.clone().filter(|last| !last.at.is_before(start));
    LAST.try_with(|last| last.try_borrow().ok().and_then(|last| recent(&last))).ok().flatten()
}

/// The message and location of this thread's last panic since then.
pub fn message_since(start: Stamp) -> Option<String> {
    last_since(start).map(|last| last.to_string())
}
