//! Tests that must not run at the same time.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test of this process holds the lock. obs is initialised once in a process, so tests that
/// initialise it hold this.
pub fn lock() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}
