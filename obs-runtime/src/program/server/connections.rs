//! How many connections there are at a time: a new one is always let in, and when there are too many the one that did
//! nothing for the longest time has to leave. So clients that only sit there keep nobody out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

/// The open connections.
#[derive(Debug)]
pub struct Connections {
    limit: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    /// Counts what happens.
    clock: u64,
    by_number: HashMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    last_active: u64,
    task: Option<AbortHandle>,
}

impl Open {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl Connections {
    /// Room for so many.
    pub fn new(limit: usize) -> Self {
        Self { limit, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection, until it is dropped.
    pub fn enter(self: &Arc<Self>) -> Place {
        let mut open = self.open();
        if open.by_number.len() >= self.limit
            && let Some(idlest) =
                open.by_number.iter().min_by_key(|(_, connection)| connection.last_active).map(|(number, _)| *number)
            && let Some(Connection { task: Some(task), .. }) = open.by_number.remove(&idlest)
        {
            task.abort();
        }
        let number = open.tick();
        open.by_number.insert(number, Connection { last_active: number, task: None });
        drop(open);
        Place { number, connections: Arc::clone(self) }
    }

    /// Says which task serves a connection.
    pub fn attach(&self, number: u64, task: AbortHandle) {
        if let Some(connection) = self.open().by_number.get_mut(&number) {
            connection.task = Some(task);
        }
    }
}

/// A connection's place.
#[derive(Debug)]
pub struct Place {
    number: u64,
    connections: Arc<Connections>,
}

impl Place {
    /// By which it is known.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Its client asked something and is answered.
    pub fn was_active(&self) {
        let mut open = self.connections.open();
        let now = open.tick();
        if let Some(connection) = open.by_number.get_mut(&self.number) {
            connection.last_active = now;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().by_number.remove(&self.number);
    }
}
