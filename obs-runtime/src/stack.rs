//! Where in the program something happened: the calls that led there, looked at only when somebody wants to read them.

use std::fmt;
#[cfg(feature = "sentry")]
use std::sync::Arc;

/// The calls that led to this point. Cheap to take, as it holds addresses only, and cheap to clone.
#[derive(Clone)]
pub struct Stack(#[cfg(feature = "sentry")] Arc<backtrace::Backtrace>);

impl Stack {
    /// The calls that led here; none in a build in which nobody reads them.
    #[must_use]
    #[cfg_attr(feature = "sentry", expect(clippy::unnecessary_wraps, reason = "a build without readers gives none"))]
    pub fn here() -> Option<Self> {
        #[cfg(feature = "sentry")]
        return Some(Self(Arc::new(backtrace::Backtrace::new_unresolved())));
        #[cfg(not(feature = "sentry"))]
        None
    }

    /// The calls with their names and places, innermost first. Takes milliseconds the first time.
    #[cfg(feature = "sentry")]
    pub(crate) fn resolved(&self) -> backtrace::Backtrace {
        let mut resolved = (*self.0).clone();
        resolved.resolve();
        resolved
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stack")
    }
}
