//! The span of `tracing` that is entered on this thread, for events that do not come by `tracing`.

use std::sync::Arc;

use tracing_core::dispatcher;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::events::log_span::LogSpan;

/// What the layer keeps of a span.
pub fn of<'r, S: LookupSpan<'r>>(span: &SpanRef<'r, S>) -> Option<Arc<LogSpan>> {
    span.extensions().get::<Arc<LogSpan>>().cloned()
}

/// The innermost span that is entered on this thread and that the layer takes, in a subscriber on a [`Registry`].
pub fn find() -> Option<Arc<LogSpan>> {
    dispatcher::get_default(|dispatch| {
        let current = dispatch.current_span();
        let registry = dispatch.downcast_ref::<Registry>()?;
        std::iter::successors(registry.span(current.id()?), SpanRef::parent).find_map(|span| of(&span))
    })
}
