//! A bounded queue and the thread that empties it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use ::sentry::protocol::Event;
use ::sentry::{Client, Envelope};

#[cfg(target_os = "linux")]
use crate::base::ffi;
use crate::events::panics::caught;
use crate::metrics::drop_counters;

/// Most that waits to be sent.
const MOST: usize = 200;

/// Something to be sent.
pub enum Job {
    /// An event, still to be made.
    Event(Box<dyn FnOnce() -> Option<Event<'static>> + Send>),
    /// Anything else.
    Envelope(Box<Envelope>),
}

impl Job {
    /// An event that is made where it is sent.
    pub fn event(make: impl FnOnce() -> Option<Event<'static>> + Send + 'static) -> Self {
        Self::Event(Box::new(make))
    }

    /// An envelope of one item.
    pub fn item(item: impl Into<::sentry::protocol::EnvelopeItem>) -> Self {
        let mut envelope = Envelope::new();
        envelope.add_item(item);
        Self::Envelope(Box::new(envelope))
    }
}

/// The queue and its thread.
pub struct Worker(Arc<Shared>);

struct Shared {
    client: Client,
    queue: Mutex<Queue>,
    /// Something was put into the queue, or it is to end.
    filled: Condvar,
    /// Something was sent.
    emptied: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    thread: Sender,
    closed: bool,
}

/// What the thread that sends does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sender {
    /// Nothing: it is not there.
    #[default]
    Absent,
    /// It waits to be woken.
    Idle,
    /// It looks into the queue next.
    Awake,
    /// It sends one.
    Busy,
}

impl Queue {
    fn len(&self) -> usize {
        self.jobs.len() + usize::from(self.thread == Sender::Busy)
    }
}

impl Worker {
    /// A queue for that client. Its thread starts with the first thing to be sent.
    pub fn new(client: Client) -> Self {
        let (filled, emptied) = (Condvar::new(), Condvar::new());
        Self(Arc::new(Shared { client, queue: Mutex::default(), filled, emptied }))
    }

    /// Puts something into the queue; drops and counts it when that is full.
    pub fn send(&self, job: Job) {
        let mut queue = self.0.queue();
        if queue.jobs.len() >= MOST {
            drop(queue);
            drop_counters::count("sentry", "queue_full", 1);
            return;
        }
        queue.jobs.push_back(job);
        match queue.thread {
            Sender::Absent => {
                let shared = Arc::clone(&self.0);
                let thread = thread::Builder::new().name("obs-sentry".to_owned());
                if thread.spawn(move || shared.run()).is_ok() {
                    queue.thread = Sender::Awake;
                }
            }
            Sender::Idle => {
                queue.thread = Sender::Awake;
                drop(queue);
                self.0.filled.notify_one();
            }
            // Waking it takes longer than all else here.
            Sender::Awake | Sender::Busy => {}
        }
    }

    /// Waits until all is sent, or the deadline is over; how much is left.
    pub fn flush(&self, deadline: Instant) -> usize {
        let mut queue = self.0.queue();
        while queue.len() > 0 {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            queue = self.0.emptied.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        queue.len()
    }

    /// How much waits.
    pub fn queued(&self) -> usize {
        self.0.queue().len()
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        // Whoever fails wakes it, and has other things to do than to wait for it.
        #[cfg(target_os = "linux")]
        ffi::stand_back();
        let mut queue = self.queue();
        loop {
            match queue.jobs.pop_front() {
                Some(job) => {
                    queue.thread = Sender::Busy;
                    drop(queue);
                    // `before_send` is code of the user's.
                    if caught(|| self.send(job)).is_err() {
                        drop_counters::count("sentry", "panic", 1);
                    }
                    queue = self.queue();
                    queue.thread = Sender::Awake;
                    self.emptied.notify_all();
                }
                None if queue.closed => return,
                None => {
                    queue.thread = Sender::Idle;
                    queue = self.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn send(&self, job: Job) {
        match job {
            Job::Event(make) => {
                if make().is_some_and(|event| self.client.capture_event(event, None).is_nil()) {
                    drop_counters::count("sentry", "before_send", 1);
                }
            }
            Job::Envelope(envelope) => self.client.send_envelope(*envelope),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Whoever drops it has flushed it. The thread is not waited for: a server may keep it.
        self.0.queue().closed = true;
        self.0.filled.notify_all();
    }
}
