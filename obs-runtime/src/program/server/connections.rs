//! Limits the number of connections: a new one is always accepted, and closes the least recently active one if there are
//! too many. So idle clients cannot lock others out.

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
    /// Incremented at each event, to order activity.
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
    pub fn new(limit: usize) -> Self {
        Self { limit, open: Mutex::default() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection, until the returned value is dropped.
    pub fn add(self: &Arc<Self>) -> ConnectionGuard {
        let mut open = self.open();
        if open.by_number.len() >= self.limit
            && let Some(least_active) =
                open.by_number.iter().min_by_key(|(_, connection)| connection.last_active).map(|(number, _)| *number)
            && let Some(Connection { task: Some(task), .. }) = open.by_number.remove(&least_active)
        {
            task.abort();
        }
        let number = open.tick();
        open.by_number.insert(number, Connection { last_active: number, task: None });
        drop(open);
        ConnectionGuard { number, connections: Arc::clone(self) }
    }

    /// Sets the task that serves a connection.
    pub fn attach(&self, number: u64, task: AbortHandle) {
        if let Some(connection) = self.open().by_number.get_mut(&number) {
            connection.task = Some(task);
        }
    }
}

/// Removes its connection when it is dropped.
#[derive(Debug)]
pub struct ConnectionGuard {
    number: u64,
    connections: Arc<Connections>,
}

impl ConnectionGuard {
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Marks the connection as active now.
    pub fn touch(&self) {
        let mut open = self.connections.open();
        let now = open.tick();
        if let Some(connection) = open.by_number.get_mut(&self.number) {
            connection.last_active = now;
        }
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.connections.open().by_number.remove(&self.number);
    }
}
