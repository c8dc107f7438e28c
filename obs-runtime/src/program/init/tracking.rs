//! The builder's settings for Sentry.

use std::sync::Arc;

use crate::program::init::observability::ObservabilityBuilder;
use crate::sentry_protocol::{Breadcrumb, Event};

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

    /// Calls a function with each redacted breadcrumb of an event before the event is sent to Sentry. The function may change the
    /// breadcrumb, or drop it by returning `None`. It runs on a thread of obs; if it panics, the event is dropped and counted.
    ///
    /// The type is exempt from semver, as that of [`before_send`](Self::before_send).
    pub fn before_breadcrumb(
        mut self,
        before_breadcrumb: impl Fn(Breadcrumb) -> Option<Breadcrumb> + Send + Sync + 'static,
    ) -> Self {
        self.sentry.before_breadcrumb = Some(Arc::new(before_breadcrumb));
        self
    }

    /// The most breadcrumbs of one event, 500 at most. The default is 100.
    pub fn max_breadcrumbs(mut self, most: usize) -> Self {
        self.sentry.max_breadcrumbs = Some(most);
        self
    }

    /// Labels (`error_type`) of errors that are not sent to Sentry, such as `io_Error`. They are logged and counted all the same,
    /// and as `obs.dropped{sink="sentry",reason="ignored"}`.
    pub fn ignore_errors<T: Into<String>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.sentry.ignore_errors.extend(labels.into_iter().map(Into::into));
        self
    }

    /// Whether sentry's main hub, if it has no client, gets that of obs until the guard is dropped: `sentry::capture_message` and
    /// sentry's integrations then send redacted events by it, without blocking. The default is true.
    pub fn sentry_hub(mut self, bound: bool) -> Self {
        self.sentry.leaves_hub_alone = !bound;
        self
    }

    /// Whether what Sentry cannot take, as in an outage, is kept for the next run: in `OBS_STATE_DIR`, redacted, at most 200 envelopes,
    /// 10 MiB and seven days. The next run sends it after its own events, within `OBS_FLUSH_TIMEOUT`. The default is true if `OBS_STATE_DIR`
    /// is set; without it nothing is kept.
    ///
    /// ```no_run
    /// let builder = obs_runtime::Observability::builder().sentry_spool(false);
    /// # let _ = builder;
    /// ```
    pub fn sentry_spool(mut self, kept: bool) -> Self {
        self.sentry.keeps_nothing = !kept;
        self
    }

    /// Prefixes of function names that are not in-app frames. Of a prefix here and one of [`in_app_include`](Self::in_app_include), the
    /// longer decides.
    pub fn in_app_exclude<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.sentry.in_app_exclude.extend(names.into_iter().map(Into::into));
        self
    }
}
