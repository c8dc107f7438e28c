//! One initialisation or shutdown at a time.
//!
//! Exporters switch process-wide state on when they are made and off when they are closed. Without this, an initialisation that
//! comes second would switch off what the first one uses.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

static CHANGING: Mutex<()> = Mutex::new(());

/// Begins an initialisation. Returns `None` while another one or a shutdown is in progress. It does not wait, because an
/// initialisation calls code of the program, such as [`Sink::name`](crate::sink::Sink::name), which may initialise too.
pub fn try_initialise() -> Option<MutexGuard<'static, ()>> {
    match CHANGING.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Begins a shutdown. Waits for an initialisation in progress, which ends at once, because obs is initialised.
pub fn shut_down() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}
