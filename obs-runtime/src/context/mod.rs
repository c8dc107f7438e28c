//! What travels with a call: correlation id, user, operation, and what features attach to it.

pub(crate) mod carry;
pub(crate) mod current;
pub(crate) mod propagation;
pub(crate) mod scope;
