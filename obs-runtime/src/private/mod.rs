//! What the attributes' generated code calls: the whole contract between obs-macros and this crate, of that very version.
//! Nothing here is for people.
//!
//! Where the type of a value decides what can be done with it, the generated code asks by auto-referencing: a method call
//! on `&&Wrapper(value)` takes the implementation for the most references that fits.

pub mod each;
pub mod hashed;
pub mod judge;
pub mod show;
pub mod statistics;
pub mod text;
pub mod verdict;

pub use std::sync::Arc;

pub use crate::analytics::{command, command_async};
pub use crate::bigquery::cost::{cost, cost_async};
pub use crate::call::Entry;
pub use crate::callsite::Callsite;
pub use crate::errors::{enclosed, enclosed_ended, errors, errors_async, errors_or, errors_or_async};
pub use crate::failure::Failure;
pub use crate::health::{HEALTH_CHECKS, HealthCheck};
pub use crate::level::Level;
pub use crate::performance::{ended, performance, performance_async, until_left};
pub use crate::quality::{QUALITY_CHECKS, QualityCheck, Severity};
pub use crate::registry::CALLSITES;
pub use crate::schedule::Schedule;

/// Nothing, of a type: `if let Some(value) = expect_return::<T>() { return value; }` pins what an async block returns.
#[inline]
pub const fn expect_return<T>() -> Option<T> {
    None
}

/// Types what would describe a call, in a build with obs off.
#[inline]
pub fn described(_describe: impl FnOnce(&mut Entry)) {}

/// Types what would judge a value, in a build with obs off.
#[inline]
pub fn judged<T>(_judge: impl for<'v> FnOnce(&'v T) -> Option<Failure<'v>>) {}
