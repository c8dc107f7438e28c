//! Runs code with a pipeline of its own, which keeps what the code reports.

use std::future::Future;
use std::sync::Arc;

use crate::checks::quality::check_state;
use crate::config::validated::Config;
use crate::context::current::Context;
use crate::context::in_context::InContext;
use crate::events::active_span::{self, Active};
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::memory::{MemoryExporter, Records};
use crate::exporters::memory_metrics::MemoryMetrics;
use crate::instrument::call::lifecycle;
use crate::instrument::error_dedup::registry;
use crate::instrument::errors::panic_watcher;
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::capture;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::global::ScopedPipeline;
use crate::pipeline::user_metrics;
use crate::program::testing::clock::Clock;

/// What the captured code returned and reported, after redaction.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Captured<R> {
    /// The return value.
    pub value: R,
    /// The recorded events.
    pub records: Records,
    /// The metrics, with those that the code recorded by the macros of the `metrics` crate.
    pub metrics: Snapshot,
}

/// Runs a closure and captures what it reports: on this thread, and where its context is propagated
/// ([`spawn`](crate::spawn), `in_current_context`). Nothing goes to installed exporters, and concurrent captures do not see
/// each other.
///
/// Metrics of the `metrics` crate are captured too. Nothing of the process changes: its `tracing` subscriber, its logger and its
/// recorder stay as they are, and are not used while the captured code runs. Records of the `log` crate are captured if the process
/// has a logger that makes them events of `tracing`, such as `tracing_log::LogTracer`.
///
/// The configuration is the default one, whatever the environment of the test says: [`capture_with`] takes another.
pub fn capture<R>(run: impl FnOnce() -> R) -> Captured<R> {
    capture_with(Config::default(), run)
}

/// Like [`capture`], with a configuration. With `tracing_enabled`, all traces are captured: [`Captured::spans`].
///
/// ```
/// use obs_runtime::testing::capture_with;
/// use obs_runtime::{Config, track_performance};
///
/// let config = Config::default().with(|config| config.tracing_enabled = true);
/// let captured = capture_with(config, || track_performance("parse", || 42));
/// captured.spans().name("parse").once();
/// ```
pub fn capture_with<R>(config: Config, run: impl FnOnce() -> R) -> Captured<R> {
    Capture::new().config(config).run(run)
}

/// Like [`capture`], for a future.
pub async fn capture_async<F: Future>(future: F) -> Captured<F::Output> {
    Capture::new().run_async(future).await
}

/// Like [`capture_with`], for a future.
///
/// ```
/// use obs_runtime::testing::capture_async_with;
/// use obs_runtime::{Config, track_performance_async};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let config = Config::default().with(|config| config.max_series = 10);
/// let captured = capture_async_with(config, track_performance_async("load", async { 3 })).await;
/// captured.counter("operation.success").with("operation", "load").is(1);
/// # });
/// ```
pub async fn capture_async_with<F: Future>(config: Config, future: F) -> Captured<F::Output> {
    Capture::new().config(config).run_async(future).await
}

/// A capture with a configuration and a clock.
///
/// ```
/// use std::time::Duration;
///
/// use obs_runtime::testing::{Capture, Clock};
/// use obs_runtime::{Config, track_performance};
///
/// let clock = Clock::new();
/// let config = Config::default().with(|config| config.max_series = 10);
/// let captured = Capture::new().config(config).clock(&clock).run(|| {
///     track_performance("load", || clock.advance(Duration::from_secs(90)));
/// });
/// captured.histogram("operation.duration.seconds").sum_is(90);
/// ```
#[must_use = "nothing has run yet"]
#[derive(Clone, Debug, Default)]
pub struct Capture {
    config: Config,
    clock: Option<Clock>,
}

impl Capture {
    /// A capture with the default configuration and the clock of the system.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses this configuration.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Uses this clock.
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// Runs a closure, as [`capture`] does.
    pub fn run<R>(self, run: impl FnOnce() -> R) -> Captured<R> {
        let capture = Running::begin(self);
        let value = {
            let _inside = capture.context().enter();
            let _traces = capture.traces().inherit();
            run()
        };
        capture.end(value)
    }

    /// Runs a future, as [`capture_async`] does.
    pub async fn run_async<F: Future>(self, future: F) -> Captured<F::Output> {
        let capture = Running::begin(self);
        let value = InContext::of_command(capture.context(), capture.traces(), future).await;
        capture.end(value)
    }
}

/// A capture that has begun.
struct Running {
    scope: ScopedPipeline,
    memory: Arc<MemoryExporter>,
    metrics: Arc<MetricAggregator>,
    user_metrics: Arc<MemoryMetrics>,
}

impl Running {
    fn begin(Capture { config, clock }: Capture) -> Self {
        panic_watcher::watch();
        lifecycle::enable();
        let memory = Arc::new(MemoryExporter::new(config.tracing_enabled));
        let metrics = Arc::new(MetricAggregator::scoped(config.max_series));
        let user_metrics = Arc::new(MemoryMetrics::default());
        let recorder = user_metrics::scoped(Arc::clone(&user_metrics));
        let pipeline = FanOut::new(config, Arc::clone(&metrics), vec![Arc::clone(&memory) as _]);
        let on_enter = capture::on_enter(recorder, clock.map(|clock| clock.0));
        let scope = ScopedPipeline::new(Arc::new(pipeline), on_enter);
        Self { scope, memory, metrics, user_metrics }
    }

    /// Each capture has its own state of checks, and its own budgets unless the configuration has a folder for them.
    fn context(&self) -> Context {
        let mut context = self.scope.context();
        context.set_extension(Arc::<crate::checks::health::check_state::CheckState>::default());
        context.set_extension(Arc::<check_state::CheckState>::default());
        #[cfg(feature = "bigquery")]
        if self.scope.pipeline().config().state_dir.is_none() {
            context.set_extension(Arc::<crate::bigquery::budget::memory::MemoryBudgets>::default());
        }
        context
    }

    /// Where calls begin traces, if they are captured.
    fn traces(&self) -> Active {
        if self.scope.pipeline().config().tracing_enabled { Active::boundary() } else { active_span::current() }
    }

    fn end<R>(self, value: R) -> Captured<R> {
        registry::report_all_of(self.scope.pipeline());
        let metrics = Snapshot { user: self.user_metrics.series(), ..self.metrics.snapshot() };
        Captured { value, records: self.memory.take(), metrics }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::performance::track_performance;

    #[test]
    fn concurrent_captures_do_not_disable_each_other() {
        let captures = || {
            for _ in 0..2000 {
                let captured = capture(|| track_performance("step", || ()));
                assert_eq!(captured.records.calls.len(), 1);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(captures);
            }
        });
    }
}
