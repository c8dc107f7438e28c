//! The threads that send what is queued. An envelope can have one event only, so up to [`MAX_THREADS`] requests run at once.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use ::sentry::protocol::Event;
use ::sentry::{Client, Envelope, Hub, Transport, TransportFactory, TransportOptions};

use crate::base::clock;
use crate::events::event_status::{self, EventStatus};
use crate::events::panics::caught;
use crate::exporters::sentry::foreign_events::own;
use crate::exporters::sentry::options;
use crate::exporters::sentry::queue::{Job, Queue, Work};
use crate::exporters::sentry::transport::{Http, OnDelivery};
use crate::metrics::drop_counters;

/// The most requests at once.
const MAX_THREADS: usize = 8;

/// The timeout of sending one envelope.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// What is left of a flush for the report of losses, besides the time that the server takes to answer.
const MIN_RESERVE: Duration = Duration::from_millis(50);

thread_local! {
    /// Until when what the client sends on this thread is sent; `None` where it is queued.
    static SENDS_UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Sends jobs on threads of its own.
pub struct Worker {
    client: Arc<Client>,
    shared: Arc<Shared>,
}

/// Creates the transport of a client, which sends what a worker's threads give to the client, and queues everything else.
pub struct Factory {
    /// Gets the result of each envelope.
    pub on_delivery: OnDelivery,
    shared: Arc<Shared>,
}

impl Factory {
    /// A factory for the client of one worker.
    pub fn new(on_delivery: OnDelivery) -> Self {
        Self { on_delivery, shared: Arc::default() }
    }
}

impl TransportFactory for Factory {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let _ = self.shared.http.set(Http::new(&options, Arc::clone(&self.on_delivery)));
        Arc::new(Queueing(Arc::clone(&self.shared)))
    }
}

struct Queueing(Arc<Shared>);

impl Transport for Queueing {
    fn send_envelope(&self, envelope: Envelope) {
        match (SENDS_UNTIL.get(), self.0.http.get()) {
            (Some(deadline), Some(http)) if envelope.items().next().is_some() => http.send(envelope, deadline),
            (Some(_), _) => {}
            (None, _) => self.0.send(Job::Envelope(Box::new(envelope))),
        }
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.0.wait(clock::deadline(Instant::now(), timeout), |queue| queue.len() == 0) == 0
    }
}

#[derive(Default)]
struct Shared {
    http: OnceLock<Http>,
    /// The client keeps its transport alive, and that keeps this.
    client: OnceLock<Weak<Client>>,
    queue: Mutex<Queue>,
    /// Notified when a thread is woken, and on close.
    woken: Condvar,
    /// Notified when a job is done.
    job_done: Condvar,
}

impl Worker {
    /// A worker, with the client that `make` creates with the transport of the factory. The first job starts its first thread.
    pub fn new(factory: Factory, make: impl FnOnce(Factory) -> Client) -> Self {
        let shared = Arc::clone(&factory.shared);
        let client = Arc::new(make(factory));
        let _ = shared.client.set(Arc::downgrade(&client));
        Self { client, shared }
    }

    /// Binds the client to sentry's main hub and to that of this thread, if they have none.
    pub fn bind_to_hub(&self) {
        for hub in [Hub::main(), Hub::current()] {
            if hub.client().is_none() {
                hub.bind_client(Some(Arc::clone(&self.client)));
            }
        }
    }

    /// Undoes [`bind_to_hub`](Self::bind_to_hub).
    pub fn unbind_from_hub(&self) {
        for hub in [Hub::main(), Hub::current()] {
            if hub.client().is_some_and(|client| Arc::ptr_eq(&client, &self.client)) {
                hub.bind_client(None);
            }
        }
    }

    /// Queues a job. If the queue is full, an event that has ended no command is dropped and counted.
    pub fn send(&self, job: Job) {
        self.shared.send(job);
    }

    /// Waits until all jobs are done, or until shortly before the deadline, so that there is time to report what is left out.
    /// Returns the number of jobs that are left.
    pub fn flush(&self, deadline: Instant) -> usize {
        self.shared.wait_with_reserve(deadline)
    }

    /// The same for the last time: what cannot be sent until the deadline is dropped, counted, and reported to the server.
    pub fn flush_last(&self, deadline: Instant) -> usize {
        let left = self.flush(deadline);
        self.drop_queued();
        if self.shared.http.get().is_some_and(|http| !http.rejects()) {
            self.report_losses(deadline);
        }
        left
    }

    /// Drops and counts what is queued. If the server has answered, waits for what is being sent, and reports all losses.
    pub fn give_up(&self, deadline: Instant) {
        self.drop_queued();
        if self.is_slow() {
            self.report_losses(deadline);
        }
    }

    fn drop_queued(&self) {
        let left = self.shared.queue().clear();
        for job in left {
            self.shared.drop_job(job, "late", "it could not be sent in time");
        }
        self.shared.job_done.notify_all();
    }

    fn report_losses(&self, deadline: Instant) {
        let now = Instant::now();
        let latency = self.shared.http.get().map(Http::latency).unwrap_or_default();
        let for_report = latency.min(deadline.saturating_duration_since(now) / 2);
        let until = deadline.checked_sub(for_report).unwrap_or(now);
        if self.shared.wait(until, |queue| queue.sending == 0) == 0 {
            sends_until(deadline, || self.client.send_envelope(Envelope::new()));
        }
    }

    /// Whether the server has accepted the last envelope, so that it is slow rather than dead if jobs are left.
    pub fn is_slow(&self) -> bool {
        self.shared.http.get().is_some_and(Http::accepts)
    }

