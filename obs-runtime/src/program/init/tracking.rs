//! The builder's settings for Sentry.

use std::sync::Arc;

use crate::program::init::observability::ObservabilityBuilder;
use crate::sentry_protocol::Event;

impl ObservabilityBuilder {
    /// Calls a function with each redacted event before it is sent to Sentry. The function may change the event, or drop it
    /// by returning `None`. It runs on a thread of obs; if it panics, the event is dropped and counted.
    ///
    /// The type of the event is sentry's, in [`sentry_protocol`](crate::sentry_protocol). It is exempt from semver: obs may
    /// move to another version of sentry, which is below 1.0, in a minor release.
    ///
    /// ```no_run
    /// let builder = obs_runtime::Observability::builder().before_send(|mut event| {
    ///     event.tags.insert("team".to_owned(), "growth".to_owned());
    ///     Some(event)
    /// });
    /// # let _ = builder;
    /// ```
    pub fn before_send(
        mut self,
        before_send: impl Fn(Event<'static>) -> Option<Event<'static>> + Send + Sync + 'static,
    ) -> Self {
        self.sentry.before_send = Some(Arc::new(before_send));
        self
    }

    /// Prefixes of function names that are in-app frames in Sentry's stack traces, such as `my_library::`. Crates with
    /// instrumented functions are in-app by default.
    pub fn in_app_include<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.sentry.in_app_include.extend(names.into_iter().map(Into::into));
        self
    }

    /// Whether events to Sentry tell the name of the machine. The default is true.
    pub fn sentry_server_name(mut self, sent: bool) -> Self {
        self.sentry.hides_server_name = !sent;
        self
    }

    /// Prefixes of function names that are not in-app frames.
    pub fn in_app_exclude<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.sentry.in_app_exclude.extend(names.into_iter().map(Into::into));
        self
    }
}
