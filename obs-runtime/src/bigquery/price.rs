//! Prices of queries.

#[cfg(feature = "bigquery")]
use crate::bigquery::literals::{creates_model, runs_unseen};
use crate::bigquery::statistics::QueryStatistics;
use crate::config::pricing_mode::PricingMode;
use crate::pipeline::global;

/// One TiB (2^40 bytes), the unit of the on-demand price.
const TEBIBYTE: f64 = 1_099_511_627_776.0;

/// One MiB: billed bytes are rounded up to it.
const MEBIBYTE: u64 = 1024 * 1024;

/// The number of seconds in an hour: slot time is priced per hour.
pub(super) const SECONDS_OF_AN_HOUR: f64 = 3600.0;

/// The minimum charge of a query that reads anything, in bytes.
pub(super) const LEAST_BILLED: u64 = 10 * MEBIBYTE;

/// The price of a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// The amount, in US dollars.
    pub usd: f64,
    /// The billed bytes.
    pub bytes_billed: u64,
}

/// Prices per TiB billed on demand, and per slot hour in a reservation. The free TiB per month is not taken into
/// account.
///
/// The price of slot time is a lower bound. An edition bills the slots that its autoscaler provides, not those that a query
/// uses: in multiples of 50, for at least a minute, also for jobs that fail:
/// <https://cloud.google.com/bigquery/docs/slots-autoscaling-intro>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pricing {
    /// US dollars per TiB (2^40 bytes) billed.
    pub usd_per_tib: f64,
    /// US dollars per slot hour.
    pub usd_per_slot_hour: f64,
    /// How queries are billed, as far as is known before they run.
    pub mode: PricingMode,
}

impl Default for Pricing {
    /// List prices in US regions: on demand, and Enterprise edition.
    fn default() -> Self {
        Self { usd_per_tib: 6.25, usd_per_slot_hour: 0.06, mode: PricingMode::OnDemand }
    }
}

/// The types of statements that have a price of their own on demand, instead of that of queries. Creating a model costs
/// more for each byte, and how much depends on the kind of model:
/// <https://cloud.google.com/bigquery/pricing#bigquery-ml-pricing>.
#[cfg(feature = "bigquery")]
const PRICED_APART: [&str; 1] = [CREATE_MODEL];

#[cfg(feature = "bigquery")]
const CREATE_MODEL: &str = "CREATE_MODEL";

/// The type of the statement whose price a query has: a script that creates a model costs as much as the model, at most.
#[cfg(feature = "bigquery")]
pub(super) fn priced_as<'s>(statement: Option<&'s str>, sql: &str) -> Option<&'s str> {
    if statement == Some("SCRIPT") && creates_model(sql) { Some(CREATE_MODEL) } else { statement }
}

/// Whether a job may run statements that neither its text nor its dry run shows, and that may have a price of their own: a call of
/// a procedure, which may create models or be one for Spark, or a script that calls one or runs a text. Its dry run is no
/// bound, and its billed bytes at the price of queries are a lower bound:
/// <https://cloud.google.com/bigquery/docs/spark-procedures>.
#[cfg(feature = "bigquery")]
pub(super) fn is_open(statement: Option<&str>, sql: &str) -> bool {
    match statement {
        Some("CALL") => true,
        Some("SCRIPT") => runs_unseen(sql),
        _ => false,
    }
}

impl Pricing {
    /// The configured prices (`BIGQUERY_PRICING`, `BIGQUERY_USD_PER_TIB`, `BIGQUERY_USD_PER_SLOT_HOUR`), or BigQuery's list prices if obs
    /// is not initialised. Where prices differ by location, those of the locations that are not named.
    #[must_use]
    pub fn current() -> Self {
        Self::at(None)
    }

    /// The configured prices in a location, such as `EU` or `europe-west3`. BigQuery bills by the location of the data:
    /// <https://cloud.google.com/bigquery/pricing#on_demand_pricing>.
    #[must_use]
    pub fn at(location: Option<&str>) -> Self {
        global::pipeline().map_or_else(Self::default, |pipeline| Self {
            usd_per_tib: pipeline.config().bigquery_usd_per_tib.at(location),
            usd_per_slot_hour: pipeline.config().bigquery_usd_per_slot_hour.at(location),
            mode: pipeline.config().bigquery_pricing,
        })
    }

    /// The configured prices of a job, by its location and the type of its statement, and whether they are its prices. If the
    /// statement has a price of its own which is not configured, they are those of queries, which are lower.
    #[cfg(feature = "bigquery")]
    pub(super) fn of_job(location: Option<&str>, statement: Option<&str>) -> (Self, bool) {
        let pricing = Self::at(location);
        let Some(statement) = statement else { return (pricing, true) };
        let configured = global::pipeline()
            .and_then(|pipeline| pipeline.config().bigquery_statement_usd_per_tib.get(statement))
            .map(|usd_per_tib| Self { usd_per_tib, ..pricing });
        // In a reservation it uses slots, as a query does.
        let is_known = pricing.mode == PricingMode::Edition || !PRICED_APART.contains(&statement);
        configured.map_or((pricing, is_known), |configured| (configured, true))
    }

