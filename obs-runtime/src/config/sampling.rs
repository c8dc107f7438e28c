//! How many of the lines about a hot function are written.

use std::time::Duration;

/// How many of the lines that tell of a function's successful calls are written. Those of calls that fail, panic, are
/// cancelled or are slow are always written, those of commands too, and the program's own lines anyway.
///
/// Each function has its own count, and so have the starts and ends of its calls. The next line that is written says in
/// `left_out` how many were not, and a flush says in a line of its own what no other line has said. Nothing else is
/// sampled: metrics count every call.
///
/// ```
/// use std::time::Duration;
/// use obs_runtime::{LogSampling, Observability};
///
/// // Ten a second, then each thousandth, and each call that takes half a second.
/// let sampling = LogSampling::first(10).then_every(1000).slow_from(Duration::from_millis(500));
/// let builder = Observability::builder().log_sampling(sampling);
/// # let _ = builder;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSampling {
    /// As many are written in each second.
    pub(crate) first: u64,
    /// Of the others each of this number is written; none when it is 0.
    pub(crate) every: u64,
    /// From this duration on, a call is slow.
    pub(crate) slow: Duration,
}

impl LogSampling {
    /// The first lines of each second, for each function. A call is slow from one second on, unless
    /// [`slow_from`](Self::slow_from) says otherwise.
    #[must_use]
    pub const fn first(a_second: u64) -> Self {
        Self { first: a_second, every: 0, slow: Duration::from_secs(1) }
    }

    /// Of the others in the same second, each of that number: 100 for one in a hundred.
    #[must_use]
    pub const fn then_every(self, number: u64) -> Self {
        Self { every: number, ..self }
    }

    /// From this duration on, a call is slow and its line is always written.
    #[must_use]
    pub const fn slow_from(self, slow: Duration) -> Self {
        Self { slow, ..self }
    }
}
