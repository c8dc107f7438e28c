//! The threads that send what is queued. An envelope can have one event only, so up to [`MAX_THREADS`] requests run at once.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use ::sentry::protocol::{EnvelopeItem, Event};
use ::sentry::{Client, Envelope, Hub, Scope, Transport, TransportFactory, TransportOptions};

use crate::base::clock;
use crate::events::event_status::{self, EventStatus};
use crate::events::panics::caught;
use crate::exporters::sentry::check_ins;
use crate::exporters::sentry::connection::ConnectionOptions;
use crate::exporters::sentry::foreign_events::own;
use crate::exporters::sentry::options;
use crate::exporters::sentry::queue::{Job, Prepared, Queue, Work};
use crate::exporters::sentry::route::{self, Route, routed};
use crate::exporters::sentry::spool::{Spool, Spooled};
use crate::exporters::sentry::transport::{Http, LATE, OnDelivery, TOO_LATE};
use crate::metrics::drop_counters;

/// The most requests at once.
const MAX_THREADS: usize = 8;

/// The timeout of sending one envelope.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// What is left of a flush for the report of losses, besides the time that the server takes to answer.
const MIN_RESERVE: Duration = Duration::from_millis(50);

/// The same if what is left out is kept for the next run.
const MIN_RESERVE_TO_KEEP: Duration = Duration::from_millis(200);

/// Sends jobs on threads of its own.
pub struct Worker {
    client: Arc<Client>,
    shared: Arc<Shared>,
}

/// Creates the transport of a client, which sends what a worker's threads give to the client, and queues everything else.
pub struct Factory {
    /// Gets the result of each envelope.
    pub on_delivery: OnDelivery,
    connection: ConnectionOptions,
    spool: Option<Spool>,
    shared: Arc<Shared>,
}

impl Factory {
    /// A factory for the client of one worker, which keeps what it cannot send in the spool, if there is one.
    pub fn new(on_delivery: OnDelivery, connection: ConnectionOptions, spool: Option<Spool>) -> Self {
        Self { on_delivery, connection, spool, shared: Arc::default() }
    }
}

impl TransportFactory for Factory {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let _ = self.shared.http.set(Http::new(
            &options,
            self.connection.clone(),
            Arc::clone(&self.on_delivery),
            self.spool.clone(),
        ));
        Arc::new(Queueing(Arc::clone(&self.shared)))
    }
}

struct Queueing(Arc<Shared>);

