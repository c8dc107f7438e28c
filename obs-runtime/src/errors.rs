//! Errors: captured with what is known of the call that they ended.

use std::borrow::Cow;
use std::error::Error;
use std::panic::Location;

use crate::context::Context;
use crate::event::{Details, Fact};
use crate::failure::Failure;
use crate::global;
use crate::level::Level;
use crate::sinks::Topic;

/// Captures an error by hand: one log line, `operation.error{operation,error_type}`. The operation is the one of the
/// context, or `unknown` outside of any. Nothing happens before obs is initialised.
///
/// ```
/// if let Err(error) = "x".parse::<i32>() {
///     obs_runtime::capture_error(&error);
/// }
/// ```
#[track_caller]
pub fn capture_error<E: Error + 'static>(error: &E) {
    let source = global::caller(Location::caller());
    // Nothing is formatted unless a sink wants it.
    global::emit(Topic::Fact, Level::Error, source, |_| {
        let operation = Context::with_current(|context| context.operation().map(str::to_owned));
        let operation = operation.map_or(Cow::Borrowed("unknown"), Cow::Owned);
        let failure = Failure::error(error).facts();
        (Fact::Captured { operation, failure, panic: false }, Details::default())
    });
}
