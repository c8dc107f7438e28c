//! The last initialisation that failed, for the commands that say what is wrong.

use std::sync::{Mutex, PoisonError};

use crate::config::settings::Setting;
use crate::config::validated::Config;

/// An initialisation that failed.
#[derive(Clone)]
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only commands read it"))]
pub struct FailedInit {
    /// The configuration, each faulty value at its default.
    pub config: Config,
    pub settings: Vec<Setting>,
    /// Why it failed, redacted.
    pub problems: Vec<String>,
}

static LAST: Mutex<Option<FailedInit>> = Mutex::new(None);

/// Remembers a failure, or, with `None`, that obs was initialised.
pub fn set(failed: Option<FailedInit>) {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = failed;
}

/// The last initialisation, if it failed.
#[cfg(feature = "cli")]
pub fn last() -> Option<FailedInit> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
