//! Runs a [`Sink`] on a thread of its own, behind a bounded queue.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Instant;

use crate::base::level::Level;
use crate::config::validated::Config;
use crate::events::event::Event;
use crate::events::panics::caught;
use crate::exporters::interface::{Exporter, FlushError, Flushed, Topic, no_answer_within};
use crate::exporters::reentrancy::Reentrancy;
use crate::exporters::sink::definition::{Sink, SinkError, SinkInitError};
use crate::exporters::sink::event::{RedactedEvent, Service};
use crate::metrics::drop_counters;
use crate::redact::redactor::Redacted;

/// The most events that wait for a sink.
const CAPACITY: usize = 1024;

/// Names that `obs.dropped` and `status` use already.
const RESERVED: [&str; 17] = [
    "bigquery",
    "checks",
    "context",
    "datadog",
    "errors",
    "flush",
    "log",
    "memory",
    "metrics",
    "otlp_logs",
    "otlp_metrics",
    "otlp_traces",
    "pipeline",
    "pushgateway",
    "redactor",
    "sentry",
    "textfile",
];

/// The exporter of one [`Sink`].
struct SinkExporter {
    name: &'static str,
    min_level: Level,
    service: Arc<Service>,
    /// Events that are queued or being accepted.
    queued: Arc<AtomicUsize>,
    requests: Sender<Request>,
}

enum Request {
    Accept(Box<RedactedEvent>),
    Flush { deadline: Instant, done: Sender<Result<(), String>> },
    Close,
}

/// Starts the threads of all sinks.
///
/// # Errors
/// If a name is invalid or taken, a thread cannot be started, or a sink panics.
pub fn start_all(sinks: Vec<Box<dyn Sink>>, config: &Config) -> Result<Vec<Arc<dyn Exporter>>, SinkInitError> {
    let mut exporters: Vec<Arc<dyn Exporter>> = Vec::new();
    for sink in sinks {
        let others: Vec<_> = exporters.iter().map(|exporter| exporter.name()).collect();
        let exporter = SinkExporter::start(sink, config, &others)?;
        exporters.push(Arc::new(exporter));
    }
    Ok(exporters)
}

impl SinkExporter {
    fn start(sink: Box<dyn Sink>, config: &Config, others: &[&str]) -> Result<Self, SinkInitError> {
        let (name, min_level) =
            caught(|| (sink.name(), sink.min_level())).map_err(|_| io::Error::other("the sink panicked"))?;
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        let valid = !name.is_empty() && name.bytes().all(allowed);
        if !valid || RESERVED.contains(&name) || others.contains(&name) {
            return Err(SinkInitError::Name(name));
        }
        let (requests, received) = mpsc::channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let mut worker = Worker { name, sink, queued: Arc::clone(&queued), failure: None };
        thread::Builder::new().name(format!("obs-sink-{name}")).spawn(move || {
            worker.run(&received);
            // The sink's `Drop` is the user's code.
            let _ = caught(|| drop(worker));
        })?;
        Ok(Self { name, min_level, service: Arc::new(Service::new(config)), queued, requests })
    }

    fn send(&self, request: Request) -> Result<(), FlushError> {
        let closed = |_| FlushError { sink: self.name, reason: "closed".to_owned() };
        self.requests.send(request).map_err(closed)
    }
}

/// The state of a sink's thread.
struct Worker {
    name: &'static str,
    sink: Box<dyn Sink>,
    queued: Arc<AtomicUsize>,
    /// The last failure since the last flush.
    failure: Option<String>,
}

impl Worker {
    fn run(&mut self, requests: &Receiver<Request>) {
        let _entered = Reentrancy::enter_quietly();
        while let Ok(request) = requests.recv() {
            match request {
                Request::Accept(event) => {
                    if let Err((reason, failure)) = self.call(|sink| sink.accept(&event)) {
                        drop_counters::count(self.name, reason, 1);
                        self.failure = Some(failure);
                    }
                    self.queued.fetch_sub(1, Ordering::SeqCst);
                }
                Request::Flush { deadline, done } => {
                    let flushed = self.call(|sink| sink.flush(deadline)).map_err(|(_, failure)| failure);
                    // An event that was lost before is a failure of the flush too.
                    let lost = self.failure.take().map_or(Ok(()), Err);
                    // The receiver is gone once the deadline has passed.
                    let _ = done.send(flushed.and(lost));
                }
                Request::Close => return,
            }
        }
    }

