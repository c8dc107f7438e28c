//! The wrapper of functions under `#[bq_cost]`.

use std::future::Future;

use crate::base::level::Level;
use crate::bigquery::report::{queried, spend};
use crate::bigquery::scope::inside;
use crate::bigquery::statistics::QueryStatistics;
use crate::context::in_context::InContext;
use crate::events::event::Fact;
use crate::events::failure::Failure;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::performance::{Tracked, boxed};
use crate::pipeline::global;

/// Ends a call under `#[bq_cost]`. The cost scope is still entered.
fn finish(call: &mut Call, failure: Option<&Failure<'_>>, statistics: impl FnOnce() -> Option<QueryStatistics>) {
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
    call.finish(failure, None);
}

/// Runs the body of a function under `#[bq_cost]`.
pub fn cost<R>(
    mut call: Call,
    body: impl FnOnce() -> R,
    judge: impl for<'v> FnOnce(&'v R) -> Option<Failure<'v>>,
    statistics: impl FnOnce(&R) -> Option<QueryStatistics>,
) -> R {
    if !call.is_on() {
        return body();
    }
    let _inside = inside(&call).enter();
    let value = body();
    finish(&mut call, judge(&value).as_ref(), || statistics(&value));
    value
}

/// The async form of [`cost`].
pub fn cost_async<F, J, S>(call: Call, future: F, judge: J, statistics: S) -> impl Future<Output = F::Output>
where
    F: Future,
    J: for<'v> FnOnce(&'v F::Output) -> Option<Failure<'v>>,
    S: FnOnce(&F::Output) -> Option<QueryStatistics>,
{
    let context = inside(&call);
    let end = |call: &mut Call, judge: J, value: &F::Output| {
        finish(call, judge(value).as_ref(), || statistics(value));
    };
    InContext::new(context, Tracked::new(boxed(call), future, judge, end))
}