    /// The number of jobs that are not done.
    pub fn queued(&self) -> usize {
        self.shared.queue().len()
    }
}

/// Has what the client sends on this thread be sent until then.
fn sends_until<R>(deadline: Instant, run: impl FnOnce() -> R) -> R {
    let before = SENDS_UNTIL.replace(Some(deadline));
    let result = run();
    SENDS_UNTIL.set(before);
    result
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(self: &Arc<Self>, job: Job) {
        if let Job::Event { id, .. } = &job {
            event_status::set(*id, EventStatus::Queued);
        }
        let mut queue = self.queue();
        let dropped = queue.add(job);
        // A thread that is woken looks whether there is more to do. Does not notify needlessly: that takes longer than
        // everything else here.
        if queue.threads == 0 || queue.idle > 0 && queue.woken == 0 {
            self.add_thread(queue);
        } else {
            drop(queue);
        }
        if let Some(job) = dropped {
            self.drop_job(job, "queue_full", "the queue of events to Sentry is full");
        }
    }

    /// Wakes a thread, or starts one.
    fn add_thread(self: &Arc<Self>, mut queue: MutexGuard<'_, Queue>) {
        if queue.idle > 0 {
            queue.idle -= 1;
            queue.woken += 1;
            drop(queue);
            self.woken.notify_one();
        } else if queue.threads < MAX_THREADS {
            queue.threads += 1;
            drop(queue);
            let shared = Arc::clone(self);
            let thread = thread::Builder::new().name("obs-sentry".to_owned());
            if thread.spawn(move || shared.run()).is_err() {
                self.queue().threads -= 1;
            }
        }
    }

    fn run(self: &Arc<Self>) {
        let mut queue = self.queue();
        loop {
            if let Some(work) = queue.take() {
                if queue.has_work() {
                    self.add_thread(queue);
                } else {
                    drop(queue);
                }
                let runs = matches!(work, Work::Runs(_));
                self.work(work);
                queue = self.queue();
                queue.sending -= 1;
                queue.sends_runs &= !runs;
                self.job_done.notify_all();
            } else if queue.closed {
                queue.threads -= 1;
                return;
            } else {
                queue.idle += 1;
                while queue.woken == 0 && !queue.closed {
                    queue = self.woken.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
                queue.woken = queue.woken.saturating_sub(1);
            }
        }
    }

    fn work(&self, work: Work) {
        let Some(client) = self.client.get().and_then(Weak::upgrade) else { return };
        let event = if let Work::Job(Job::Event { id, .. }) = &work { Some(*id) } else { None };
        // `before_send` is the user's code.
        if caught(|| send(&client, work)).is_err() {
            SENDS_UNTIL.set(None);
            drop_counters::count("sentry", "panic", 1);
            if let Some(id) = event {
                event_status::set(id, EventStatus::NotSent("sending the event panicked".into()));
            }
        }
    }

    /// Drops and counts a job.
    fn drop_job(&self, job: Job, reason: &'static str, words: &'static str) {
        let Some(http) = self.http.get() else { return };
        match job {
            Job::Run(item) => http.lose(&item, reason),
            Job::Event { id, .. } => {
                http.lose(&Event::default().into(), reason);
                event_status::set(id, EventStatus::NotSent(words.into()));
            }
            Job::Envelope(envelope) => envelope.items().for_each(|item| http.lose(item, reason)),
        }
    }

    /// Waits until that is true, or until the deadline. Returns the number of jobs that are left, if it is not true.
    fn wait(&self, deadline: Instant, is_done: impl Fn(&Queue) -> bool) -> usize {
        let mut queue = self.queue();
        while !is_done(&queue) {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return queue.len().max(1);
            }
            queue = self.job_done.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
        0
    }

    fn wait_with_reserve(&self, deadline: Instant) -> usize {
        let time = deadline.saturating_duration_since(Instant::now());
        let mut queue = self.queue();
        loop {
            if queue.len() == 0 {
                return 0;
            }
            // What is being sent, and then the report, take as long as the last request.
            let latency = self.http.get().map(Http::latency).unwrap_or_default();
            let reserve = latency.saturating_mul(2).saturating_add(MIN_RESERVE).min(time / 4);
            let rest = deadline.saturating_duration_since(Instant::now()).saturating_sub(reserve);
            if rest.is_zero() {
                return queue.len();
            }
            queue = self.job_done.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn send(client: &Client, work: Work) {
    // The names of functions may take long to look up, which is not the server's time.
    let post = |envelope| sends_until(clock::deadline(Instant::now(), SEND_TIMEOUT), || client.send_envelope(envelope));
    match work {
        Work::Runs(items) => {
            let mut envelope = Envelope::new();
            for item in items {
                envelope.add_item(item);
            }
            post(envelope);
        }
        Work::Job(Job::Event { id, make, .. }) => {
            let Some(event) = make() else { return };
            let deadline = clock::deadline(Instant::now(), SEND_TIMEOUT);
            if own(|| sends_until(deadline, || client.capture_event(event, None))).is_nil() {
                let (reason, words) = options::why_dropped();
                drop_counters::count("sentry", reason, 1);
                event_status::set(id, EventStatus::NotSent(words.into()));
            }
        }
        Work::Job(Job::Envelope(envelope)) => post(*envelope),
        Work::Job(Job::Run(item)) => {
            let mut envelope = Envelope::new();
            envelope.add_item(item);
            post(envelope);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Flushed before. Does not wait for the threads, which a server may keep busy.
        self.shared.queue().closed = true;
        self.shared.woken.notify_all();
    }
}
