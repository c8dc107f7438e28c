//! The signals that ask a process to end: what it recorded is sent before it does.
//!
//! SIGTERM and SIGINT. The first one ends the commands that are running, flushes every sink under its deadline, and then
//! ends the process as the signal would have: a shell sees 143 or 130. The second one ends it at once. Where the program
//! has a handler of its own when obs is initialised, or the signal is ignored (`nohup`), nothing changes.
//!
//! SIGHUP has the log file opened again, in a program without a terminal.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use crate::base::level::Level;
use crate::events::event::{Details, Source};
use crate::exporters::log::log_file;
use crate::instrument::command::{interrupt_commands, running_operations};
use crate::instrument::error_dedup::registry;
use crate::instrument::errors::message::report_message;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::program::at_exit;

/// The handlers, once they stand. They stay until the process ends, as one that is taken away leaves the signal ignored.
static HANDLERS: OnceLock<Handlers> = OnceLock::new();

struct Handlers {
    /// Whether a signal ends the process at once: after the first one, and while obs is not initialised.
    at_once: Arc<AtomicBool>,
    /// Whether the first one is ending the process.
    ending: Arc<AtomicBool>,
}

/// Lets the first signal flush until this is dropped.
#[derive(Debug)]
pub struct Watch(());

/// Watches for signals.
///
/// # Errors
/// When the system does not let us.
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
            // What is being flushed on behalf of a signal decides how the process ends.
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
        let taken = dispositions();
        let free: Vec<i32> = [SIGTERM, SIGINT].into_iter().filter(|signal| !taken.contains(*signal)).collect();
        for signal in &free {
            // In this order: what ends at once is asked before the first signal has said that the next one does.
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
                end_by(signal);
            }
        };
        thread::Builder::new().name("obs-signals".to_owned()).spawn(wait)?;
        Ok(Self { at_once, ending })
    }
}

fn end_by(signal: i32) {
    let exit_code = u8::try_from(signal).map_or(u8::MAX, |signal| signal.saturating_add(128));
    let name = low_level::signal_name(signal).unwrap_or("a signal");
    let operations = running_operations();
    let commands = interrupt_commands(name, exit_code);
    let within = |names: Vec<&str>, before: &str| {
        if names.is_empty() { String::new() } else { format!("{before}{}", names.join(", ")) }
    };
    let ended = within(commands, " within ") + &within(operations, ", while these ran: ");
    let message = format!("{name}: the process ends{ended}");
    if !ended.is_empty() {
        // Whoever tracks errors is told of what will not be done.
        let source = Source { logger: "obs_runtime".into(), ..Source::default() };
        report_message(Level::Warning, message.as_str().into(), source, Details::default());
    }
    global::warn(message);
    registry::flush(FlushMode::Final);
    // The first process of a container is not ended by a signal that it does not handle.
    if std::process::id() != 1 {
        let _ = low_level::emulate_default_handler(signal);
    }
    at_exit::orderly();
    std::process::exit(exit_code.into());
}

/// Whether SIGHUP does what it does by default; set once there is a handler that says otherwise.
static HANGUP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// While it is there, SIGHUP has the log file opened again instead of ending the process.
#[derive(Debug)]
pub struct Hangup(());

/// Has SIGHUP open the log file again, as logrotate's `postrotate` says it to services. Not in a program that has a
/// terminal, whose end SIGHUP tells, and not where somebody has a handler of their own.
///
/// # Errors
/// When the system does not let us.
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

/// The signals that somebody has a handler for, or that are ignored.
struct Dispositions(u64);

impl Dispositions {
    const fn contains(&self, signal: i32) -> bool {
        self.0 >> (signal - 1) & 1 == 1
    }
}

/// As the system says where it does; elsewhere all signals count as free.
fn dispositions() -> Dispositions {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
    };
    Dispositions(mask("SigIgn:") | mask("SigCgt:"))
}
