//! The builder's settings for Sentry.

use std::sync::Arc;

use crate::program::init::observability::ObservabilityBuilder;
use crate::sentry_protocol::Event;

impl ObservabilityBuilder {
    /// A function that sees each event last before it goes to Sentry, with secrets and personal data taken out. It may
    /// change the event, or keep it back by `None`. It runs on a thread of obs' own; should it panic, the event is dropped
    /// and counted.
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

    /// Beginnings of the names of functions that are the program's own in Sentry's stack traces, as `my_library::`. The
    /// crates whose functions bear obs' attributes are so anyway.
    pub fn in_app_include<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.sentry.in_app_include.extend(names.into_iter().map(Into::into));
        self
    }

    /// Beginnings of the names of functions that are not the program's own.
    pub fn in_app_exclude<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.sentry.in_app_exclude.extend(names.into_iter().map(Into::into));
        self
    }
}
