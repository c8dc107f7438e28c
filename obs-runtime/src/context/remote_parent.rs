//! The span of another process that this one works for.

use crate::base::trace_context::TraceContext;

/// The span of another process that this one works for, an extension of the context.
#[derive(Debug)]
pub struct RemoteParent(pub TraceContext);
