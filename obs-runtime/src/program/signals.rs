//! SIGTERM and SIGINT.
//!
//! If a command runs, or the program has no handler of its own, the first signal finishes the running commands, flushes
//! every exporter under its deadline, and then ends the process as the signal would have: a shell sees 143 or 130. The second
//! one ends it at once. Otherwise the end is left to the handler of the program. SIGTERM also turns readiness to 503, and
//! `OBS_SHUTDOWN_GRACE` delays the end that it brings.
//!
//! A handler that the program installed before obs, and an ignored signal (`nohup`), stay as they are.

use std::io::{self, PipeReader, Read as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::base::ffi::{SignalAction, signal_action};
use crate::base::level::Level;
use crate::checks::health::readiness::STOPPING;
use crate::config::signals::Signals;
use crate::context::current::Context;
use crate::events::event::{Details, Source};
use crate::events::report::ReportKind;
use crate::instrument::command::{cancel_commands, is_any_running, running_operations};
use crate::instrument::error_dedup::registry;
use crate::instrument::errors::message::report_message;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;
use crate::program::signal_handler::{Mode, exit_code, is_handled_by_program, is_mode, replace_mode, set_mode};
use crate::program::{at_exit, queries, signal_handler};

/// Whether the handlers are installed. They stay until the process ends: removing one would leave the signal ignored.
static INSTALLED: Mutex<bool> = Mutex::new(false);

/// Whether a signal is ending the process.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Until it is dropped, the first signal flushes.
#[derive(Debug)]
pub struct Watch(());

/// Installs the handlers, or enables them again.
///
/// # Errors
/// If the system refuses.
pub fn watch() -> io::Result<Watch> {
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*installed {
        install()?;
        *installed = true;
    }
    drop(installed);
    set_mode(Mode::Report);
    Ok(Watch(()))
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The thread of the signal ends the process once it has flushed.
        while ENDING.load(Ordering::SeqCst) {
            thread::park();
        }
        set_mode(Mode::Off);
    }
}

fn install() -> io::Result<()> {
    let mut free = Vec::new();
    for signal in [SIGTERM, SIGINT] {
        match signal_action(signal)? {
            SignalAction::Default => free.push(signal),
            // `signal-hook` calls the handler of the program, and restarts system calls as it did.
            SignalAction::Handler { restarts: true, .. } if signal == SIGTERM => {
                flag::register(SIGTERM, Arc::clone(&STOPPING))?;
            }
            SignalAction::Handler { .. } | SignalAction::Ignored => {}
        }
    }
    let reports = signal_handler::install(&free)?;
    thread::Builder::new().name("obs-signals".to_owned()).spawn(move || handle_all(reports))?;
    Ok(())
}

fn handle_all(mut reports: PipeReader) {
    let mut signal = [0];
    while reports.read_exact(&mut signal).is_ok() {
        handle(signal[0].into());
    }
}

fn handle(signal: i32) {
    if signal == SIGTERM {
        STOPPING.store(true, Ordering::SeqCst);
    }
    if is_handled_by_program(signal) {
        let flushes_only = |pipeline: &dyn Pipeline| pipeline.config().signals == Signals::FlushOnly;
        if global::pipeline().is_some_and(|pipeline| flushes_only(&*pipeline)) {
            return registry::flush(FlushMode::Ongoing(Instant::now()));
        }
        if !is_any_running() {
            return;
        }
    }
    // Fails if obs was shut down since the signal came.
    let mut is_on = replace_mode(Mode::Report, Mode::EndAtOnce);
    let grace = global::pipeline().map(|pipeline| pipeline.config().shutdown_grace).filter(|_| signal == SIGTERM);
    if let Some(grace) = grace.filter(|grace| is_on && !grace.is_zero()) {
        thread::sleep(grace);
        is_on = is_mode(Mode::EndAtOnce);
    }
    if is_on {
        ENDING.store(true, Ordering::SeqCst);
        terminate(signal);
    } else if !is_handled_by_program(signal) {
        signal_handler::end_process(signal);
    }
}

fn terminate(signal: i32) -> ! {
    let begun = Instant::now();
    let name = low_level::signal_name(signal).unwrap_or("a signal");
    let operations = running_operations();
    let cancelled = cancel_commands("signal", name, Some(exit_code(signal)));
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
        report_message(ReportKind::Signal, Level::Warning, message.as_str().into(), source, Details::default());
    }
    global::warn_with_help("ended-by-signal", message);
    queries::end();
    registry::flush(FlushMode::Final(begun));
    at_exit::mark_flushed();
    signal_handler::end_process(signal)
}
