//! The price of bytes on demand.
//!
//! "Charges are rounded up to the nearest MB, with a minimum 10 MB data processed per table
//! referenced by the query, and with a minimum 10 MB data processed per query"
//! (<https://cloud.google.com/bigquery/pricing#on_demand_pricing>). An MB is a MiB: in BigQuery's own
//! example, a job that processed 2,464,625 bytes was billed 10,485,760
//! (<https://cloud.google.com/bigquery/docs/query-plan-explanation#api_sample_representation>).

use crate::bigquery::estimate::error::EstimateError;

/// Bytes in a TiB, the unit of the price.
pub const TIB: u64 = 1 << 40;

/// The minimum that is billed for each table that a query reads, and for the query: 10 MiB.
pub const MINIMUM_BILLED_BYTES: u64 = 10 * MIB;

/// The on-demand price in most regions, in US dollars for each TiB.
pub const DEFAULT_USD_PER_TIB: f64 = 6.25;

const MIB: u64 = 1 << 20;

pub(super) fn check(usd_per_tib: f64) -> Result<(), EstimateError> {
    if usd_per_tib.is_finite() && usd_per_tib >= 0.0 {
        Ok(())
    } else {
        Err(EstimateError::Price { value: usd_per_tib })
    }
}

/// The bytes billed for a query that reads this many from each of its tables.
///
/// Charged is the data in the columns that a query selects, and `COUNT(*)` selects none:
/// <https://cloud.google.com/bigquery/pricing#on_demand_pricing>. That the minimum for each table does not apply to it is
/// practice: dry runs say 0 bytes for it, and jobs bill 0.
pub(super) fn billed(tables: &[u64]) -> u64 {
    if tables.iter().all(|&bytes| bytes == 0) {
        return 0;
    }
    let billed = tables.iter().fold(0_u64, |sum, &bytes| sum.saturating_add(bytes.max(MINIMUM_BILLED_BYTES)));
    billed.checked_next_multiple_of(MIB).unwrap_or(u64::MAX)
}

/// The price of billed bytes.
#[expect(clippy::cast_precision_loss, reason = "a price needs no more than the 53 bits of an f64")]
pub(super) fn usd(billed: u64, usd_per_tib: f64) -> f64 {
    billed as f64 / TIB as f64 * usd_per_tib
}

#[cfg(test)]
mod tests {
    use super::{MIB, MINIMUM_BILLED_BYTES, TIB, billed, usd};

    #[test]
    fn each_table_is_billed_ten_mebibytes_at_least() {
        assert_eq!(billed(&[1]), MINIMUM_BILLED_BYTES);
        assert_eq!(billed(&[2_464_625]), 10_485_760);
        assert_eq!(billed(&[1, 1]), 2 * MINIMUM_BILLED_BYTES);
        assert_eq!(billed(&[20 * MIB, 0]), 30 * MIB);
    }

    #[test]
    fn a_query_that_reads_nothing_is_free() {
        assert_eq!(billed(&[]), 0);
        assert_eq!(billed(&[0, 0]), 0);
    }

    #[test]
    fn bytes_are_rounded_up_to_whole_mebibytes() {
        assert_eq!(billed(&[20 * MIB + 1]), 21 * MIB);
        assert_eq!(billed(&[20 * MIB]), 20 * MIB);
        assert_eq!(billed(&[u64::MAX]), u64::MAX);
    }

    #[test]
    fn a_tebibyte_costs_its_price() {
        assert!((usd(TIB, 6.25) - 6.25).abs() < f64::EPSILON);
        assert!((usd(TIB / 4, 5.0) - 1.25).abs() < f64::EPSILON);
    }
}
