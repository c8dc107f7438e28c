//! The generated code: the call site, what a call records, and the call into the runtime around the body.

pub mod caller;
pub mod callsite;
pub mod captures;
pub mod check;
pub mod declared;
pub mod entry;
pub mod ide;
pub mod judge;
pub mod model;
pub mod off;
pub mod shared_keys;
pub mod wrap;
