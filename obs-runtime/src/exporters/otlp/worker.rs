//! The worker: a bounded queue, and the thread that sends its items in batches.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::events::panics::caught;
use crate::exporters::otlp::rejection::Rejection;
use crate::metrics::drop_counters;

/// The most items in the queue.
pub const CAPACITY: usize = 8192;

/// The most bytes of the items in the queue, and of those in a request. Servers take 4 MiB by default.
const MAX_BYTES: usize = 8 * 1024 * 1024;
const MAX_REQUEST_BYTES: usize = 3_500_000;

/// The most items in a request.
pub const BATCH: usize = 512;

/// How long an item waits for others.
const LINGER: Duration = Duration::from_secs(1);

/// The delay before a request is repeated for the first time. It doubles each time.
const FIRST_DELAY: Duration = Duration::from_millis(100);

/// The longest delay before a request is repeated, unless the server asks for a longer one.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// How long the same items are tried before they are dropped.
const MAX_AGE: Duration = Duration::from_mins(1);

/// How often a flush tries an endpoint that cannot be reached.
const FLUSH_ATTEMPTS: u32 = 3;

/// Why an exporter with a worker drops items.
pub const DROP_REASONS: [&str; 10] = [
    "network",
    "not_otlp",
    "not_sent_at_exit",
    "panic",
    "queue_full",
    "rate_limited",
    "refused",
    "rejected",
    "too_large",
    "unavailable",
];

/// Sends items on its thread.
pub struct Worker<T>(Arc<Shared<T>>);

/// Sends a batch, until the deadline if there is one.
pub type Send<T> = dyn Fn(&[T], Option<Instant>) -> Result<(), Rejection> + std::marker::Send + Sync;

struct Shared<T> {
    /// The name of the exporter.
    name: &'static str,
    send: Box<Send<T>>,
    /// The size of an item in bytes.
    size: fn(&T) -> usize,
    queue: Mutex<Queue<T>>,
    /// Notified when there is something to do.
    wake: Condvar,
    /// Notified when a batch was sent, or not.
    done: Condvar,
}

struct Queue<T> {
    items: VecDeque<T>,
    /// When the oldest item came.
    since: Option<Instant>,
    /// How many items are being sent.
    in_flight: usize,
    /// The bytes of all of them.
    bytes: usize,
    /// Until when a flush waits.
    flush_until: Option<Instant>,
    /// The most items of the next request.
    batch: usize,
    /// The failures since the last success.
    failing: Option<Failing>,
    has_thread: bool,
    closed: bool,
}

#[derive(Clone, Copy)]
struct Failing {
    since: Instant,
    attempts: u32,
    retry_at: Instant,
    /// Whether the server has asked for that time.
    is_asked: bool,
}

impl Failing {
    const fn since(now: Instant) -> Self {
        Self { since: now, attempts: 0, retry_at: now, is_asked: false }
    }
}

impl<T> Queue<T> {
    fn len(&self) -> usize {
        self.items.len() + self.in_flight
    }
}

/// What is left after a flush, and why.
pub struct Left {
    /// The number of items.
    pub items: usize,
    /// Whether sending failed in the meantime, which was reported.
    pub is_reported: bool,
}

