//! The pipeline of a program or of a test: redacts each event once, hands it to the exporters, and contains their panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::clock;
use crate::base::level::Level;
use crate::base::trace_context::TraceContext;
use crate::config::settings::Setting;
use crate::config::validated::Config;
use crate::context::remote_parent::RemoteParent;
use crate::events::event::{Event, EventContext, Fact, HELP, Source};
use crate::events::field::{Field, Text, Value};
use crate::events::field_buffer;
use crate::events::panics::caught;
use crate::events::span::{Sampling, TraceRoot};
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::error_event::{ErrorEvent, RawErrorEvent};
use crate::exporters::interface::{Exporter, FlushError, Topic, TraceHeader};
use crate::exporters::reentrancy::Reentrancy;
use crate::metrics::callsite::Tags;
use crate::metrics::drop_counters;
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::background_flush::BackgroundFlush;
use crate::pipeline::flush::{FlushMode, Flusher};
use crate::pipeline::interface::Pipeline;
use crate::redact::redactor::Redactor;

/// The redactor and the exporters behind it.
pub struct FanOut {
    config: Config,
    settings: Vec<Setting>,
    redactor: Arc<Redactor>,
    metrics: Arc<MetricAggregator>,
    exporters: Vec<Arc<dyn Exporter>>,
    flusher: Flusher,
    background_flush: BackgroundFlush,
    rate_limits_errors: bool,
    used: AtomicBool,
}

impl FanOut {
    /// A pipeline that aggregates into `metrics` and hands every event to `exporters` too.
    pub fn new(config: Config, metrics: Arc<MetricAggregator>, exporters: Vec<Arc<dyn Exporter>>) -> Self {
        let redactor = Redactor::new(&config.redact_names, config.redaction_key.as_ref());
        let redactor = Arc::new(redactor.with_patterns(&config.redact_patterns));
        metrics.watch(&exporters);
        Self {
            config,
            settings: Vec::new(),
            redactor,
            metrics,
            exporters,
            flusher: Flusher::default(),
            background_flush: BackgroundFlush::default(),
            rate_limits_errors: false,
            used: AtomicBool::new(false),
        }
    }

    /// Records where each value of the configuration came from.
    #[must_use]
    pub fn with_settings(self, settings: Vec<Setting>) -> Self {
        Self { settings, ..self }
    }

    /// Limits how many errors of one place are reported.
    pub const fn with_error_rate_limit(mut self) -> Self {
        self.rate_limits_errors = true;
        self
    }

    /// The series of this pipeline.
    #[cfg(feature = "prometheus")]
    pub const fn metrics(&self) -> &Arc<MetricAggregator> {
        &self.metrics
    }

    /// Whether an event has been emitted since this was last set to false.
    pub const fn used(&self) -> &AtomicBool {
        &self.used
    }

    fn exporters(&self) -> impl Iterator<Item = &dyn Exporter> {
        let metrics: Option<&dyn Exporter> = if self.config.metrics_enabled { Some(&*self.metrics) } else { None };
        metrics.into_iter().chain(self.exporters.iter().map(|exporter| &**exporter))
    }

