//! Signal handling.
//!
//! The first SIGTERM or SIGINT finishes the running commands, flushes every exporter under its deadline, and then ends the
//! process as the signal would have: a shell sees 143 or 130. The second one ends it at once. A handler that the program
//! installed before obs, and an ignored signal (`nohup`), stay as they are.
//!
//! SIGHUP reopens the log file in a program without a terminal.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::event::{Details, Source};
use crate::exporters::log::log_file;
use crate::instrument::command::{cancel_commands, running_operations};
use crate::instrument::error_dedup::registry;
use crate::instrument::errors::message::report_message;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::program::at_exit;
use crate::program::queries;

/// The installed handlers. They stay until the process ends: removing one would leave the signal ignored.
static HANDLERS: OnceLock<Handlers> = OnceLock::new();

struct Handlers {
    /// Whether a signal ends the process at once: after the first signal, and while obs is not initialised.
    at_once: Arc<AtomicBool>,
    /// Whether the first signal is being handled.
    ending: Arc<AtomicBool>,
}

/// Until it is dropped, the first signal flushes.
#[derive(Debug)]
pub struct Watch(());

/// Installs the handlers, or enables them again.
///
/// # Errors
/// If the system refuses.
pub fn watch() -> io::Result<Watch> {
    let handlers = if let Some(handlers) = HANDLERS.get() {
        handlers
    } else {
        let installed = Handlers::install()?;
        HANDLERS.get_or_init(|| installed)
    };
    handlers.at_once.store(false, Ordering::SeqCst);
    Ok(Watch(()))
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(handlers) = HANDLERS.get() {
            // The handler of the signal ends the process once it has flushed.
            while handlers.ending.load(Ordering::SeqCst) {
                thread::park();
            }
            handlers.at_once.store(true, Ordering::SeqCst);
        }
    }
}

impl Handlers {
    fn install() -> io::Result<Self> {
        let at_once = Arc::new(AtomicBool::new(true));
        let handled = dispositions();
        let free: Vec<i32> = [SIGTERM, SIGINT].into_iter().filter(|signal| !handled.contains(*signal)).collect();
        for signal in &free {
            // The order matters: this handler reads the flag before the one below sets it for the next signal.
            flag::register_conditional_default(*signal, Arc::clone(&at_once))?;
        }
        let mut signals = Signals::new(&free)?;
        for signal in &free {
            flag::register(*signal, Arc::clone(&at_once))?;
        }
        let ending = Arc::new(AtomicBool::new(false));
        let begun = Arc::clone(&ending);
        let wait = move || {
            if let Some(signal) = signals.forever().next() {
                begun.store(true, Ordering::SeqCst);
                terminate(signal);
            }
        };
        thread::Builder::new().name("obs-signals".to_owned()).spawn(wait)?;
        Ok(Self { at_once, ending })
    }
}

fn terminate(signal: i32) {
    let begun = Instant::now();
    let exit_code = u8::try_from(signal).map_or(u8::MAX, |signal| signal.saturating_add(128));
    let name = low_level::signal_name(signal).unwrap_or("a signal");
    let operations = running_operations();
    let cancelled = cancel_commands("signal", name, Some(exit_code));
    // The message and the warning have the context of the command that was started last.
    let _context = cancelled.context.map(Context::enter);
    let list = |kind: &str, names: Vec<&str>| {
        if names.is_empty() { String::new() } else { format!("; running {kind}: {}", names.join(", ")) }
    };
    let running = list("commands", cancelled.names) + &list("operations", operations);
    let message = format!("{name}: flushing and exiting{running}");
    if !running.is_empty() {
        // Error trackers get an event for the interrupted work.
        let source = Source { logger: "obs_runtime".into(), ..Source::default() };
        report_message(Level::Warning, message.as_str().into(), source, Details::default());
    }
    global::warn(message);
    queries::end();
    registry::flush(FlushMode::Final(begun));
    // The kernel does not end process 1 of a container by a default action.
    if std::process::id() != 1 {
        let _ = low_level::emulate_default_handler(signal);
    }
    at_exit::mark_flushed();
    std::process::exit(exit_code.into());
}

/// Whether SIGHUP has its default action; set once the handler is installed.
static HANGUP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Until it is dropped, SIGHUP reopens the log file instead of ending the process.
#[derive(Debug)]
pub struct Hangup(());

/// Makes SIGHUP reopen the log file, as logrotate's `postrotate` expects. Not in a program with a terminal, where SIGHUP
/// means that the terminal was closed, and not if the program has a handler of its own.
///
/// # Errors
/// If the system refuses.
pub fn reopen_on_hangup() -> io::Result<Option<Hangup>> {
    if HANGUP.get().is_none() {
        if std::fs::File::open("/dev/tty").is_ok() || dispositions().contains(SIGHUP) {
            return Ok(None);
        }
        let by_default = HANGUP.get_or_init(Arc::default);
        flag::register_conditional_default(SIGHUP, Arc::clone(by_default))?;
        flag::register(SIGHUP, Arc::clone(&log_file::REOPEN))?;
    }
    Ok(HANGUP.get().map(|by_default| {
        by_default.store(false, Ordering::SeqCst);
        Hangup(())
    }))
}

impl Drop for Hangup {
    fn drop(&mut self) {
        if let Some(by_default) = HANGUP.get() {
            by_default.store(true, Ordering::SeqCst);
        }
    }
}

/// A set of signals that have a handler or are ignored.
struct Dispositions(u64);

impl Dispositions {
    const fn contains(&self, signal: i32) -> bool {
        self.0 >> (signal - 1) & 1 == 1
    }
}

/// Read from `/proc`; without it, no signal counts as handled.
fn dispositions() -> Dispositions {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
    };
    Dispositions(mask("SigIgn:") | mask("SigCgt:"))
}
