//! Limits the number of connections. Where there are too many, a new one closes the idle one that was served first, or the
//! first one that has sent no request in time; so idle clients cannot lock others out. One whose request is being answered
//! is not closed: the new one waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// The open connections.
#[derive(Debug)]
pub struct Connections {
    limit: usize,
    /// How long a connection may take for its first request when others wait.
    patience: Duration,
    open: Mutex<Open>,
    /// Notified when a connection is closed or idle.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    /// Incremented at each event, to order activity.
    clock: u64,
    by_number: HashMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    activity: Activity,
    task: Option<AbortHandle>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Activity {
    /// All its requests were answered, the last one at this event.
    Idle(u64),
    /// It has sent no request since it was opened.
    Fresh(Instant),
    /// A request is being answered.
    Busy,
}

impl Open {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl Connections {
    pub fn new(limit: usize, patience: Duration) -> Self {
        Self { limit, patience, open: Mutex::default(), freed: Notify::new() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection, once there is room for it, until the returned value is dropped.
    pub async fn add(self: &Arc<Self>) -> ConnectionGuard {
        while !self.make_room() {
            // The time is over when a fresh connection has become too old.
            let _ = timeout(self.patience / 4, self.freed.notified()).await;
        }
        let mut open = self.open();
        let number = open.tick();
        open.by_number.insert(number, Connection { activity: Activity::Fresh(Instant::now()), task: None });
        drop(open);
        ConnectionGuard { number, connections: Arc::clone(self) }
    }

    /// Whether there is room for another connection. Closes one if need be.
    fn make_room(&self) -> bool {
        let mut open = self.open();
        if open.by_number.len() < self.limit {
            return true;
        }
        let may_close = |connection: &Connection| match connection.activity {
            Activity::Idle(_) => true,
            Activity::Fresh(since) => since.elapsed() >= self.patience,
            Activity::Busy => false,
        };
        let candidates = open.by_number.iter().filter(|(_, connection)| may_close(connection));
        let first = candidates.min_by_key(|(_, connection)| connection.activity).map(|(number, _)| *number);
        let Some(Connection { task: Some(task), .. }) = first.and_then(|number| open.by_number.remove(&number)) else {
            return false;
        };
        task.abort();
        true
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

    /// Marks the connection as busy until the returned value is dropped.
    pub fn begin_request(&self) -> BusyGuard {
        if let Some(connection) = self.connections.open().by_number.get_mut(&self.number) {
            connection.activity = Activity::Busy;
        }
        BusyGuard { number: self.number, connections: Arc::clone(&self.connections) }
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.connections.open().by_number.remove(&self.number);
        self.connections.freed.notify_one();
    }
}

/// Marks its connection as idle when it is dropped.
#[derive(Debug)]
pub struct BusyGuard {
    number: u64,
    connections: Arc<Connections>,
}

impl Drop for BusyGuard {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        let now = open.tick();
        if let Some(connection) = open.by_number.get_mut(&self.number) {
            connection.activity = Activity::Idle(now);
        }
        drop(open);
        self.connections.freed.notify_one();
    }
}
