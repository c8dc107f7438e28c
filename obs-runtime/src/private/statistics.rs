//! Does a return value carry the statistics of a query?

use crate::bigquery::statistics::{JobStatistics, QueryStatistics};

/// A return value, to be asked.
pub struct Statistics<'v, T>(pub &'v T);

/// Values that carry statistics.
pub trait HasStatistics {
    /// They.
    fn statistics(&self) -> Option<QueryStatistics>;
}

impl<T: JobStatistics> HasStatistics for &Statistics<'_, T> {
    fn statistics(&self) -> Option<QueryStatistics> {
        self.0.job_statistics()
    }
}

/// Values that carry none.
pub trait HasNoStatistics {
    /// Nothing.
    fn statistics(&self) -> Option<QueryStatistics> {
        None
    }
}

impl<T> HasNoStatistics for Statistics<'_, T> {}
