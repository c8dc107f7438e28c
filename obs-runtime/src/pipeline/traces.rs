//! Begins traces, and hands what of them is to be exported to the exporters.

use std::sync::Arc;

use crate::base::level::Level;
use crate::base::trace_context::TraceContext;
use crate::base::trace_state::TraceState;
use crate::config::otlp::OtlpSignal;
use crate::context::current::Context;
use crate::context::remote_parent::RemoteParent;
use crate::events::active_span::{self, Active, OpenSpan};
use crate::events::event::{Details, Fact};
#[cfg(feature = "otlp")]
use crate::events::program_span::ProgramSpan;
#[cfg(feature = "otlp")]
use crate::events::program_spans::ProgramSpans;
use crate::events::span::{RecordedTrace, Sampling, TraceRoot};
use crate::events::span_beginning::Beginning;
use crate::events::span_buffer::SpanBuffer;
use crate::exporters::interface::Topic;
use crate::metrics::callsite::{SourceLocation, Tags};
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;

/// The `op` of a request's span when it begins.
pub const REQUEST: &str = "http.server";

/// The beginning of a trace, or of this process' part in the trace of its caller.
pub fn root_of(context: &Context) -> TraceRoot {
    let remote = || context.extension::<RemoteParent>().map(|parent| parent.trace).or_else(|| context.trace());
    let around = active_span::trace();
    let caller = around.or_else(remote);
    let trace = caller.map_or_else(|| TraceContext::begin(context.correlation_id()), TraceContext::next);
    TraceRoot { is_remote: around.is_none() && caller.is_some(), ..TraceRoot::new(trace, caller) }
}

/// Begins a trace, if an exporter wants it.
///
/// # Errors
/// What is active inside instead.
pub fn begin_root(beginning: &Beginning, link: Option<TraceContext>) -> Result<OpenSpan, Active> {
    let pipeline = global::pipeline().ok_or(Active::NotRecorded(None))?;
    let (root, state) = match link {
        // It is a trace of its own, and not a part of the one that has ended. That decides whether it is wanted.
        Some(_) => (TraceRoot::new(TraceContext::begin(None), link), None),
        None => Context::with_current(|context| {
            let root = TraceRoot { is_request: beginning.op == REQUEST, ..root_of(context) };
            (root, context.trace_state(&root.trace))
        }),
    };
    let (root, buffer) = record(&*pipeline, beginning, root, link, state);
    let not_recorded = || Active::NotRecorded(pipeline.config().exports_otlp(OtlpSignal::Traces).then_some(root.trace));
    Ok(OpenSpan::root(buffer.ok_or_else(not_recorded)?, beginning.begun))
}

/// Records a trace that begins, if an exporter wants it. Returns its beginning with the decision whether it is sampled.
#[cfg_attr(not(feature = "otlp"), expect(unused_variables, reason = "for the program's tracer provider"))]
pub fn record(
    pipeline: &dyn Pipeline,
    beginning: &Beginning,
    root: TraceRoot,
    link: Option<TraceContext>,
    state: Option<TraceState>,
) -> (TraceRoot, Option<Arc<SpanBuffer>>) {
    #[cfg(feature = "otlp")]
    let (program, root) = {
        let exports = pipeline.config().exports_otlp(OtlpSignal::Traces);
        let program = exports.then(|| ProgramSpan::root(beginning, root.caller, state.as_ref(), link)).flatten();
        let root = match program.as_ref().and_then(ProgramSpan::trace) {
            Some(trace) => TraceRoot { trace, decision: Some(trace.is_sampled()), ..root },
            None => root,
        };
        (program.filter(ProgramSpan::is_recording), root)
    };
    let sampling = pipeline.sampling(&root);
    let is_sampled = root.decision.unwrap_or(sampling == Sampling::Yes);
    // What the caller of a linked trace decided has been used.
    let root = TraceRoot {
        trace: root.trace.with_sampled(is_sampled),
        caller: root.caller.filter(|_| link.is_none()),
        ..root
    };
    if sampling == Sampling::No {
        return (root, None);
    }
    let buffer = SpanBuffer::begin(root, link, state, sampling);
    #[cfg(feature = "otlp")]
    let buffer = buffer.with_program(ProgramSpans::of_root(program, beginning.clone()));
    (root, Some(Arc::new(buffer)))
}

/// Emits what of a trace is to be exported.
pub fn emit(recorded: Vec<RecordedTrace>, place: Option<SourceLocation>, tags: &Tags) {
    for recorded in recorded {
        let (source, tags) = (place.map(global::source).unwrap_or_default(), tags.clone());
        global::emit(Topic::Report, Level::Info, source, |_| {
            (Fact::Traced(Box::new(recorded)), Details { fields: Vec::new(), tags })
        });
    }
}
