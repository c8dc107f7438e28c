//! The subscriber, the recorder and the clock of a capture: those of the threads in its context, nothing of the process.

use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, LocalRecorderGuard, Metadata, Recorder, SharedString, Unit};
use tracing_core::Dispatch;
use tracing_core::dispatcher::{self, DefaultGuard};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::base::fake_clock::{self, FakeTime};
use crate::context::on_enter::OnEnter;
use crate::pipeline::subscriber::layer;
use crate::pipeline::user_metrics::Recording;

/// A recorder that can be borrowed for as long as the process lives, and belongs to one capture at a time.
#[derive(Default)]
struct Slot(RwLock<Option<Recording>>);

/// Slots of captures that have ended. There are as many as there were captures at a time.
static FREE: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());

/// A slot while a capture, or a thread in its context, uses it.
struct Lease(&'static Slot);

impl Lease {
    fn of(recorder: Recording) -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let slot = free.unwrap_or_else(|| Box::leak(Box::default()));
        *slot.0.write().unwrap_or_else(PoisonError::into_inner) = Some(recorder);
        Self(slot)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let recorder = self.0.0.write().unwrap_or_else(PoisonError::into_inner).take();
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(self.0);
        drop(recorder);
    }
}

impl Slot {
    fn with<R>(&self, register: impl FnOnce(&dyn Recorder) -> R, otherwise: impl FnOnce() -> R) -> R {
        let recorder = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        recorder.map_or_else(otherwise, |recorder| register(&*recorder))
    }
}

impl Recorder for Slot {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.with(|recorder| recorder.describe_counter(name, unit, description), || ());
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.with(|recorder| recorder.describe_gauge(name, unit, description), || ());
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.with(|recorder| recorder.describe_histogram(name, unit, description), || ());
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.with(|recorder| recorder.register_counter(key, metadata), Counter::noop)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.with(|recorder| recorder.register_gauge(key, metadata), Gauge::noop)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.with(|recorder| recorder.register_histogram(key, metadata), Histogram::noop)
    }
}

/// What a thread has entered. The guards are dropped before the lease.
struct Inside {
    _clock: fake_clock::Entered,
    _subscriber: DefaultGuard,
    _recorder: LocalRecorderGuard<'static>,
    _lease: Arc<Lease>,
}

/// Has each thread that enters the context of a capture use this recorder, this clock or that of the system, and a subscriber of
/// obs.
pub fn on_enter(recorder: Recording, clock: Option<Arc<FakeTime>>) -> OnEnter {
    // One for all captures: its layer finds the capture by the context.
    static SUBSCRIBER: OnceLock<Dispatch> = OnceLock::new();
    let lease = Arc::new(Lease::of(recorder));
    OnEnter::new(move || {
        let subscriber = SUBSCRIBER.get_or_init(|| Dispatch::new(tracing_subscriber::registry().with(layer())));
        Box::new(Inside {
            _clock: fake_clock::enter(clock.clone()),
            _subscriber: dispatcher::set_default(subscriber),
            _recorder: metrics::set_default_local_recorder(lease.0),
            _lease: Arc::clone(&lease),
        }) as Box<dyn Any>
    })
}