    /// The actual price of a query: zero if the cache answered it; its slot time, a lower bound, if a reservation ran it; otherwise the
    /// billed bytes or, if those are not known, the processed bytes with a minimum of 10 MiB.
    #[must_use]
    pub fn actual(self, statistics: &QueryStatistics) -> Price {
        if statistics.cache_hit {
            return self.billed(0);
        }
        if let (true, Some(slot_time)) = (statistics.reservation, statistics.slot_time) {
            let usd = slot_time.as_secs_f64() / SECONDS_OF_AN_HOUR * self.usd_per_slot_hour;
            return Price { usd, bytes_billed: statistics.bytes_billed.unwrap_or(0) };
        }
        let on_demand = Self { mode: PricingMode::OnDemand, ..self };
        statistics
            .bytes_billed
            .map_or_else(|| on_demand.estimate(statistics.bytes_processed), |bytes| self.billed(bytes))
    }

    /// The price of a query that reads `bytes_processed`: rounded up to whole MiB, at least 10 MiB unless it reads nothing. Of a
    /// query over several tables, at least 10 MiB are billed for each: see [`estimate_tables`](Self::estimate_tables).
    #[must_use]
    pub fn estimate(self, bytes_processed: u64) -> Price {
        self.estimate_tables(bytes_processed, 1)
    }

    /// The highest price of a query that reads `bytes_processed` from this many tables. At least 10 MiB are billed for each
    /// table, and the distribution of the bytes over the tables is not known: all may be from one.
    ///
    /// In an edition the price is zero: bytes are not billed, and the slot time is not known before the query has run.
    #[must_use]
    pub fn estimate_tables(self, bytes_processed: u64, tables: u64) -> Price {
        let whole = bytes_processed.div_ceil(MEBIBYTE).saturating_mul(MEBIBYTE);
        let others = tables.saturating_sub(1).saturating_mul(LEAST_BILLED);
        let bytes_billed = if bytes_processed == 0 { 0 } else { whole.max(LEAST_BILLED).saturating_add(others) };
        match self.mode {
            PricingMode::OnDemand => self.billed(bytes_billed),
            PricingMode::Edition => Price { usd: 0.0, bytes_billed },
        }
    }

    /// The number of bytes billed for `usd`; `None` if bytes are free, as in an edition.
    #[cfg(feature = "bigquery")]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float too large is the largest number"
    )]
    pub(super) fn bytes_for(self, usd: f64) -> Option<u64> {
        (self.usd_per_tib > 0.0 && self.mode == PricingMode::OnDemand)
            .then(|| (usd.max(0.0) / self.usd_per_tib * TEBIBYTE + 0.5) as u64)
    }

    /// The price of billed bytes, in US dollars.
    pub(super) fn of_bytes(self, bytes_billed: u64) -> f64 {
        self.billed(bytes_billed).usd
    }

    #[expect(clippy::cast_precision_loss, reason = "2^53 bytes are 8 PiB, and money is rounded anyway")]
    fn billed(self, bytes_billed: u64) -> Price {
        Price { usd: bytes_billed as f64 / TEBIBYTE * self.usd_per_tib, bytes_billed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Pricing = Pricing { usd_per_tib: 6.25, usd_per_slot_hour: 0.06, mode: PricingMode::OnDemand };

    #[test]
    fn a_tebibyte_costs_the_price_of_a_tebibyte() {
        let statistics = QueryStatistics { bytes_billed: Some(1 << 40), ..QueryStatistics::default() };
        assert!((LIST.actual(&statistics).usd - 6.25).abs() < 1e-12);
    }

    #[test]
    fn every_table_is_billed_for_the_minimum() {
        assert_eq!(LIST.estimate_tables(1, 3).bytes_billed, 3 * LEAST_BILLED);
        assert_eq!(LIST.estimate_tables(1 << 30, 2).bytes_billed, (1 << 30) + LEAST_BILLED);
        assert_eq!(LIST.estimate_tables(0, 2).bytes_billed, 0);
    }

    #[test]
    fn a_reservation_costs_slot_time() {
        let statistics = QueryStatistics {
            bytes_processed: 1 << 40,
            slot_time: Some(std::time::Duration::from_mins(30)),
            reservation: true,
            ..QueryStatistics::default()
        };
        assert!((LIST.actual(&statistics).usd - 0.03).abs() < 1e-12);
    }

    #[test]
    fn in_an_edition_bytes_cost_nothing_unless_the_job_ran_on_demand() {
        let edition = Pricing { mode: PricingMode::Edition, ..LIST };
        assert_eq!(edition.estimate(1 << 40), Price { usd: 0.0, bytes_billed: 1 << 40 });
        let statistics = QueryStatistics { bytes_billed: Some(1 << 40), ..QueryStatistics::default() };
        assert!((edition.actual(&statistics).usd - 6.25).abs() < 1e-12);
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
