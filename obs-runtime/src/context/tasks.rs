//! Tasks and threads that keep the context in which they are spawned.

use std::fmt;
use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::{AbortHandle, Id, JoinError, JoinHandle};

use crate::context::in_context::{ClosureInContext as _, FutureInContext as _};

/// A set of tasks, each in the context in which it was spawned: [`tokio::task::JoinSet`] with the same methods.
///
/// A task of `tokio::task::JoinSet` has no context: its lines and errors have no correlation id, and its calls are no spans of the
/// command. When the set is dropped, all its tasks are aborted.
///
/// ```
/// use obs_runtime::{JoinSet, LogContext, correlation_id};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// let ids = LogContext::new().correlation_id("run-7").in_future(async {
///     let mut tasks = JoinSet::new();
///     for _ in 0..2 {
///         tasks.spawn(async { correlation_id() });
///     }
///     tasks.join_all().await
/// });
/// assert_eq!(runtime.block_on(ids), [Some("run-7".to_owned()), Some("run-7".to_owned())]);
/// ```
pub struct JoinSet<T>(tokio::task::JoinSet<T>);

impl<T> JoinSet<T> {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self(tokio::task::JoinSet::new())
    }

    /// How many tasks are in it, running or ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a task in the current context.
    ///
    /// # Panics
    /// Panics outside of a tokio runtime, as `tokio::task::JoinSet` does.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.0.spawn(task.in_current_context())
    }

    /// Spawns a task in the current context, on another runtime.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, runtime: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.0.spawn_on(task.in_current_context(), runtime)
    }

    /// Runs blocking work in the current context, on a thread for that.
    ///
    /// # Panics
    /// Panics outside of a tokio runtime, as `tokio::task::JoinSet` does.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, work: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.0.spawn_blocking(work.in_current_context())
    }

    /// Waits for the task that ends next. `None` if there are no tasks.
    ///
    /// # Errors
    /// The task has panicked or was aborted.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.0.join_next().await
    }

    /// The same with the id of the task.
    ///
    /// # Errors
    /// The task has panicked or was aborted.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.0.join_next_with_id().await
    }

    /// A task that has ended, if there is one.
    ///
    /// # Errors
    /// The task has panicked or was aborted.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.0.try_join_next()
    }

    /// Waits for all tasks, and returns their values in the order of their ends.
    ///
    /// # Panics
    /// Panics if a task has panicked.
    pub async fn join_all(self) -> Vec<T> {
        self.0.join_all().await
    }

    /// Aborts all tasks.
    pub fn abort_all(&mut self) {
        self.0.abort_all();
    }

    /// Lets all tasks run on without the set.
    pub fn detach_all(&mut self) {
        self.0.detach_all();
    }

    /// Aborts all tasks, and waits until they have ended.
    pub async fn shutdown(&mut self) {
        self.0.shutdown().await;
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

/// Runs blocking work in the current context, on a thread of the current tokio runtime for that.
///
/// # Panics
/// Panics outside of a tokio runtime, as `tokio::task::spawn_blocking` does.
#[track_caller]
pub fn spawn_blocking<F, T>(work: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(work.in_current_context())
}

/// Starts a thread in the current context.
///
/// ```
/// use obs_runtime::{LogContext, correlation_id, spawn_thread};
///
/// let _guard = LogContext::new().correlation_id("run-7").enter();
/// assert_eq!(spawn_thread(correlation_id).join().unwrap().as_deref(), Some("run-7"));
/// ```
///
/// # Panics
/// Panics if the operating system starts no thread, as `std::thread::spawn` does.
pub fn spawn_thread<F, T>(work: F) -> std::thread::JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    std::thread::spawn(work.in_current_context())
}

/// Has a function that takes work, such as `rayon::spawn`, run it in the current context. Costs one allocation. For a thread,
/// [`spawn_thread`] does it.
///
/// ```
/// use obs_runtime::{LogContext, correlation_id, spawn_in_context};
///
/// let _guard = LogContext::new().correlation_id("run-7").enter();
/// let (sender, receiver) = std::sync::mpsc::channel();
/// spawn_in_context(rayon::spawn, move || sender.send(correlation_id()).unwrap());
/// assert_eq!(receiver.recv().unwrap().as_deref(), Some("run-7"));
/// ```
pub fn spawn_in_context<T, R>(
    spawn: impl FnOnce(Box<dyn FnOnce() -> T + Send>) -> R,
    work: impl FnOnce() -> T + Send + 'static,
) -> R
where
    T: 'static,
{
    spawn(Box::new(work.in_current_context()))
}
