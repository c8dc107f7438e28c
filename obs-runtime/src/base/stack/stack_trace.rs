//! Where in the program something happened: the calls that led there, looked at only when somebody wants to read them.

use std::fmt;
#[cfg(feature = "sentry")]
use std::sync::Arc;

#[cfg(feature = "sentry")]
use crate::base::stack::known;

/// The calls that led to this point. Cheap to take, as it holds addresses only, and cheap to clone.
#[derive(Clone)]
pub struct Stack(#[cfg(feature = "sentry")] Arc<[usize]>);

impl Stack {
    /// The calls that led here; none in a build in which nobody reads them.
    #[must_use]
    #[cfg_attr(feature = "sentry", expect(clippy::unnecessary_wraps, reason = "a build without readers gives none"))]
    pub fn here() -> Option<Self> {
        #[cfg(feature = "sentry")]
        return Some(Self(known::calls()));
        #[cfg(not(feature = "sentry"))]
        None
    }

    /// The addresses of the calls, innermost first.
    #[cfg(feature = "sentry")]
    pub(crate) fn calls(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stack")
    }
}
