//! The worker: a bounded queue and the thread that sends its jobs.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use ::sentry::protocol::Event;
use ::sentry::{Client, Envelope};

use crate::events::event_id::EventId;
use crate::events::event_status::{self, EventStatus};
use crate::events::panics::caught;
use crate::metrics::drop_counters;

/// The most jobs in the queue.
const CAPACITY: usize = 200;

/// Something to send.
pub enum Job {
    /// Creates the event of that id.
    Event(EventId, Box<dyn FnOnce() -> Option<Event<'static>> + Send>),
    /// Any other envelope.
    Envelope(Box<Envelope>),
}

impl Job {
    /// A job for the event of that id, which `make` creates on the worker's thread.
    pub fn event(id: EventId, make: impl FnOnce() -> Option<Event<'static>> + Send + 'static) -> Self {
        Self::Event(id, Box::new(make))
    }

    /// A job for an envelope with one item.
    pub fn item(item: impl Into<::sentry::protocol::EnvelopeItem>) -> Self {
        let mut envelope = Envelope::new();
        envelope.add_item(item);
        Self::Envelope(Box::new(envelope))
    }
}

/// Sends jobs on its thread.
pub struct Worker(Arc<Shared>);

struct Shared {
    client: Client,
    queue: Mutex<Queue>,
    /// Notified when a job is queued, and on close.
    job_queued: Condvar,
    /// Notified when a job is done.
    job_done: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    thread: ThreadState,
    closed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ThreadState {
    /// Not started.
    #[default]
    Absent,
    /// Waits to be woken.
    Idle,
    /// Checks the queue next.
    Awake,
    /// Sends a job.
    Busy,
}

impl Queue {
    fn len(&self) -> usize {
        self.jobs.len() + usize::from(self.thread == ThreadState::Busy)
    }
}

impl Worker {
    /// A worker for that client. The first job starts its thread.
    pub fn new(client: Client) -> Self {
        let (job_queued, job_done) = (Condvar::new(), Condvar::new());
        Self(Arc::new(Shared { client, queue: Mutex::default(), job_queued, job_done }))
    }

    /// Queues a job. Drops and counts it if the queue is full.
    pub fn send(&self, job: Job) {
        let event = if let Job::Event(id, _) = &job { Some(*id) } else { None };
        let mut queue = self.0.queue();
        if queue.jobs.len() >= CAPACITY {
            drop(queue);
            drop_counters::count("sentry", "queue_full", 1);
            if let Some(id) = event {
                event_status::set(id, EventStatus::NotSent("the queue of events to Sentry is full".into()));
            }
            return;
        }
        if let Some(id) = event {
            event_status::set(id, EventStatus::Queued);
        }
        queue.jobs.push_back(job);
        match queue.thread {
            ThreadState::Absent => {
                let shared = Arc::clone(&self.0);
                let thread = thread::Builder::new().name("obs-sentry".to_owned());
                if thread.spawn(move || shared.run()).is_ok() {
                    queue.thread = ThreadState::Awake;
                }
            }
            ThreadState::Idle => {
                queue.thread = ThreadState::Awake;
                drop(queue);
                self.0.job_queued.notify_one();
            }
            // Does not notify needlessly: that takes longer than everything else here.
            ThreadState::Awake | ThreadState::Busy => {}
        }
    }

    /// Waits until all jobs are done, or until the deadline. Returns the number of jobs that are left.
    pub fn flush(&self, deadline: Instant) -> usize {
        let mut queue = self.0.queue();
        while queue.len() > 0 {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            queue = self.0.job_done.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        queue.len()
    }

    /// The number of jobs that are not done.
    pub fn queued(&self) -> usize {
        self.0.queue().len()
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut queue = self.queue();
        loop {
            match queue.jobs.pop_front() {
                Some(job) => {
                    queue.thread = ThreadState::Busy;
                    drop(queue);
                    let event = if let Job::Event(id, _) = &job { Some(*id) } else { None };
                    // `before_send` is the user's code.
                    if caught(|| self.send(job)).is_err() {
                        drop_counters::count("sentry", "panic", 1);
                        if let Some(id) = event {
                            event_status::set(id, EventStatus::NotSent("sending the event panicked".into()));
                        }
                    }
                    queue = self.queue();
                    queue.thread = ThreadState::Awake;
                    self.job_done.notify_all();
                }
                None if queue.closed => return,
                None => {
                    queue.thread = ThreadState::Idle;
                    queue = self.job_queued.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn send(&self, job: Job) {
        match job {
            Job::Event(id, make) => {
                if make().is_some_and(|event| self.client.capture_event(event, None).is_nil()) {
                    drop_counters::count("sentry", "before_send", 1);
                    event_status::set(id, EventStatus::NotSent("before_send dropped the event".into()));
                }
            }
            Job::Envelope(envelope) => self.client.send_envelope(*envelope),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Flushed before. Does not wait for the thread, which a server may keep busy.
        self.0.queue().closed = true;
        self.0.job_queued.notify_all();
    }
}
