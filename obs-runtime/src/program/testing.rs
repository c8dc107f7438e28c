//! For users' own tests: what was logged, measured, captured and checked, by the code that really does it.
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

pub use crate::events::event::FailureFacts;
pub use crate::exporters::memory::{CallRecord, ErrorRecord, Line, Records, ScopeRecord};

use crate::checks::quality::check_state;
use crate::config::validated::Config;
use crate::context::current::Context;
use crate::context::in_context::InContext;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::memory::MemoryExporter;
use crate::instrument::call::lifecycle;
use crate::instrument::error_dedup::registry;
use crate::instrument::errors::panic_watcher;
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::global::ScopedPipeline;
use crate::pipeline::subscriber;

/// What some code did, seen after the redaction that real sinks see it after.
#[derive(Clone, Debug)]
pub struct Captured<R> {
    /// What it returned.
    pub value: R,
    /// What happened.
    pub records: Records,
    /// What was measured.
    pub metrics: Snapshot,
}

/// Runs a closure and captures what it reports: on this thread, and wherever its context is carried
/// ([`spawn`](crate::spawn), `in_current_context`). Nothing of it goes to installed sinks, and tests that run at the same
/// time do not see each other.
pub fn capture<R>(run: impl FnOnce() -> R) -> Captured<R> {
    capture_with(Config::default(), run)
}

/// The same under a configuration.
pub fn capture_with<R>(config: Config, run: impl FnOnce() -> R) -> Captured<R> {
    let capture = Capture::new(config);
    let value = {
        let _inside = capture.context().enter();
        run()
    };
    capture.end(value)
}

/// The same for a future.
pub async fn capture_async<F: Future>(future: F) -> Captured<F::Output> {
    let capture = Capture::new(Config::default());
    let value = InContext::new(capture.context(), future).await;
    capture.end(value)
}

struct Capture {
    scope: ScopedPipeline,
    memory: Arc<MemoryExporter>,
    metrics: Arc<MetricAggregator>,
}

impl Capture {
    fn new(config: Config) -> Self {
        panic_watcher::watch();
        lifecycle::enable();
        subscriber::install(Vec::new());
        let memory = Arc::new(MemoryExporter::default());
        let metrics = Arc::new(MetricAggregator::scoped(config.max_series));
        let pipeline = FanOut::new(config, Arc::clone(&metrics), vec![Arc::clone(&memory) as _]);
        Self { scope: ScopedPipeline::new(Arc::new(pipeline)), memory, metrics }
    }

    /// Checks run for this capture alone, and remember nothing of other runs.
    fn context(&self) -> Context {
        let mut context = self.scope.context();
        context.set_extension(Arc::<crate::checks::health::check_state::CheckState>::default());
        context.set_extension(Arc::<check_state::CheckState>::default());
        context
    }

    fn end<R>(self, value: R) -> Captured<R> {
        registry::report_all_of(self.scope.pipeline());
        Captured { value, records: self.memory.take(), metrics: self.metrics.snapshot() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::performance::track_performance;

    #[test]
    fn captures_that_begin_and_end_at_once_do_not_switch_each_other_off() {
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
