//! Identity of the code that runs sequentially.

use std::thread::{self, ThreadId};

/// A tokio task, or a thread outside of any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskId {
    /// A tokio task.
    Task(tokio::task::Id),
    /// A thread.
    Thread(ThreadId),
}

impl TaskId {
    /// The task that runs here.
    #[must_use]
    pub fn current() -> Self {
        tokio::task::try_id().map_or_else(|| Self::Thread(thread::current().id()), Self::Task)
    }
}
