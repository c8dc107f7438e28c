//! Query statistics in return values.

use crate::bigquery::statistics::{JobStatistics, QueryStatistics};

/// A return value.
pub struct Statistics<'v, T>(pub &'v T);

/// Values that carry statistics.
pub trait HasStatistics {
    /// The statistics.
    fn statistics(&self) -> Option<QueryStatistics>;
}

impl<T: JobStatistics> HasStatistics for &Statistics<'_, T> {
    fn statistics(&self) -> Option<QueryStatistics> {
        self.0.job_statistics()
    }
}

/// Every other type.
pub trait HasNoStatistics {
    /// None.
    fn statistics(&self) -> Option<QueryStatistics> {
        None
    }
}

impl<T> HasNoStatistics for Statistics<'_, T> {}
