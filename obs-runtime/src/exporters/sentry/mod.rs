//! Sentry: errors, panics and messages as events, breadcrumbs, check-ins, sessions and traces.

pub(crate) mod breadcrumbs;
pub(crate) mod command_runs;
pub(crate) mod contexts;
pub(crate) mod event_draft;
pub(crate) mod event_size;
pub(crate) mod exporter;
pub(crate) mod foreign_events;
pub(crate) mod grouping;
pub(crate) mod options;
pub(crate) mod queue;
pub(crate) mod rejection;
pub(crate) mod stacktrace;
pub(crate) mod traces;
pub(crate) mod transport;
pub(crate) mod worker;