    fn hand_out(&self, topic: Topic, level: Level, logger: &str, event: Event<'_>) {
        // Written once, so that threads share the cache line.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        let Some(event) = self.redactor.event_unless_panic(event) else {
            drop_counters::count("redactor", "panic", 1);
            return;
        };
        for exporter in self.exporters().filter(|exporter| exporter.wants(topic, level, logger)) {
            if caught(|| exporter.accept(&event)).is_err() {
                drop_counters::count(exporter.name(), "panic", 1);
            }
        }
        field_buffer::give_back(event.into_fields());
    }

    /// Warns once for each metric; `obs.dropped` counts every time.
    fn warn_of_cardinality(&self) {
        for metric in self.metrics.take_overflows() {
            self.warn_of_overflow(&metric);
        }
    }

    fn warn_of_overflow(&self, metric: &str) {
        let message = format!(
            "metric {metric}: more than {} series: further label values are recorded as \"other\" (OBS_MAX_SERIES)",
            self.config.max_series
        );
        let event = Event {
            time: clock::wall(),
            level: Level::Warning,
            source: Source { logger: "obs_runtime".into(), ..Source::default() },
            context: EventContext::default(),
            fact: Fact::Log { message: message.into() },
            fields: vec![Field::new(HELP, "label-is-other")],
            tags: Tags::new(),
        };
        self.hand_out(Topic::Log, Level::Warning, "obs_runtime", event);
    }

    /// Closes the exporters.
    pub fn close(&self) {
        for exporter in &self.exporters {
            if caught(|| exporter.close()).is_err() {
                drop_counters::count(exporter.name(), "panic", 1);
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
        self.exporters.iter().map(|exporter| (exporter.name(), exporter.queued())).collect()
    }

    fn rate_limits_errors(&self) -> bool {
        self.rate_limits_errors
    }

    fn wants_stack_traces(&self) -> bool {
        self.exporters().any(Exporter::wants_stack_traces)
    }

    fn replaces_panic_message(&self, logger: &str) -> bool {
        !Reentrancy::is_entered() && self.exporters().any(|exporter| exporter.replaces_panic_message(logger))
    }

    fn sampling(&self, root: &TraceRoot) -> Sampling {
        self.exporters().map(|exporter| exporter.sampling(root)).max().unwrap_or(Sampling::No)
    }

    fn trace_headers(&self, trace: &TraceContext, parent: Option<&RemoteParent>) -> Vec<TraceHeader> {
        self.exporters().flat_map(|exporter| exporter.trace_headers(trace, parent)).collect()
    }

    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool {
        self.exporters().any(|exporter| exporter.wants(topic, level, logger))
    }

    fn least_level(&self) -> Option<Level> {
        self.exporters().filter_map(Exporter::least_level).min()
    }

    fn emit(&self, topic: Topic, event: Event<'_>) {
        let Some(_entered) = Reentrancy::enter() else { return };
        let (level, logger) = (event.level, event.source.logger.clone());
        self.hand_out(topic, level, &logger, event);
        self.warn_of_cardinality();
    }

    fn report(&self, event: ErrorEvent) {
        let Some(_entered) = Reentrancy::enter() else { return };
        let (level, logger) = (event.level, event.source.logger.clone());
        let mut wanting = self.exporters().filter(|exporter| exporter.wants(Topic::Report, level, &logger));
        match (wanting.next(), wanting.next()) {
            (Some(exporter), None) if exporter.redacts_reports() && event.is_short() => {
                let raw = RawErrorEvent::new(event, Arc::clone(&self.redactor));
                if caught(|| exporter.accept_report(raw)).is_err() {
                    drop_counters::count(exporter.name(), "panic", 1);
                }
            }
            _ => event.read(|event| self.hand_out(Topic::Report, level, &logger, event)),
        }
        self.warn_of_cardinality();
    }

    fn overflow(&self, metric: &str) {
        self.metrics.overflow(&self.redactor.text(metric.into()));
        if let Some(_entered) = Reentrancy::enter_quietly() {
            self.warn_of_cardinality();
        }
    }

    fn overflows(&self) -> Vec<String> {
        self.metrics.overflows()
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

    fn background_flush(&self) -> &BackgroundFlush {
        &self.background_flush
    }

    fn flush(&self, mode: FlushMode) -> Vec<FlushError> {
        let redact = |reason: &str| self.redactor.text(reason.into()).into_owned();
        if mode == FlushMode::Start {
            return self.flusher.flush(&self.exporters, self.config.flush_timeout, mode, redact);
        }
        let afterwards: Vec<_> = self.exporters.iter().filter_map(|exporter| exporter.after_flush()).collect();
        let failures = self.flusher.flush(&self.exporters, self.config.flush_timeout, mode, redact);
        for run in afterwards {
            run();
        }
        failures
    }
}
