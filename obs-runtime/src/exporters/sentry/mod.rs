//! Sentry: errors, panics and messages as events, breadcrumbs, check-ins, sessions and traces.

pub(crate) mod baggage;
pub(crate) mod breadcrumbs;
pub(crate) mod check_ins;
pub(crate) mod command_runs;
pub(crate) mod connection;
pub(crate) mod contexts;
pub(crate) mod event_draft;
pub(crate) mod event_size;
pub(crate) mod exporter;
pub(crate) mod foreign_events;
pub(crate) mod frames;
pub(crate) mod function_names;
pub(crate) mod grouping;
pub(crate) mod in_app;
pub(crate) mod kept;
pub(crate) mod options;
pub(crate) mod plain_proxy;
pub(crate) mod process_session;
pub(crate) mod queue;
pub(crate) mod rejection;
pub(crate) mod route;
pub(crate) mod spool;
pub(crate) mod stacktrace;
pub(crate) mod traces;
pub(crate) mod transport;
pub(crate) mod worker;
