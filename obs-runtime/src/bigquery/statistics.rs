//! The statistics of a query that has run.

use std::time::Duration;

/// The statistics of a query that has run, as in `statistics` of its job.
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
    /// `totalBytesBilled`. If it is not known, [`Pricing`](super::Pricing) derives it from the processed bytes.
    pub bytes_billed: Option<u64>,
    /// The number of returned rows.
    pub rows: Option<u64>,
    /// `totalSlotMs`.
    pub slot_time: Option<Duration>,
    /// The duration of the query.
    pub duration: Option<Duration>,
    /// `cacheHit`: a query answered from the cache is free.
    pub cache_hit: bool,
    /// Whether a reservation ran the query (`reservation_id`): it is priced by slot time, not by bytes.
    pub reservation: bool,
    /// Whether obs has reported the query already, as for queries of the tracked client. It is not reported again.
    pub reported: bool,
}

#[cfg(feature = "bigquery")]
impl QueryStatistics {
    /// Whether a job that failed or was cancelled costs something. Errors are free on demand, except for what was billed
    /// before: <https://cloud.google.com/bigquery/pricing#on_demand_pricing>. A reservation bills slot time.
    pub(super) fn is_billed(&self) -> bool {
        let slots = self.slot_time.filter(|_| self.reservation);
        self.bytes_billed.is_some_and(|bytes| bytes > 0) || slots.is_some_and(|time| !time.is_zero())
    }
}

/// A return value with the statistics of a query, which `#[bq_cost]` reads and reports.
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
