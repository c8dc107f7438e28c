//! What generated code calls: the contract between obs-macros and this crate of the same version. It is not public API.
//!
//! Where the type of a value decides, generated code uses autoref specialization: a method call on `&&Wrapper(value)`
//! takes the applicable implementation with the most references.

pub mod at_end;
pub mod each;
pub mod exit_code;
pub mod hashed;
mod in_place;
mod inference;
pub mod judge;
pub mod returned;
pub mod show;
pub mod statistics;
pub mod text;
pub mod verdict;

pub use std::sync::Arc;

pub use crate::__obs_link as link;
pub use crate::base::ffi::{Callsites, ErrorKinds, Health, Quality, Section};
pub use crate::base::level::Level;
pub use crate::base::schedule::Schedule;
pub use crate::bigquery::cost::{cost, cost_async};
pub use crate::checks::health::check::HealthCheck;
pub use crate::checks::quality::check::QualityCheck;
pub use crate::checks::quality::partition::PartitionUnit;
pub use crate::checks::quality::status::Severity;
pub use crate::events::error_kind::RegisteredKind;
pub use crate::events::failure::Failure;
pub use crate::instrument::call::entry::Entry;
pub use crate::instrument::command::{command, command_async, command_in_place};
pub use crate::instrument::errors::tracked::{
    enclosed, enclosed_ended, errors, errors_async, errors_or, errors_or_async,
};
pub use crate::instrument::performance::{ended, performance, performance_async, performance_in_place};
pub use crate::metrics::callsite::Callsite;
pub use crate::program::init::entry_point::{EntryPoint, of_crate};
pub use in_place::{cost_in_place, errors_in_place};
pub use inference::{described, expect_return, judged};
