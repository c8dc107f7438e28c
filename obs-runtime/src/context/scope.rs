//! The public interface of the context.

use std::borrow::Cow;
use std::future::Future;

use crate::base::level::Level;
use crate::context::current::{Context, ContextGuard};
use crate::context::in_context::InContext;
use crate::context::own_scope;
use crate::events::field::Value;
use crate::events::user::User;

/// The correlation id of the current context, which every log line contains: the id of a run or request.
#[must_use]
pub fn correlation_id() -> Option<String> {
    Context::with_current(|context| context.correlation_id().map(str::to_owned))
}

/// Sets the correlation id until the current scope ends: that of a [`LogContext`], of a command, or of the outermost annotated
/// function.
///
/// Outside of any scope it does nothing, because the id would pass to whatever runs on the thread next. The first such call
/// is warned of; all are counted as `obs.dropped{sink="context",reason="no_scope"}`.
pub fn set_correlation_id(id: impl AsRef<str>) {
    if !Context::change_current(|context| context.set_correlation_id(id.as_ref())) {
        own_scope::ignored("set_correlation_id");
    }
}

/// Sets the user, by an id or a [`User`], until the current scope ends. Outside of any scope it does nothing, like
/// [`set_correlation_id`].
///
/// ```
/// use obs_runtime::{LogContext, set_user};
///
/// LogContext::new().scope(|| {
///     set_user("ada");
///     // … log lines contain "user":"ada" …
/// });
/// ```
pub fn set_user(user: impl Into<User>) {
    if !Context::change_current(|context| context.set_user(user.into())) {
        own_scope::ignored("set_user");
    }
}

/// A new correlation id: a UUID of version 7, so that ids sort by time.
#[must_use]
pub fn new_correlation_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A context with its own correlation id, user, operation or further fields. Values that are not set are those of the context
/// that it was created in.
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
    /// Starts from the current context.
    pub fn new() -> Self {
        Self(Context::current())
    }

    /// Sets the correlation id.
    pub fn correlation_id(mut self, id: impl AsRef<str>) -> Self {
        self.0.set_correlation_id(id.as_ref());
        self
    }

    /// Sets the user, by an id or a [`User`].
    pub fn user(mut self, user: impl Into<User>) -> Self {
        self.0.set_user(user.into());
        self
    }

    /// Sets the operation.
    pub fn operation(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.set_operation(operation.into());
        self
    }

    /// Sets a field of every log line in the scope: text, a number or a boolean. It replaces a field of the same name; a field of
    /// the line itself takes precedence.
    ///
    /// ```
    /// obs_runtime::LogContext::new().field("tenant", "acme").field("attempt", 2).scope(|| {
    ///     // … log lines contain "tenant":"acme","attempt":2 …
    /// });
    /// ```
    pub fn field(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value<'static>>) -> Self {
        self.0.set_field(name.into(), value.into());
        self
    }

    /// Sets a tag of every error, panic and message that is sent to Sentry from the scope. It replaces a tag of the same name; a
    /// tag of a function or of a capture takes precedence.
    ///
    /// ```
    /// obs_runtime::LogContext::new().tag("tenant", "acme").scope(|| { /* … */ });
    /// ```
    pub fn tag(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value<'static>>) -> Self {
        self.0.set_tag(name.into(), value.into());
        self
    }

    /// Sets the level of every error and message that is sent to Sentry from the scope. Log lines keep theirs, and panics stay
    /// fatal.
    pub fn level(mut self, level: Level) -> Self {
        self.0.set_level(level);
        self
    }

    /// Enters the context on this thread until the guard is dropped. Use [`in_future`](Self::in_future) for futures.
    pub fn enter(self) -> ContextGuard {
        self.0.enter()
    }

    /// Runs a closure in the context.
    pub fn scope<R>(self, run: impl FnOnce() -> R) -> R {
        let _guard = self.enter();
        run()
    }

    /// Wraps a future so that it is polled in the context, on any thread.
    pub fn in_future<F: Future>(self, future: F) -> InContext<F> {
        InContext::new(self.0, future)
    }
}

impl Default for LogContext {
    fn default() -> Self {
        Self::new()
    }
}
