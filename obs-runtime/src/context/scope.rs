//! Scopes that a program opens by hand, and what it asks and sets of the one it is in.

use std::borrow::Cow;
use std::future::Future;

use crate::context::carry::InContext;
use crate::context::current::{Context, ContextGuard};
use crate::events::field::Value;

/// The id of the run or request that this code works for, as it stands in every log line; none outside of any scope.
#[must_use]
pub fn correlation_id() -> Option<String> {
    Context::with_current(|context| context.correlation_id().map(str::to_owned))
}

/// Sets the correlation id of the current scope (of the thread's rest, outside of any).
pub fn set_correlation_id(id: impl AsRef<str>) {
    let mut context = Context::current();
    context.set_correlation_id(id.as_ref());
    Context::replace(context);
}

/// Sets the user of the current scope.
pub fn set_user(user: impl AsRef<str>) {
    let mut context = Context::current();
    context.set_user(user.as_ref());
    Context::replace(context);
}

/// A fresh correlation id: a UUID of version 7, so that ids sort by time.
#[must_use]
pub fn new_correlation_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A scope with its own correlation id, user, operation or further fields; what is not set stays as it is outside.
///
/// ```
/// use obs_runtime::{LogContext, correlation_id};
///
/// LogContext::new().correlation_id("run-7").operation("import").scope(|| {
///     assert_eq!(correlation_id().as_deref(), Some("run-7"));
/// });
/// assert_eq!(correlation_id(), None);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a LogContext does nothing before it is entered"]
pub struct LogContext(pub(super) Context);

impl LogContext {
    /// The current context, to be changed.
    pub fn new() -> Self {
        Self(Context::current())
    }

    /// Sets the correlation id.
    pub fn correlation_id(mut self, id: impl AsRef<str>) -> Self {
        self.0.set_correlation_id(id.as_ref());
        self
    }

    /// Sets the user.
    pub fn user(mut self, user: impl AsRef<str>) -> Self {
        self.0.set_user(user.as_ref());
        self
    }

    /// Sets the operation.
    pub fn operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.set_operation(operation.into());
        self
    }

    /// Sets a field that stands in every line of the scope: text, a number or a truth value. One of the same name is
    /// replaced; a line's own field of that name goes before it.
    ///
    /// ```
    /// obs_runtime::LogContext::new().field("tenant", "acme").field("attempt", 2).scope(|| {
    ///     // … every line of this has "tenant":"acme","attempt":2 …
    /// });
    /// ```
    pub fn field(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value<'static>>) -> Self {
        self.0.set_field(name.into(), value.into());
        self
    }

    /// Enters the scope until the guard is dropped. For futures there is [`in_future`](Self::in_future).
    pub fn enter(self) -> ContextGuard {
        self.0.enter()
    }

    /// Runs a closure in the scope.
    pub fn scope<R>(self, run: impl FnOnce() -> R) -> R {
        let _inside = self.enter();
        run()
    }

    /// Polls a future in the scope, on whichever thread it is polled.
    pub fn in_future<F: Future>(self, future: F) -> InContext<F> {
        InContext::new(self.0, future)
    }
}

impl Default for LogContext {
    fn default() -> Self {
        Self::new()
    }
}
