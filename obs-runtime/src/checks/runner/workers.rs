//! The threads that calls of checks run on. One that has ended its call waits a moment for the next, so that a run of many short
//! checks does not start a thread and a runtime for each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;

/// How long a thread waits for its next call.
const IDLE: Duration = Duration::from_millis(100);

/// A call. It returns whether the thread can be used for another.
pub type Work = Box<dyn FnOnce(&mut OwnRuntime) -> bool + Send>;

/// A thread that waits for a call.
struct Worker {
    id: u64,
    sender: Sender<Work>,
}

fn idle() -> MutexGuard<'static, Vec<Worker>> {
    static IDLE_WORKERS: Mutex<Vec<Worker>> = Mutex::new(Vec::new());
    IDLE_WORKERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the work on a thread that nothing else runs on.
///
/// # Errors
/// If no thread can be started.
pub fn run(mut work: Work) -> std::io::Result<()> {
    let mut workers = idle();
    while let Some(worker) = workers.pop() {
        // A worker takes itself off the list under its lock before it stops to receive.
        match worker.sender.send(work) {
            Ok(()) => return Ok(()),
            Err(returned) => work = returned.0,
        }
    }
    drop(workers);
    std::thread::Builder::new().name("obs-check".to_owned()).spawn(move || serve(work)).map(drop)
}

fn serve(first: Work) {
    static NEXT_ID: AtomicU64 = AtomicU64::new(0);
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let (sender, receiver) = mpsc::channel();
    let mut runtime = OwnRuntime::default();
    let mut next = Some(first);
    while let Some(work) = next.take() {
        if !work(&mut runtime) {
            return;
        }
        idle().push(Worker { id, sender: sender.clone() });
        next = receiver.recv_timeout(IDLE).ok().or_else(|| {
            idle().retain(|worker| worker.id != id);
            receiver.try_recv().ok()
        });
    }
}

/// The runtime of a thread, once a call has needed it. Its drop does not wait for blocking tasks that a check has spawned.
#[derive(Default)]
pub struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    /// The runtime.
    ///
    /// # Errors
    /// If none can be started.
    pub fn get(&mut self) -> std::io::Result<&Runtime> {
        if self.0.is_none() {
            self.0 = Some(tokio::runtime::Builder::new_current_thread().enable_all().build()?);
        }
        self.0.as_ref().ok_or_else(|| std::io::Error::other("it has ended"))
    }

    /// Ends the runtime if a call has left tasks in it.
    pub fn clean(&mut self) {
        if self.0.as_ref().is_some_and(|runtime| runtime.metrics().num_alive_tasks() > 0) {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    use super::*;

    /// The thread of a call that ends like this.
    fn thread_of(is_reusable: bool) -> ThreadId {
        let (sender, receiver) = mpsc::channel();
        let work = move |_: &mut OwnRuntime| {
            sender.send(thread::current().id()).unwrap();
            is_reusable
        };
        run(Box::new(work)).unwrap();
        receiver.recv_timeout(Duration::from_mins(1)).unwrap()
    }

    #[test]
    fn a_thread_whose_call_was_not_clean_is_not_used_again() {
        let unclean: Vec<ThreadId> = (0..20).map(|_| thread_of(false)).collect();
        assert!((0..20).all(|_| !unclean.contains(&thread_of(true))));
    }

    #[test]
    fn all_work_is_done_while_threads_come_and_go() {
        let (sender, receiver) = mpsc::channel();
        for number in 0..2000 {
            let sender = sender.clone();
            run(Box::new(move |_| sender.send(number).is_ok())).unwrap();
        }
        drop(sender);
        let mut done: Vec<i32> = receiver.iter().collect();
        done.sort_unstable();
        assert_eq!(done, (0..2000).collect::<Vec<_>>());
    }

    #[test]
    fn tasks_that_a_call_leaves_end_with_it() {
        let mut runtime = OwnRuntime::default();
        let (sender, receiver) = mpsc::channel::<()>();
        runtime.get().unwrap().spawn(async move {
            std::future::pending::<()>().await;
            drop(sender);
        });
        runtime.clean();
        assert!(receiver.recv_timeout(Duration::from_mins(1)).is_err());
        assert!(runtime.0.is_none());
    }
}
