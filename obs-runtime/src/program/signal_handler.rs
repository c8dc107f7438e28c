//! The handler of SIGTERM and SIGINT. It runs inside a signal: all that it calls is async-signal-safe.

use std::ffi::c_int;
use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use signal_hook::low_level;

use crate::base::ffi::{SignalAction, handle_signal, signal_action};

/// What the handler does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Obs is not initialised: the default action, unless the program has a handler too.
    Off,
    /// Reports the signal to the thread of obs.
    Report,
    /// The default action.
    EndAtOnce,
}

static MODE: AtomicU8 = AtomicU8::new(Mode::Off as u8);

static REPORTS: OnceLock<Reports> = OnceLock::new();

struct Reports {
    pipe: PipeWriter,
    /// A process that this one forks has the same pipe.
    process: u32,
}

/// Changes the mode.
pub fn set_mode(mode: Mode) {
    MODE.store(mode as u8, Ordering::SeqCst);
}

/// Whether it is the mode.
pub fn is_mode(mode: Mode) -> bool {
    MODE.load(Ordering::SeqCst) == mode as u8
}

/// Changes the mode if it is `from`. Returns whether it was.
pub fn replace_mode(from: Mode, to: Mode) -> bool {
    MODE.compare_exchange(from as u8, to as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok()
}

/// Makes the signals run the handler. Each one that it reports is a byte to read. To be called once.
///
/// # Errors
/// If the system refuses.
pub fn install(signals: &[c_int]) -> io::Result<PipeReader> {
    let (reader, pipe) = io::pipe()?;
    // A handler must not wait.
    rustix::io::ioctl_fionbio(&pipe, true)?;
    REPORTS.get_or_init(|| Reports { pipe, process: std::process::id() });
    for signal in signals {
        handle_signal(*signal, handle)?;
    }
    Ok(reader)
}

/// Whether the program handles the signal too. Its handler was installed after that of obs.
pub fn is_handled_by_program(signal: c_int) -> bool {
    let ours = handle as extern "C" fn(c_int) as usize;
    !matches!(signal_action(signal), Ok(SignalAction::Handler { address, .. }) if address == ours)
}

extern "C" fn handle(signal: c_int) {
    let mode = MODE.load(Ordering::SeqCst);
    let reports = REPORTS.get().filter(|reports| reports.process == std::process::id());
    match reports {
        Some(_) if mode == Mode::EndAtOnce as u8 => end_process(signal),
        Some(reports) if mode == Mode::Report as u8 => {
            // Fails only if thousands of signals were not read yet.
            let _ = (&reports.pipe).write(&signal.to_le_bytes()[..1]);
        }
        _ if is_handled_by_program(signal) => {}
        _ => end_process(signal),
    }
}

/// The exit code that a shell gives to a process that a signal has ended.
pub fn exit_code(signal: c_int) -> u8 {
    u8::try_from(signal).map_or(u8::MAX, |signal| signal.saturating_add(128))
}

/// Ends the process by the default action of the signal.
pub fn end_process(signal: c_int) -> ! {
    // The kernel does not end process 1 of a container by a default action.
    if std::process::id() != 1 {
        let _ = low_level::emulate_default_handler(signal);
    }
    low_level::exit(exit_code(signal).into())
}
