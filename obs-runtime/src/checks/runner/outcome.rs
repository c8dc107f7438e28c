//! How the call of a check ended.

use std::time::Duration;

use crate::instrument::call::span::DetachedSpan;

/// How the call of a check ended.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckOutcome<V> {
    /// It returned.
    Done(V),
    /// It panicked, with this message.
    Panicked(String),
    /// It exceeded its time limit. A function that cannot be cancelled stays on its thread.
    TimedOut,
    /// It was not called, because an earlier call that exceeded its time limit is still running, for this long.
    StillRunning(Duration),
    /// It could not be called.
    NotStarted(String),
}

/// An outcome and the circumstances of the call.
#[derive(Clone, Debug)]
pub struct FinishedCall<V> {
    pub outcome: CheckOutcome<V>,
    pub duration: Duration,
    pub timeout: Duration,
    /// Identifies the call, equal in all runs that shared it; 0 when the check was not called.
    pub call: u64,
    /// The span of the call, if this run has started it in a recorded trace.
    pub span: Option<DetachedSpan>,
}

impl<V> FinishedCall<V> {
    /// The check's value, or a message that says why there is none.
    pub fn value(self) -> Result<V, String> {
        let time = |time: Duration| humantime::format_duration(time).to_string();
        Err(match self.outcome {
            CheckOutcome::Done(value) => return Ok(value),
            CheckOutcome::Panicked(message) => format!("panicked: {message}"),
            CheckOutcome::TimedOut => format!("no answer within {}", time(self.timeout)),
            CheckOutcome::StillRunning(since) => {
                let since = time(Duration::from_secs(since.as_secs()));
                format!("not started: an earlier call has been running for {since}")
            }
            CheckOutcome::NotStarted(reason) => format!("could not be started: {reason}"),
        })
    }
}
