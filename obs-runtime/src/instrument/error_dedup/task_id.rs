//! Where code runs one after the other.

use std::thread::{self, ThreadId};

/// A task, or a thread where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lineage {
    Task(tokio::task::Id),
    Thread(ThreadId),
}

impl Lineage {
    /// That of the code that asks.
    pub fn here() -> Self {
        tokio::task::try_id().map_or_else(|| Self::Thread(thread::current().id()), Self::Task)
    }
}
