//! The context of calls: correlation id, user, operation, trace, fields, and extensions of features. It follows a call over
//! `.await`, and propagates to tasks, threads, child processes and HTTP requests.

pub(crate) mod current;
pub(crate) mod extract;
pub(crate) mod in_context;
pub(crate) mod of_span;
pub(crate) mod on_enter;
pub(crate) mod own_scope;
pub(crate) mod propagation;
pub(crate) mod remote_parent;
pub(crate) mod scope;
pub(crate) mod scope_state;
pub(crate) mod sentry_trace;
pub(crate) mod tasks;
