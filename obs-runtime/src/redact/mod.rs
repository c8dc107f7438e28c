//! What may leave the process: a [`Redactor`](redactor::Redactor) makes [`Redacted`](redactor::Redacted) events; exporters take no others.

pub(crate) mod cache;
pub(crate) mod cards;
pub(crate) mod event;
pub(crate) mod hash;
pub(crate) mod names;
pub(crate) mod pairs;
pub(crate) mod patterns;
pub(crate) mod redactor;
pub(crate) mod scan;
pub(crate) mod spans;
pub(crate) mod sql;
pub(crate) mod urls;
pub(crate) mod values;
