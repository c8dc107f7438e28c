//! The span of another process that this one works for.

use crate::base::trace_context::TraceContext;
use crate::base::trace_state::TraceState;

/// The span of another process that this one works for, an extension of the context.
#[derive(Debug)]
pub struct RemoteParent {
    /// The span.
    pub trace: TraceContext,
    /// What came with it.
    pub state: Option<TraceState>,
    /// What Sentry's baggage says of the trace. It is passed on unchanged.
    #[cfg_attr(not(feature = "sentry"), expect(dead_code, reason = "only Sentry's exporter passes it on"))]
    pub baggage: Option<String>,
}
