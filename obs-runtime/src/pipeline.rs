//! From an event to all sinks: redact once, hand out, survive whatever a sink does.

use std::cell::Cell;
use std::sync::Arc;
use std::time::SystemTime;

use crate::callsite::Tags;
use crate::config::{Config, Setting};
use crate::drops;
use crate::event::{Event, Fact, Source};
use crate::flush::{Flusher, Occasion};
use crate::level::Level;
use crate::panics::caught;
use crate::redact::Redactor;
use crate::room;
use crate::sinks::metrics::MetricsSink;
use crate::sinks::{FlushError, Sink, Topic};

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// The redactor and the sinks behind it.
pub struct Pipeline {
    config: Config,
    settings: Vec<Setting>,
    redactor: Redactor,
    metrics: Arc<MetricsSink>,
    sinks: Vec<Arc<dyn Sink>>,
    flusher: Flusher,
    limits_reports: bool,
}

impl Pipeline {
    /// A pipeline that measures with `metrics` and sends everything to `sinks` too.
    pub fn new(config: Config, metrics: Arc<MetricsSink>, sinks: Vec<Arc<dyn Sink>>) -> Self {
        let redactor = Redactor::new(&config.redact_names, config.redaction_key.as_ref());
        let redactor = redactor.with_patterns(&config.redact_patterns);
        metrics.watch(&sinks);
        Self {
            config,
            settings: Vec::new(),
            redactor,
            metrics,
            sinks,
            flusher: Flusher::default(),
            limits_reports: false,
        }
    }

    /// The same, with where each value of its configuration came from.
    #[must_use]
    pub fn with_settings(self, settings: Vec<Setting>) -> Self {
        Self { settings, ..self }
    }

    /// Each variable's value and where it came from, if somebody said so.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The same, with no more reports of one place than a program's user can read.
    pub const fn limiting_reports(mut self) -> Self {
        self.limits_reports = true;
        self
    }

    /// Whether there are to be no more reports of one place than a program's user can read.
    pub const fn limits_reports(&self) -> bool {
        self.limits_reports
    }

    /// Whether reports are worth more to any sink with the calls that led to the error.
    pub fn wants_stacks(&self) -> bool {
        self.sinks().any(Sink::wants_stacks)
    }

    /// Which share of runs is recorded call by call: as much as any sink wants.
    pub fn trace_share(&self) -> f64 {
        self.sinks().map(Sink::trace_share).fold(0.0, f64::max)
    }

    /// What obs was told to do.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The redactor of this pipeline.
    pub const fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// The series of this pipeline.
    pub fn metrics(&self) -> &Arc<MetricsSink> {
        &self.metrics
    }

    fn sinks(&self) -> impl Iterator<Item = &dyn Sink> {
        let metrics: Option<&dyn Sink> = if self.config.metrics_enabled { Some(&*self.metrics) } else { None };
        metrics.into_iter().chain(self.sinks.iter().map(|sink| &**sink))
    }

    /// What waits in each sink.
    pub fn queued(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.sinks.iter().map(|sink| (sink.name(), sink.queued()))
    }

    /// Whether any sink wants such an event.
    pub fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool {
        self.sinks().any(|sink| sink.wants(topic, level, logger))
    }

    /// The least level at which any sink may want single calls or lines.
    pub fn least_level(&self) -> Option<Level> {
        self.sinks().filter_map(Sink::least_level).min()
    }

    /// Redacts an event and hands it to each sink that wants it. An event that a sink causes on this thread is dropped
    /// and counted, a sink's panic too.
    pub fn emit(&self, topic: Topic, event: Event<'_>) {
        if BUSY.replace(true) {
            drops::count("pipeline", "reentrant", 1);
            return;
        }
        let _busy = Busy;
        let (level, logger) = (event.level, event.source.logger.clone());
        self.hand_out(topic, level, &logger, event);
        self.warn_of_cardinality();
    }

    /// Says that the limit of series was passed at a call site.
    pub fn overflow(&self) {
        self.metrics.overflow();
        if !BUSY.replace(true) {
            let _busy = Busy;
            self.warn_of_cardinality();
        }
    }

    fn hand_out(&self, topic: Topic, level: Level, logger: &str, event: Event<'_>) {
        let Ok(event) = caught(|| self.redactor.event(event)) else {
            drops::count("redactor", "panic", 1);
            return;
        };
        for sink in self.sinks().filter(|sink| sink.wants(topic, level, logger)) {
            if caught(|| sink.accept(&event)).is_err() {
                drops::count(sink.name(), "panic", 1);
            }
        }
        room::give_back(event.into_fields());
    }

    fn warn_of_cardinality(&self) {
        // One warning for each pipeline; `obs.dropped` goes on counting.
        if !self.metrics.take_overflow() {
            return;
        }
        let message = format!(
            "a metric has more than {} series: further label values are recorded as \"other\" (OBS_MAX_SERIES)",
            self.config.max_series
        );
        let event = Event {
            time: SystemTime::now(),
            level: Level::Warning,
            source: Source { logger: "obs_runtime".into(), ..Source::default() },
            context: crate::event::Scope::default(),
            fact: Fact::Log { message: message.into() },
            fields: Vec::new(),
            tags: Tags::new(),
        };
        self.hand_out(Topic::Log, Level::Warning, "obs_runtime", event);
    }

    /// Ends what sinks do by themselves.
    pub fn close(&self) {
        for sink in &self.sinks {
            if caught(|| sink.close()).is_err() {
                drops::count(sink.name(), "panic", 1);
            }
        }
    }

    /// Flushes all sinks under `OBS_FLUSH_TIMEOUT`. Gives what failed and has not failed in the same way before.
    pub fn flush(&self, occasion: Occasion) -> Vec<FlushError> {
        let redact = |reason: &str| self.redactor.text(reason.into()).into_owned();
        self.flusher.flush(&self.sinks, self.config.flush_timeout, occasion, redact)
    }
}

struct Busy;

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}
