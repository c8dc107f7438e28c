//! The event vocabulary: what happened, and how it reads.

pub(crate) mod event;
pub(crate) mod failure;
pub(crate) mod field;
pub(crate) mod field_buffer;
pub(crate) mod fingerprint;
pub(crate) mod panics;
pub(crate) mod rendering;
pub(crate) mod report;
pub(crate) mod type_names;
