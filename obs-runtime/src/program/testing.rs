//! Captures logs, metrics, errors and checks in tests, after the same redaction and aggregation as in production.
//!
//! ```
//! use obs_runtime::testing::capture;
//! use obs_runtime::{Outcome, track_performance};
//!
//! let captured = capture(|| track_performance("parse", || 42));
//! assert_eq!(captured.value, 42);
//! assert_eq!(captured.records.calls[0].outcome, Outcome::Ok);
//! assert_eq!(captured.metrics.value("operation.success", &[("operation", "parse")]), Some(1.0));
//! ```

use std::future::Future;
use std::sync::Arc;

pub use crate::events::failure_facts::FailureFacts;
pub use crate::exporters::memory::{CallRecord, ErrorRecord, Line, Records, ScopeRecord};

use crate::checks::quality::check_state;
use crate::config::validated::Config;
use crate::context::current::Context;
use crate::context::in_context::InContext;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::memory::MemoryExporter;
use crate::exporters::memory_metrics::MemoryMetrics;
use crate::instrument::call::lifecycle;
use crate::instrument::error_dedup::registry;
use crate::instrument::errors::panic_watcher;
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::capture;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::global::ScopedPipeline;
use crate::pipeline::user_metrics;

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
pub fn capture<R>(run: impl FnOnce() -> R) -> Captured<R> {
    capture_with(Config::default(), run)
}

/// Like [`capture`], with a configuration.
pub fn capture_with<R>(config: Config, run: impl FnOnce() -> R) -> Captured<R> {
    let capture = Capture::new(config);
    let value = {
        let _inside = capture.context().enter();
        run()
    };
    capture.end(value)
}

/// Like [`capture`], for a future.
pub async fn capture_async<F: Future>(future: F) -> Captured<F::Output> {
    let capture = Capture::new(Config::default());
    let value = InContext::new(capture.context(), future).await;
    capture.end(value)
}

struct Capture {
    scope: ScopedPipeline,
    memory: Arc<MemoryExporter>,
    metrics: Arc<MetricAggregator>,
    user_metrics: Arc<MemoryMetrics>,
}

impl Capture {
    fn new(config: Config) -> Self {
        panic_watcher::watch();
        lifecycle::enable();
        let memory = Arc::new(MemoryExporter::default());
        let metrics = Arc::new(MetricAggregator::scoped(config.max_series));
        let user_metrics = Arc::new(MemoryMetrics::default());
        let recorder = user_metrics::scoped(Arc::clone(&user_metrics));
        let pipeline = FanOut::new(config, Arc::clone(&metrics), vec![Arc::clone(&memory) as _]);
        let scope = ScopedPipeline::new(Arc::new(pipeline), capture::on_enter(recorder));
        Self { scope, memory, metrics, user_metrics }
    }

    /// Each capture has its own state of checks.
    fn context(&self) -> Context {
        let mut context = self.scope.context();
        context.set_extension(Arc::<crate::checks::health::check_state::CheckState>::default());
        context.set_extension(Arc::<check_state::CheckState>::default());
        context
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
