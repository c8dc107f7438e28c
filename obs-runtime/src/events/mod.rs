//! The event vocabulary: events that features create and exporters receive, error events, and how both are rendered.

pub(crate) mod active_span;
pub(crate) mod command_run;
pub(crate) mod error_kind;
pub(crate) mod event;
pub(crate) mod event_id;
pub(crate) mod event_status;
pub(crate) mod failure;
pub(crate) mod failure_facts;
pub(crate) mod field;
pub(crate) mod field_buffer;
pub(crate) mod fingerprint;
pub(crate) mod log_span;
pub(crate) mod logged_errors;
pub(crate) mod panics;
pub(crate) mod program_trace;
pub(crate) mod rendering;
pub(crate) mod report;
pub(crate) mod span;
pub(crate) mod span_buffer;
pub(crate) mod span_event;
pub(crate) mod span_groups;
pub(crate) mod type_names;
pub(crate) mod user;
