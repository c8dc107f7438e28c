//! The callback of a run that follows its results.

use std::fmt;
use std::sync::Arc;

use crate::checks::quality::report::QualityResult;

type Listener = dyn Fn(usize, usize, &QualityResult) + Send + Sync;

/// Called with each result: the number of results so far, the number of checks, and the result.
#[derive(Clone)]
pub struct Progress(pub(super) Arc<Listener>);

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Progress")
    }
}
