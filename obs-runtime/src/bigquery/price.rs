//! From bytes to money.

use crate::bigquery::statistics::QueryStatistics;
use crate::global;

/// 2^40 bytes: what BigQuery's on-demand price is for.
const TEBIBYTE: f64 = 1_099_511_627_776.0;

/// Bytes are billed by whole MiB.
const MEBIBYTE: u64 = 1024 * 1024;

/// The least that a query is billed for, unless it reads nothing.
const LEAST_BILLED: u64 = 10 * MEBIBYTE;

/// What a query costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// US dollars.
    pub usd: f64,
    /// Bytes billed.
    pub bytes_billed: u64,
}

/// On-demand prices: bytes billed at so many US dollars for each TiB. The first free TiB of a month is not assumed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pricing {
    /// US dollars for each TiB (2^40 bytes) billed.
    pub usd_per_tib: f64,
}

impl Pricing {
    /// The price that is configured (`BIGQUERY_USD_PER_TIB`), or BigQuery's list price when obs is not initialised.
    #[must_use]
    pub fn current() -> Self {
        global::pipeline()
            .map_or(Self { usd_per_tib: 6.25 }, |pipeline| Self { usd_per_tib: pipeline.config().bigquery_usd_per_tib })
    }

    /// What a query that ran costs: nothing when the cache answered it; otherwise the bytes billed, or where those are
    /// not known the bytes processed with the minimum of 10 MiB.
    #[must_use]
    pub fn actual(self, statistics: &QueryStatistics) -> Price {
        if statistics.cache_hit {
            return self.billed(0);
        }
        statistics.bytes_billed.map_or_else(|| self.estimate(statistics.bytes_processed), |bytes| self.billed(bytes))
    }

    /// What a query that reads so many bytes would cost: billed by whole MiB, at least 10 of them unless it reads nothing.
    /// A query over several tables is billed for at least 10 MiB of each; that is for the caller to add.
    #[must_use]
    pub fn estimate(self, bytes_processed: u64) -> Price {
        let whole = bytes_processed.div_ceil(MEBIBYTE).saturating_mul(MEBIBYTE);
        self.billed(if bytes_processed == 0 { 0 } else { whole.max(LEAST_BILLED) })
    }

    #[expect(clippy::cast_precision_loss, reason = "2^53 bytes are 8 PiB, and money is rounded anyway")]
    fn billed(self, bytes_billed: u64) -> Price {
        Price { usd: bytes_billed as f64 / TEBIBYTE * self.usd_per_tib, bytes_billed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Pricing = Pricing { usd_per_tib: 6.25 };

    #[test]
    fn a_tebibyte_costs_the_price_of_a_tebibyte() {
        let statistics = QueryStatistics { bytes_billed: Some(1 << 40), ..QueryStatistics::default() };
        assert!((LIST.actual(&statistics).usd - 6.25).abs() < 1e-12);
    }

    #[test]
    fn a_small_query_is_billed_for_the_minimum_and_a_cached_one_for_nothing() {
        assert_eq!(LIST.estimate(1).bytes_billed, 10_485_760);
        assert_eq!(LIST.estimate(0).bytes_billed, 0);
        assert_eq!(LIST.estimate(10_485_761).bytes_billed, 11_534_336);
        assert_eq!(LIST.estimate(u64::MAX).bytes_billed, u64::MAX);
        let cached = QueryStatistics { bytes_processed: 5, cache_hit: true, ..QueryStatistics::default() };
        assert_eq!(LIST.actual(&cached), Price { usd: 0.0, bytes_billed: 0 });
    }
}