    /// Calls the sink; returns why it failed: the reason that is counted, and a text.
    fn call(
        &mut self,
        call: impl FnOnce(&mut dyn Sink) -> Result<(), SinkError>,
    ) -> Result<(), (&'static str, String)> {
        match caught(|| call(&mut *self.sink).map_err(|error| error.to_string())) {
            Ok(result) => result.map_err(|failure| ("error", failure)),
            Err(_) => Err(("panic", "panicked".to_owned())),
        }
    }
}

impl Exporter for SinkExporter {
    fn name(&self) -> &'static str {
        self.name
    }

    fn wants(&self, topic: Topic, level: Level, _: &str) -> bool {
        match topic {
            Topic::Call | Topic::Log => level >= self.min_level,
            Topic::Fact | Topic::Report => true,
        }
    }

    fn least_level(&self) -> Option<Level> {
        Some(self.min_level)
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        if self.queued.fetch_add(1, Ordering::SeqCst) >= CAPACITY {
            self.queued.fetch_sub(1, Ordering::SeqCst);
            drop_counters::count(self.name, "queue_full", 1);
            return;
        }
        let sent = RedactedEvent::new(event, &self.service).map(|event| self.send(Request::Accept(Box::new(event))));
        if !matches!(sent, Some(Ok(()))) {
            self.queued.fetch_sub(1, Ordering::SeqCst);
        }
        if matches!(sent, Some(Err(_))) {
            drop_counters::count(self.name, "closed", 1);
        }
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        let (done, flushed) = mpsc::channel();
        self.send(Request::Flush { deadline, done })?;
        let failed = |reason| FlushError { sink: self.name, reason };
        let limit = deadline.saturating_duration_since(Instant::now());
        match flushed.recv_timeout(limit) {
            Ok(result) => result.map(|()| Flushed::Delivered).map_err(failed),
            Err(_) => Err(failed(no_answer_within(limit))),
        }
    }

    fn close(&self) {
        // Fails if the thread has ended.
        let _ = self.send(Request::Close);
    }

    fn drop_reasons(&self) -> &'static [&'static str] {
        &["closed", "error", "panic", "queue_full"]
    }

    fn queued(&self) -> usize {
        self.queued.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::events::event::{EventContext, Fact, Source};
    use crate::metrics::callsite::Tags;
    use crate::redact::redactor::Redactor;

    struct Failing(&'static str);

    impl Sink for Failing {
        fn name(&self) -> &'static str {
            self.0
        }

        fn accept(&mut self, event: &RedactedEvent) -> Result<(), SinkError> {
            if event.message() == "panic" { panic!("as it is told") } else { Err("no".into()) }
        }
    }

    #[test]
    fn each_reason_to_drop_an_event_is_declared() {
        const NAME: &str = "failing-test";
        let exporter = SinkExporter::start(Box::new(Failing(NAME)), &Config::default(), &[]).unwrap();
        for message in ["panic", "error"] {
            let event = Event {
                time: SystemTime::now(),
                level: Level::Info,
                source: Source::default(),
                context: EventContext::default(),
                fact: Fact::Log { message: message.into() },
                fields: Vec::new(),
                tags: Tags::new(),
            };
            exporter.accept(&Redactor::new(&[], None).event_unless_panic(event).unwrap());
        }
        assert!(exporter.flush(Instant::now() + Duration::from_mins(1)).is_err());
        let counted: Vec<_> = drop_counters::all().into_iter().filter(|(sink, ..)| *sink == NAME).collect();
        assert_eq!(counted, [(NAME, "error", 1), (NAME, "panic", 1)]);
        assert!(counted.iter().all(|(_, reason, _)| exporter.drop_reasons().contains(reason)));
    }

    #[test]
    fn a_sink_does_not_take_a_name_of_obs() {
        for name in ["bigquery", "errors", "otlp_logs", "otlp_metrics", "otlp_traces", "Upper", ""] {
            let refused = SinkExporter::start(Box::new(Failing(name)), &Config::default(), &[]).err();
            assert!(matches!(refused, Some(SinkInitError::Name(_))), "{name}");
        }
    }
}