impl Transport for Queueing {
    fn send_envelope(&self, envelope: Envelope) {
        match (route::current(), self.0.http.get()) {
            (Route::Queue, _) => self.0.send(Job::Envelope(Box::new(envelope))),
            (_, Some(_)) if envelope.items().next().is_none() => {}
            (Route::SendUntil(deadline), Some(http)) => http.send(envelope, deadline),
            (Route::Keep, Some(http)) => http.keep_late(&envelope),
            (_, None) => {}
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
    /// A worker, with the client that `make` creates with the transport of the factory. The first job starts its first thread; an envelope
    /// of an earlier run is one.
    pub fn new(factory: Factory, make: impl FnOnce(Factory) -> Client) -> Self {
        let shared = Arc::clone(&factory.shared);
        let waiting = factory.spool.as_ref().map(Spool::waiting).unwrap_or_default();
        let client = Arc::new(make(factory));
        let _ = shared.client.set(Arc::downgrade(&client));
        if !waiting.is_empty() {
            let mut queue = shared.queue();
            queue.spooled = waiting.into();
            shared.add_thread(queue);
        }
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

    /// The same for the last time: what cannot be sent until the deadline is kept for the next run, or dropped, counted, and reported to the
    /// server.
    pub fn flush_last(&self, deadline: Instant) -> usize {
        let left = self.flush(deadline);
        self.keep_queued(deadline);
        if self.shared.http.get().is_some_and(|http| !http.rejects()) {
            self.report_losses(deadline);
        }
        left
    }

    /// Keeps what is queued for the next run, or drops and counts it. If the server has answered, waits for what is being sent, and reports
    /// all losses.
    pub fn give_up(&self, deadline: Instant) {
        self.keep_queued(deadline);
        if self.is_slow() {
            self.report_losses(deadline);
        }
    }

    fn keep_queued(&self, deadline: Instant) {
        let left = self.shared.queue().clear();
        let http = self.shared.http.get().filter(|http| http.keeps());
        if let Some(http) = http {
            http.keep_sending();
        }
        // Those that have ended a command come first.
        let mut kept = Envelope::new();
        for job in left {
            match (job, http) {
                (Job::Run(run), Some(_)) if matches!(run.0, EnvelopeItem::SessionUpdate(_)) => kept.add_item(run.0),
                (job @ (Job::Event { .. } | Job::Envelope(_)), Some(_)) if Instant::now() < deadline => {
                    self.shared.work(Work::Job(job), |_| Route::Keep);
                }
                (job, _) => self.shared.drop_job(job, LATE, TOO_LATE),
            }
        }
        if let Some(http) = http.filter(|_| kept.items().next().is_some()) {
            http.keep_late(&kept);
        }
        self.shared.job_done.notify_all();
    }

    fn report_losses(&self, deadline: Instant) {
        let now = Instant::now();
        let latency = self.shared.http.get().map(Http::latency).unwrap_or_default();
        let for_report = latency.min(deadline.saturating_duration_since(now) / 2);
        let until = deadline.checked_sub(for_report).unwrap_or(now);
        if self.shared.wait(until, |queue| queue.sending == 0) == 0 {
            routed(Route::SendUntil(deadline), || self.client.send_envelope(Envelope::new()));
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
                let (is_of_runs, is_spooled) = (matches!(work, Work::Runs(_)), matches!(work, Work::Spooled(_)));
                self.work(work, Route::SendUntil);
                queue = self.queue();
                queue.sending -= usize::from(!is_spooled);
                queue.sends_runs &= !is_of_runs;
                queue.sends_spooled &= !is_spooled;
                if self.http.get().is_some_and(Http::rejects) {
                    // The next run tries again.
                    queue.spooled.clear();
                }
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

    fn work(&self, work: Work, route: fn(Instant) -> Route) {
        let Some(client) = self.client.get().and_then(Weak::upgrade) else { return };
        let event = if let Work::Job(Job::Event { id, .. }) = &work { Some(*id) } else { None };
        // `before_send` is the user's code.
        if caught(|| self.send_by(&client, work, route)).is_err() {
            route::reset();
            drop_counters::count("sentry", "panic", 1);
            if let Some(id) = event {
                event_status::set(id, EventStatus::NotSent("sending the event panicked".into()));
            }
        }
    }

    /// Sends an envelope of an earlier run, unless another process does.
    fn send_spooled(&self, path: PathBuf) {
        let (Some(http), Some(mut spooled)) = (self.http.get(), Spooled::lock(path)) else { return };
        let envelope = spooled.read().ok().map(|bytes| Envelope::from_slice(&bytes));
        let is_done = match envelope {
            Some(Ok(envelope)) => http.send_kept(envelope, clock::deadline(Instant::now(), SEND_TIMEOUT)),
            // It was cut off, or is of another version.
            Some(Err(_)) => true,
            None => false,
        };
        if is_done {
            spooled.remove();
        }
    }

    fn send_by(&self, client: &Client, work: Work, route: fn(Instant) -> Route) {
        // The names of functions may take long to look up, which is not the server's time.
        let route = || route(clock::deadline(Instant::now(), SEND_TIMEOUT));
        let post = |envelope| routed(route(), || client.send_envelope(envelope));
        let of_items = |items: Vec<EnvelopeItem>| {
            let mut envelope = Envelope::new();
            for item in items {
                envelope.add_item(item);
            }
            envelope
        };
        match work {
            Work::Runs(items) => {
                let (items, traces): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                check_ins::in_traces(&items, &traces, || post(of_items(items.clone())));
            }
            Work::Job(Job::Event { id, make, .. }) => {
                let Some(Prepared { event, attachments }) = make() else { return };
                let mut scope = Scope::default();
                let has_attachments = !attachments.is_empty();
                for attachment in attachments {
                    scope.add_attachment(attachment);
                }
                let scope = has_attachments.then_some(&scope);
                if own(|| routed(route(), || client.capture_event(event, scope))).is_nil() {
                    let (reason, words) = options::why_dropped();
                    drop_counters::count("sentry", reason, 1);
                    event_status::set(id, EventStatus::NotSent(words.into()));
                }
            }
            Work::Job(Job::Envelope(envelope)) => post(*envelope),
            Work::Job(Job::Run(run)) => post(of_items(vec![run.0])),
            Work::Spooled(path) => self.send_spooled(path),
        }
    }

    /// Drops and counts a job.
    fn drop_job(&self, job: Job, reason: &'static str, words: &'static str) {
        let Some(http) = self.http.get() else { return };
        match job {
            Job::Run(run) => http.lose(&run.0, reason),
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
            if queue.is_done() {
                return 0;
            }
            // What is being sent, and then the report, take as long as the last request.
            let latency = self.http.get().map(Http::latency).unwrap_or_default();
            let least = if self.http.get().is_some_and(Http::keeps) { MIN_RESERVE_TO_KEEP } else { MIN_RESERVE };
            let reserve = latency.saturating_mul(2).saturating_add(least).min(time / 4);
            let rest = deadline.saturating_duration_since(Instant::now()).saturating_sub(reserve);
            if rest.is_zero() {
                return queue.len();
            }
            queue = self.job_done.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
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
