//! Estimates a query without an account.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::bigquery::estimate::advice;
use crate::bigquery::estimate::catalogue::tables::Catalogue;
use crate::bigquery::estimate::constants::settings::Settings;
use crate::bigquery::estimate::error::EstimateError;
use crate::bigquery::estimate::price;
use crate::bigquery::estimate::price::DEFAULT_USD_PER_TIB;
use crate::bigquery::estimate::report::Estimate;
use crate::bigquery::estimate::sql::analyser;
use crate::bigquery::estimate::table;

/// Estimates what a query reads and costs at `usd_per_tib` US dollars for each TiB (2^40 bytes).
///
/// A table or column that the catalogue does not have is no error: the estimate then says what is unknown.
/// [`Estimator`] has more settings.
///
/// # Errors
///
/// When the text is not one BigQuery query, or the price is not a number of 0 or more.
pub fn estimate(sql: &str, catalogue: &Catalogue, usd_per_tib: f64) -> Result<Estimate, EstimateError> {
    Estimator::new(catalogue).usd_per_tib(usd_per_tib).estimate(sql)
}

/// Estimates queries over the tables of a catalogue.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use obs_runtime::bigquery::estimate::{Catalogue, Estimator};
///
/// let catalogue = Catalogue::shipped()?;
/// let estimator = Estimator::new(&catalogue).project("bigquery-public-data").parameter("least", "10");
/// let estimate = estimator.estimate("SELECT word_count FROM samples.shakespeare WHERE word_count > @least")?;
/// assert_eq!(estimate.processed_bytes, Some(1_317_248));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Estimator<'c> {
    catalogue: &'c Catalogue,
    usd_per_tib: f64,
    settings: Settings,
}

impl<'c> Estimator<'c> {
    /// Estimates over the tables of this catalogue, at 6.25 US dollars for each TiB.
    #[must_use]
    pub fn new(catalogue: &'c Catalogue) -> Self {
        Self { catalogue, usd_per_tib: DEFAULT_USD_PER_TIB, settings: Settings::default() }
    }

    /// The price, in US dollars for each TiB (2^40 bytes).
    #[must_use]
    pub const fn usd_per_tib(mut self, usd_per_tib: f64) -> Self {
        self.usd_per_tib = usd_per_tib;
        self
    }

    /// When the query runs. This is the value of `CURRENT_DATE()` and the like, which otherwise exclude no partition, and
    /// the moment up to which tables may have grown since the catalogue (by default now).
    #[must_use]
    pub fn now(mut self, now: SystemTime) -> Self {
        self.settings.now = Timestamp::try_from(now).ok();
        self
    }

    /// The value of the parameter `@name`, as a literal would have it: `2026-11-26`, `42`. Without it, a comparison with
    /// the parameter excludes no partition.
    #[must_use]
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        let name = name.as_ref().trim_start_matches('@').to_lowercase();
        self.settings.parameters.insert(name, value.into());
        self
    }

    /// The project of tables that are named by data set and table alone.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.settings.project = Some(project.into());
        self
    }

    /// The greatest age of the sizes in the catalogue. What is read from a table whose sizes are older, or of unknown age,
    /// is unknown.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.settings.max_age = Some(age);
        self
    }

    /// Estimates a query.
    ///
    /// # Errors
    ///
    /// When the text is not one BigQuery query, or the price is not a number of 0 or more.
    pub fn estimate(&self, sql: &str) -> Result<Estimate, EstimateError> {
        price::check(self.usd_per_tib)?;
        let (reads, takes_all) = analyser::reads(sql, self.catalogue, &self.settings)?;
        let tables = table::estimates(&reads, self.catalogue, &self.settings);
        let age = table::age(&reads, self.catalogue, &self.settings);
        let mut estimate = Estimate::new(tables, reads.unknown(), self.usd_per_tib);
        estimate.as_of = age.as_ref().map(|(as_of, _)| as_of.clone());
        estimate.notes.extend(age.and_then(|(_, note)| note));
        estimate.advice = advice::of(&estimate, &reads, takes_all, self.catalogue);
        Ok(estimate)
    }
}
