//! Redaction of secrets and personal data. A [`Redactor`](redactor::Redactor) creates [`Redacted`](redactor::Redacted)
//! events, and exporters accept no other events, so that an event that was not redacted does not compile.

pub(crate) mod cache;
pub(crate) mod cards;
pub(crate) mod event;
pub(crate) mod hash;
pub(crate) mod keywords;
pub(crate) mod names;
pub(crate) mod pair_names;
pub(crate) mod pair_values;
pub(crate) mod pairs;
pub(crate) mod parts;
pub(crate) mod patterns;
pub(crate) mod placeholders;
pub(crate) mod redactor;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod secret_words;
pub(crate) mod spans;
pub(crate) mod sql;
pub(crate) mod truncation;
pub(crate) mod urls;
pub(crate) mod values;
