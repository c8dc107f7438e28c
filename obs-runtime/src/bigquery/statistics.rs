//! What BigQuery says of a query that ran.

use std::time::Duration;

/// What BigQuery says of a query that ran: `statistics` of its job.
///
/// ```
/// use obs_runtime::QueryStatistics;
///
/// let statistics = QueryStatistics { bytes_processed: 1 << 40, ..QueryStatistics::default() };
/// assert_eq!(statistics.bytes_billed, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryStatistics {
    /// `totalBytesProcessed`.
    pub bytes_processed: u64,
    /// `totalBytesBilled`; where it is not known, what [`Pricing`](super::Pricing) makes of the bytes processed.
    pub bytes_billed: Option<u64>,
    /// Rows returned.
    pub rows: Option<u64>,
    /// `totalSlotMs`.
    pub slot_time: Option<Duration>,
    /// How long the query took.
    pub duration: Option<Duration>,
    /// `cacheHit`: a query answered from the cache costs nothing.
    pub cache_hit: bool,
    /// Whether a reservation ran it (`reservation_id`): it is priced by slot time then, not by bytes.
    pub reservation: bool,
    /// Whether obs has counted it already, as it has what the tracked client ran: nothing counts it again.
    pub reported: bool,
}

/// A return value that carries the statistics of a query: `#[bq_cost]` reads and reports them.
pub trait JobStatistics {
    /// The statistics, if there are any.
    fn job_statistics(&self) -> Option<QueryStatistics>;
}

impl JobStatistics for QueryStatistics {
    fn job_statistics(&self) -> Option<QueryStatistics> {
        Some(*self)
    }
}

impl<T: JobStatistics> JobStatistics for Option<T> {
    fn job_statistics(&self) -> Option<QueryStatistics> {
        self.as_ref()?.job_statistics()
    }
}

impl<T: JobStatistics, E> JobStatistics for Result<T, E> {
    fn job_statistics(&self) -> Option<QueryStatistics> {
        self.as_ref().ok()?.job_statistics()
    }
}
