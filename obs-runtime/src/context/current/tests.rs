//! Scopes nest, and things hang onto them.

use std::sync::Arc;

use crate::context::current::Context;
use crate::context::scope::{LogContext, correlation_id};

#[test]
fn nested_scopes_restore_what_was_there_also_after_a_panic() {
    let outer = LogContext::new().correlation_id("a").user("u").enter();
    let panicked = std::panic::catch_unwind(|| {
        LogContext::new().correlation_id("b").scope(|| {
            Context::with_current(|context| assert_eq!(context.scope().user.as_deref(), Some("u")));
            panic!("inside")
        });
    });
    assert!(panicked.is_err());
    assert_eq!(correlation_id().as_deref(), Some("a"));
    drop(outer);
    assert_eq!(correlation_id(), None);
}

#[test]
fn what_hangs_on_a_context_is_found_by_type() {
    let mut context = Context::default();
    context.carry(Arc::new(5_u8));
    context.carry(Arc::new("x".to_owned()));
    context.carry(Arc::new(6_u8));
    assert_eq!(context.carried::<u8>().as_deref(), Some(&6));
    assert_eq!(context.carried::<u16>(), None);
}
