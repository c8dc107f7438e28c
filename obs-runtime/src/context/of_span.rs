//! The context that a span of `tracing` brings along to other threads.

use std::sync::Arc;

use crate::context::current::{Context, Inner};
use crate::events::log_span::{CreationContext, EventSpans, LogSpan};

impl Context {
    /// The context of an event in these spans. On a thread in no context, as that of a database driver is, it is the one in which the
    /// innermost span was created.
    #[must_use]
    pub fn of_event(spans: &EventSpans) -> Self {
        Self::entered().or_else(|| Self::of_span(spans.innermost()?)).unwrap_or_else(Self::current)
    }

    /// The same for an event here.
    #[must_use]
    pub fn of_event_here() -> Self {
        Self::entered().unwrap_or_else(|| Self::of_event(&EventSpans::current()))
    }

    fn of_span(span: &LogSpan) -> Option<Self> {
        let context = Arc::clone(span.context()?);
        context.downcast::<Inner>().ok().map(|inner| Self(Some(inner)))
    }

    /// The context that is entered on this thread, for a span that is created here.
    #[must_use]
    pub fn for_span() -> Option<CreationContext> {
        Self::entered()?.0.map(|inner| inner as CreationContext)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(context: Option<CreationContext>, parent: Option<Arc<LogSpan>>) -> (Arc<LogSpan>, EventSpans) {
        let span = Arc::new(LogSpan::new("span", parent, context, Vec::new()));
        (Arc::clone(&span), EventSpans::Raw(span))
    }

    fn context(id: &str) -> Context {
        let mut context = Context::default();
        context.set_correlation_id(id);
        context
    }

    #[test]
    fn a_thread_without_a_context_has_that_of_its_innermost_span_with_one() {
        let (outer, of_outer) = context("outer").enter_scoped(|| spans(Context::for_span(), None));
        let (_, of_inner) = context("inner").enter_scoped(|| spans(Context::for_span(), Some(Arc::clone(&outer))));
        let (_, without) = spans(Context::for_span(), Some(outer));
        let id = |spans: &EventSpans| Context::of_event(spans).correlation_id().map(str::to_owned);
        assert_eq!(id(&of_outer).as_deref(), Some("outer"));
        assert_eq!(id(&of_inner).as_deref(), Some("inner"));
        assert_eq!(id(&without).as_deref(), Some("outer"));
        assert_eq!(id(&EventSpans::None), None);
        let entered = context("entered").enter_scoped(|| id(&of_inner));
        assert_eq!(entered.as_deref(), Some("entered"));
    }

    impl Context {
        fn enter_scoped<R>(self, run: impl FnOnce() -> R) -> R {
            let _guard = self.enter();
            run()
        }
    }
}
