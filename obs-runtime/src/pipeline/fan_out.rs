//! The pipeline of a program or of a test: redact once, hand out, survive whatever a sink does.

use std::cell::Cell;
use std::sync::Arc;
use std::time::SystemTime;

use crate::base::level::Level;
use crate::config::settings::Setting;
use crate::config::validated::Config;
use crate::events::event::{Event, Fact, Source};
use crate::events::field::{Text, Value};
use crate::events::field_buffer;
use crate::events::panics::caught;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::error_event::{Incident, Sealed};
use crate::exporters::interface::{Exporter, FlushError, Topic};
use crate::metrics::callsite::Tags;
use crate::metrics::drop_counters;
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::flush::{FlushMode, Flusher};
use crate::pipeline::interface::Pipeline;
use crate::redact::redactor::Redactor;

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// The redactor and the sinks behind it.
pub struct FanOut {
    config: Config,
    settings: Vec<Setting>,
    redactor: Arc<Redactor>,
    metrics: Arc<MetricAggregator>,
    sinks: Vec<Arc<dyn Exporter>>,
    flusher: Flusher,
    rate_limits_errors: bool,
}

impl FanOut {
    /// A pipeline that measures with `metrics` and sends everything to `sinks` too.
    pub fn new(config: Config, metrics: Arc<MetricAggregator>, sinks: Vec<Arc<dyn Exporter>>) -> Self {
        let redactor = Redactor::new(&config.redact_names, config.redaction_key.as_ref());
        let redactor = Arc::new(redactor.with_patterns(&config.redact_patterns));
        metrics.watch(&sinks);
        Self {
            config,
            settings: Vec::new(),
            redactor,
            metrics,
            sinks,
            flusher: Flusher::default(),
            rate_limits_errors: false,
        }
    }

    /// The same, with where each value of its configuration came from.
    #[must_use]
    pub fn with_settings(self, settings: Vec<Setting>) -> Self {
        Self { settings, ..self }
    }

    /// The same, with no more reports of one place than a program's user can read.
    pub const fn with_error_rate_limit(mut self) -> Self {
        self.rate_limits_errors = true;
        self
    }

    /// The series of this pipeline.
    #[cfg(feature = "prometheus")]
    pub const fn metrics(&self) -> &Arc<MetricAggregator> {
        &self.metrics
    }

    fn sinks(&self) -> impl Iterator<Item = &dyn Exporter> {
        let metrics: Option<&dyn Exporter> = if self.config.metrics_enabled { Some(&*self.metrics) } else { None };
        metrics.into_iter().chain(self.sinks.iter().map(|sink| &**sink))
    }

    fn hand_out(&self, topic: Topic, level: Level, logger: &str, event: Event<'_>) {
        let Ok(event) = caught(|| self.redactor.event(event)) else {
            drop_counters::count("redactor", "panic", 1);
            return;
        };
        for sink in self.sinks().filter(|sink| sink.wants(topic, level, logger)) {
            if caught(|| sink.accept(&event)).is_err() {
                drop_counters::count(sink.name(), "panic", 1);
            }
        }
        field_buffer::give_back(event.into_fields());
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
            context: crate::events::event::Scope::default(),
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
                drop_counters::count(sink.name(), "panic", 1);
            }
        }
    }
}

impl Pipeline for FanOut {
    fn config(&self) -> &Config {
        &self.config
    }

    fn settings(&self) -> &[Setting] {
        &self.settings
    }

    fn measured(&self) -> Snapshot {
        self.metrics.snapshot()
    }

    fn queued(&self) -> Vec<(&'static str, usize)> {
        self.sinks.iter().map(|sink| (sink.name(), sink.queued())).collect()
    }

    fn rate_limits_errors(&self) -> bool {
        self.rate_limits_errors
    }

    fn wants_stack_traces(&self) -> bool {
        self.sinks().any(Exporter::wants_stack_traces)
    }

    fn trace_sample_rate(&self) -> f64 {
        self.sinks().map(Exporter::trace_sample_rate).fold(0.0, f64::max)
    }

    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool {
        self.sinks().any(|sink| sink.wants(topic, level, logger))
    }

    fn least_level(&self) -> Option<Level> {
        self.sinks().filter_map(Exporter::least_level).min()
    }

    /// An event that a sink causes on this thread is dropped and counted, a sink's panic too.
    fn emit(&self, topic: Topic, event: Event<'_>) {
        if BUSY.replace(true) {
            drop_counters::count("pipeline", "reentrant", 1);
            return;
        }
        let _busy = Busy;
        let (level, logger) = (event.level, event.source.logger.clone());
        self.hand_out(topic, level, &logger, event);
        self.warn_of_cardinality();
    }

    fn report(&self, incident: Incident) {
        if BUSY.replace(true) {
            drop_counters::count("pipeline", "reentrant", 1);
            return;
        }
        let _busy = Busy;
        let (level, logger) = (incident.level, incident.source.logger.clone());
        let mut wanting = self.sinks().filter(|sink| sink.wants(Topic::Report, level, &logger));
        match (wanting.next(), wanting.next()) {
            (Some(sink), None) if sink.opens_reports() && incident.is_short() => {
                let sealed = Sealed::new(incident, Arc::clone(&self.redactor));
                if caught(|| sink.accept_report(sealed)).is_err() {
                    drop_counters::count(sink.name(), "panic", 1);
                }
            }
            _ => incident.read(|event| self.hand_out(Topic::Report, level, &logger, event)),
        }
        self.warn_of_cardinality();
    }

    fn overflow(&self) {
        self.metrics.overflow();
        if !BUSY.replace(true) {
            let _busy = Busy;
            self.warn_of_cardinality();
        }
    }

    fn text<'a>(&self, text: Text<'a>) -> Text<'a> {
        self.redactor.text(text)
    }

    fn named<'a>(&self, name: &str, text: Text<'a>) -> Text<'a> {
        self.redactor.named(name, text)
    }

    fn hashed(&self, text: &str) -> Value<'static> {
        self.redactor.hashed(text)
    }

    fn flush(&self, mode: FlushMode) -> Vec<FlushError> {
        let redact = |reason: &str| self.redactor.text(reason.into()).into_owned();
        self.flusher.flush(&self.sinks, self.config.flush_timeout, mode, redact)
    }
}

struct Busy;

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}
