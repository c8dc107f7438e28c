//! Sampling of log lines about frequently called functions.

use std::time::Duration;

/// Limits the log lines about successful calls of annotated functions. Lines about slow, failed, panicked or cancelled calls,
/// lines about commands and lines of the program itself are always written.
///
/// Starts and ends of the calls of each function are counted separately. The next line that is written has the number of
/// skipped lines in the field `left_out`; a flush logs the numbers that no line has reported yet. Metrics are not sampled.
///
/// ```
/// use std::time::Duration;
/// use obs_runtime::{LogSampling, Observability};
///
/// // Ten lines per second, then one in a thousand; calls of half a second or more are always logged.
/// let sampling = LogSampling::first(10).then_every(1000).slow_from(Duration::from_millis(500));
/// let builder = Observability::builder().log_sampling(sampling);
/// # let _ = builder;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSampling {
    /// Number of lines written in each second.
    pub(crate) first: u64,
    /// Of further lines, one in this number is written; none if it is 0.
    pub(crate) every: u64,
    /// Minimum duration of a slow call.
    pub(crate) slow: Duration,
}

impl LogSampling {
    /// Writes the first `per_second` lines of each second, for each function. Calls of one second or more are slow; see
    /// [`slow_from`](Self::slow_from).
    #[must_use]
    pub const fn first(per_second: u64) -> Self {
        Self { first: per_second, every: 0, slow: Duration::from_secs(1) }
    }

    /// Writes one in `number` of the further lines of the same second.
    #[must_use]
    pub const fn then_every(self, number: u64) -> Self {
        Self { every: number, ..self }
    }

    /// Sets the minimum duration of a slow call, whose line is always written.
    #[must_use]
    pub const fn slow_from(self, slow: Duration) -> Self {
        Self { slow, ..self }
    }
}