impl<T: Clone + std::marker::Send + 'static> Worker<T> {
    /// A worker for the exporter of that name. The first item starts its thread.
    pub fn new(
        name: &'static str,
        size: fn(&T) -> usize,
        send: impl Fn(&[T], Option<Instant>) -> Result<(), Rejection> + std::marker::Send + Sync + 'static,
    ) -> Self {
        let queue = Queue {
            items: VecDeque::new(),
            since: None,
            in_flight: 0,
            bytes: 0,
            flush_until: None,
            batch: BATCH,
            failing: None,
            has_thread: false,
            closed: false,
        };
        let (wake, done) = (Condvar::new(), Condvar::new());
        Self(Arc::new(Shared { name, send: Box::new(send), size, queue: Mutex::new(queue), wake, done }))
    }

    /// Queues items. Drops and counts those that the queue has no room for.
    pub fn send(&self, items: Vec<T>) {
        let mut queue = self.0.queue();
        let mut dropped = 0;
        for item in items {
            let bytes = (self.0.size)(&item);
            if queue.closed || queue.len() >= CAPACITY || queue.bytes + bytes > MAX_BYTES {
                dropped += 1;
                continue;
            }
            queue.bytes += bytes;
            queue.items.push_back(item);
        }
        if dropped > 0 {
            drop_counters::count(self.0.name, "queue_full", dropped);
        }
        if queue.items.is_empty() {
            return;
        }
        let is_first = queue.since.is_none();
        queue.since.get_or_insert_with(Instant::now);
        if !queue.has_thread {
            let shared = Arc::clone(&self.0);
            let thread = thread::Builder::new().name(format!("obs-{}", self.0.name));
            queue.has_thread = thread.spawn(move || shared.run()).is_ok();
        } else if is_first || queue.items.len() >= queue.batch {
            drop(queue);
            self.0.wake.notify_one();
        }
    }

    /// Waits until everything is sent, or until the deadline. Does not wait for an endpoint that refuses connections.
    pub fn flush(&self, deadline: Instant) -> Left {
        let mut queue = self.0.queue();
        let attempts = queue.failing.map_or(0, |failing| failing.attempts);
        queue.flush_until = queue.flush_until.max(Some(deadline));
        // The endpoint may be there again.
        let now = Instant::now();
        if let Some(failing) = queue.failing.as_mut().filter(|failing| !failing.is_asked) {
            failing.retry_at = failing.retry_at.min(clock::deadline(now, FIRST_DELAY));
        }
        self.0.wake.notify_one();
        let mut is_reported = false;
        while queue.len() > 0 && queue.has_thread {
            if let Some(failing) = queue.failing.filter(|failing| failing.attempts != attempts || failing.is_asked) {
                is_reported = true;
                let tried = failing.attempts.saturating_sub(attempts);
                if failing.retry_at >= deadline || tried >= FLUSH_ATTEMPTS {
                    break;
                }
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            queue = self.0.done.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        if queue.len() == 0 {
            // Later items wait for others again.
            queue.flush_until = None;
        }
        Left { items: queue.len(), is_reported }
    }

    /// The number of items that are not sent.
    pub fn queued(&self) -> usize {
        self.0.queue().len()
    }

    /// Stops the thread. Counts what was not sent as dropped.
    pub fn close(&self) {
        let mut queue = self.0.queue();
        queue.closed = true;
        let left = queue.items.len() as u64;
        queue.items.clear();
        queue.bytes = 0;
        drop(queue);
        if left > 0 {
            drop_counters::count(self.0.name, "not_sent_at_exit", left);
        }
        self.0.wake.notify_all();
    }
}

impl<T: Clone> Shared<T> {
    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut queue = self.queue();
        while !queue.closed {
            let now = Instant::now();
            match queue.due(now) {
                Due::Now => {
                    let count = queue.next_count(self.size);
                    let batch: Vec<T> = queue.items.drain(..count).collect();
                    queue.in_flight = batch.len();
                    let deadline = queue.flush_until.filter(|until| *until > now);
                    drop(queue);
                    let result = caught(|| (self.send)(&batch, deadline));
                    queue = self.queue();
                    self.settle(&mut queue, batch, result.ok());
                    self.done.notify_all();
                }
                Due::At(at) => {
                    let rest = at.saturating_duration_since(now);
                    queue = self.wake.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
                }
                Due::Never => queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Puts back what is to be sent again. No result stands for a panic.
    fn settle(&self, queue: &mut Queue<T>, batch: Vec<T>, result: Option<Result<(), Rejection>>) {
        let now = Instant::now();
        let count = batch.len();
        queue.in_flight = 0;
        queue.bytes = queue.bytes.saturating_sub(batch.iter().map(self.size).sum());
        match result {
            None => drop_counters::count(self.name, "panic", count as u64),
            Some(Ok(())) => (queue.failing, queue.batch) = (None, BATCH),
            Some(Err(Rejection::Partial { rejected, .. })) => {
                queue.failing = None;
                drop_counters::count(self.name, "rejected", rejected.min(count as u64));
            }
            Some(Err(Rejection::TooLarge)) if count > 1 && !queue.closed => {
                queue.batch = count / 2;
                queue.put_back(batch, self.size);
            }
            Some(Err(rejection)) => {
                let failing = queue.failing.get_or_insert(Failing::since(now));
                failing.attempts += 1;
                failing.is_asked = rejection.retry_after().is_some();
                let delay = FIRST_DELAY.saturating_mul(1 << failing.attempts.min(16) >> 1).min(MAX_DELAY);
                failing.retry_at = clock::deadline(now, rejection.retry_after().unwrap_or(delay));
                let is_old = now.saturating_duration_since(failing.since) >= MAX_AGE;
                if rejection.is_retryable() && !is_old && !queue.closed {
                    queue.put_back(batch, self.size);
                } else {
                    if is_old {
                        failing.since = now;
                    }
                    drop_counters::count(self.name, rejection.drop_reason(), count as u64);
                }
            }
        }
        queue.since = (!queue.items.is_empty()).then(|| queue.since.unwrap_or(now));
    }
}

enum Due {
    Now,
    At(Instant),
    Never,
}

impl<T> Queue<T> {
    /// When to send next.
    fn due(&self, now: Instant) -> Due {
        let Some(since) = self.since.filter(|_| !self.items.is_empty()) else { return Due::Never };
        let is_flush = self.flush_until.is_some_and(|until| until > now);
        let ready = if is_flush || self.items.len() >= self.batch { now } else { clock::deadline(since, LINGER) };
        let at = self.failing.map_or(ready, |failing| ready.max(failing.retry_at));
        if at <= now { Due::Now } else { Due::At(at) }
    }

    /// The number of items of the next request: at least one.
    fn next_count(&self, size: fn(&T) -> usize) -> usize {
        let sizes = self.items.iter().take(self.batch).scan(0, |sum: &mut usize, item| {
            *sum += size(item);
            Some(*sum)
        });
        sizes.take_while(|sum| *sum <= MAX_REQUEST_BYTES).count().max(1)
    }

    fn put_back(&mut self, batch: Vec<T>, size: fn(&T) -> usize) {
        self.bytes += batch.iter().map(size).sum::<usize>();
        batch.into_iter().rev().for_each(|item| self.items.push_front(item));
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        // Does not wait for the thread, which a server may keep busy.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.0.wake.notify_all();
    }
}
