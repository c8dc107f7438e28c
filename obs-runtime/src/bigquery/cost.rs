//! The wrapper of functions under `#[bq_cost]`.

use std::future::Future;

use crate::base::level::Level;
use crate::bigquery::report::{queried, spend};
use crate::bigquery::scope::inside;
use crate::bigquery::statistics::QueryStatistics;
use crate::context::in_context::InContext;
use crate::events::event::Fact;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::performance::{Tracked, boxed};
use crate::pipeline::global;

/// Reports what a call under `#[bq_cost]` has done, before it ends. The cost scope is still entered.
fn report(call: &Call, statistics: impl FnOnce() -> Option<QueryStatistics>) {
    if !call.is_on() {
        return;
    }
    let site = call.callsite();
    let source = global::source(site.place());
    if let Some(dataset) = call.entry().and_then(|entry| entry.dataset.clone()) {
        let fact = Fact::DatasetOperation { operation_type: site.query_label().into(), dataset: dataset.into() };
        global::emit_tagged(Level::Debug, source.clone(), fact, &call.tags());
    }
    if let Some(statistics) = statistics().filter(|statistics| !statistics.reported) {
        queried(source.clone(), site.query_label().into(), &statistics, &call.tags(), Vec::new(), Vec::new);
        spend(&source, &statistics);
    }
}

/// Runs the body of a function under `#[bq_cost]`.
pub fn cost<R>(
    mut call: Call,
    body: impl FnOnce() -> R,
    judge: impl FnOnce(&R, &mut Call) -> bool,
    statistics: impl FnOnce(&R) -> Option<QueryStatistics>,
) -> R {
    if !call.is_on() {
        return body();
    }
    let _inside = inside(&call).enter();
    let value = body();
    report(&call, || statistics(&value));
    judge(&value, &mut call);
    value
}

/// The async form of [`cost`].
pub fn cost_async<F, J, S>(call: Call, future: F, judge: J, statistics: S) -> impl Future<Output = F::Output>
where
    F: Future,
    J: FnOnce(&F::Output, &mut Call) -> bool,
    S: FnOnce(&F::Output) -> Option<QueryStatistics>,
{
    let context = inside(&call);
    let end = |call: &mut Call, judge: J, value: &F::Output| {
        report(call, || statistics(value));
        judge(value, call);
    };
    InContext::new(context, Tracked::new(boxed(call), future, judge, end))
}
