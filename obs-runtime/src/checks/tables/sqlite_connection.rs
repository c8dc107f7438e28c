//! A connection of `SQLite` for one use, which is interrupted when its future is dropped.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, InterruptHandle, OpenFlags};
use tokio::sync::oneshot;

use crate::checks::tables::sqlite_functions;

/// What a connection may do.
#[derive(Clone, Copy, Debug)]
pub enum Access {
    Read,
    Write,
}

/// Opens the file and calls `read` on a thread of its own. Dropping the future interrupts the statement.
pub async fn interruptible<R: Send + 'static>(
    file: &Path,
    access: Access,
    read: impl FnOnce(&mut Connection) -> rusqlite::Result<R> + Send + 'static,
) -> rusqlite::Result<R> {
    let (sender, result) = oneshot::channel();
    let guard = InterruptGuard::default();
    let (state, file) = (Arc::clone(&guard.0), file.to_owned());
    let run = move || {
        let read = || {
            let mut connection = open(&file, access)?;
            match &mut *state.lock().unwrap_or_else(PoisonError::into_inner) {
                State::Dropped => return Err(rusqlite::Error::InvalidQuery),
                state => *state = State::Running(connection.get_interrupt_handle()),
            }
            read(&mut connection)
        };
        // Fails when the future was dropped.
        let _ = sender.send(read());
    };
    if let Err(error) = std::thread::Builder::new().name("obs-sqlite".to_owned()).spawn(run) {
        return Err(rusqlite::Error::ToSqlConversionFailure(Box::new(error)));
    }
    // A thread that panics drops the sender.
    result.await.unwrap_or_else(|_| Err(rusqlite::Error::InvalidQuery))
}

#[derive(Default)]
struct InterruptGuard(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    #[default]
    NotStarted,
    Running(InterruptHandle),
    Dropped,
}

impl Drop for InterruptGuard {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), State::Dropped);
        if let State::Running(handle) = state {
            // Does nothing to a connection whose statement has ended.
            handle.interrupt();
        }
    }
}

fn open(file: &Path, access: Access) -> rusqlite::Result<Connection> {
    let flags = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let connection = Connection::open_with_flags(file, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    sqlite_functions::add(&connection)?;
    Ok(connection)
}

/// Quotes an identifier with backticks: `SQLite` takes an unknown name in double quotes for a string literal.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
