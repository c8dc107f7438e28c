//! Prices queries by a dry run, from a catalogue, or by both.

use std::time::{Duration, SystemTime};

use obs_runtime::bigquery::estimate::{Catalogue, Estimate, EstimateError};
use obs_runtime::bigquery::{BigQueryError, Client, Pricing, Query, estimate};
use obs_runtime::config::PricingMode;

use super::priced_query::{PricedQuery, Source};

/// How queries are priced.
#[derive(Debug)]
pub struct Estimator {
    /// Tables whose sizes are known without an account.
    pub catalogue: Option<Catalogue>,
    /// What estimates from the catalogue assume.
    pub assumptions: Assumptions,
    /// A client for dry runs, and the runtime that runs its requests.
    pub live: Option<(tokio::runtime::Runtime, Client)>,
}

/// What estimates from a catalogue assume.
#[derive(Debug, Default)]
pub struct Assumptions {
    /// When the query runs.
    pub now: Option<SystemTime>,
    /// The values of parameters, by name.
    pub parameters: Vec<(String, String)>,
    /// The project of tables that are named without one.
    pub project: Option<String>,
    /// The greatest age of the sizes.
    pub max_age: Option<Duration>,
    /// The location of the tables, for their price.
    pub location: Option<String>,
}

impl Assumptions {
    fn estimate(&self, sql: &str, catalogue: &Catalogue, usd_per_tib: f64) -> Result<Estimate, EstimateError> {
        let mut estimator = estimate::Estimator::new(catalogue).usd_per_tib(usd_per_tib);
        for (name, value) in &self.parameters {
            estimator = estimator.parameter(name, value);
        }
        if let Some(now) = self.now {
            estimator = estimator.now(now);
        }
        if let Some(project) = &self.project {
            estimator = estimator.project(project);
        }
        if let Some(max_age) = self.max_age {
            estimator = estimator.max_age(max_age);
        }
        estimator.estimate(sql)
    }
}

impl Estimator {
    /// Estimates what a query costs.
    pub fn price(&self, source: Source) -> PricedQuery {
        let Pricing { usd_per_tib, mode, .. } = Pricing::at(self.assumptions.location.as_deref());
        let offline = self.catalogue.as_ref().map(|catalogue| {
            let estimate = self.assumptions.estimate(&source.sql, catalogue, usd_per_tib);
            estimate.map_err(|error| format!("{:#}", anyhow::Error::from(error)))
        });
        let dry_run = self.live.as_ref().map(|(runtime, client)| {
            let query = client.query(&*source.sql);
            let query = self.assumptions.location.iter().fold(query, Query::location);
            let answer = runtime.block_on(query.dry_run());
            answer.map_err(|error: BigQueryError| error.to_string())
        });
        PricedQuery { source, offline, dry_run, is_in_edition: mode == PricingMode::Edition }
    }
}
