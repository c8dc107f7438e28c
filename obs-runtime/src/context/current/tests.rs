//! Nested contexts and extensions.

use std::sync::Arc;

use crate::context::current::Context;
use crate::context::scope::{LogContext, correlation_id};

#[test]
fn a_nested_scope_restores_the_outer_context_also_after_a_panic() {
    let outer = LogContext::new().correlation_id("a").user("u").enter();
    let panicked = std::panic::catch_unwind(|| {
        LogContext::new().correlation_id("b").scope(|| {
            Context::with_current(|context| assert_eq!(context.event_context().user.as_deref(), Some("u")));
            panic!("inside")
        });
    });
    assert!(panicked.is_err());
    assert_eq!(correlation_id().as_deref(), Some("a"));
    drop(outer);
    assert_eq!(correlation_id(), None);
}

#[test]
fn extensions_are_found_by_type() {
    let mut context = Context::default();
    context.set_extension(Arc::new(5_u8));
    context.set_extension(Arc::new("x".to_owned()));
    context.set_extension(Arc::new(6_u8));
    assert_eq!(context.extension::<u8>().as_deref(), Some(&6));
    assert_eq!(context.extension::<u16>(), None);
}
