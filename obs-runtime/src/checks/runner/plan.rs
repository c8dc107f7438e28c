//! What a run needs to know of its checks: when each may start, and what its outcome means.

use crate::checks::runner::job::Job;
use crate::checks::runner::outcome::FinishedCall;

/// What to do with a check now.
pub enum Admission<V, R> {
    /// Call it.
    Start(Job<V>),
    /// Ask again when this gate has opened.
    Wait(usize),
    /// It has a result without being called.
    Finished(R),
}

/// Whether the checks that must come first let a check run.
pub enum Gate {
    /// They all finished and allow it.
    Open,
    /// Some have not finished; this gate opens when they have.
    Pending(usize),
    /// It is skipped, for this reason.
    Closed(String),
}

/// The checks of a run, by index.
pub trait Plan {
    /// What a check's function gives.
    type Value: Clone + Send + 'static;
    /// What becomes of it.
    type Result;

    /// What to do with a check, given the results so far.
    fn admit(&self, index: usize, results: &[Option<Self::Result>]) -> Admission<Self::Value, Self::Result>;

    /// The gates that this result of a check has opened. Unless a plan says otherwise, the gate of a check has its index.
    fn opened(&self, index: usize, _result: &Self::Result) -> Vec<usize> {
        vec![index]
    }

    /// Turns a finished call into a result.
    fn judge(&self, index: usize, finished: FinishedCall<Self::Value>) -> Self::Result;

    /// The result of a check that waits for itself through others.
    fn deadlocked(&self, index: usize) -> Self::Result;
}
