//! Prices queries by a dry run, from a catalogue, or by both.

use obs_runtime::bigquery::estimate::{Catalogue, estimate};
use obs_runtime::bigquery::{BigQueryError, Client, Pricing};

use super::priced_query::{PricedQuery, Source};

/// How queries are priced.
#[derive(Debug)]
pub struct Estimator {
    /// Tables whose sizes are known without an account.
    pub catalogue: Option<Catalogue>,
    /// A client for dry runs, and the runtime that runs its requests.
    pub live: Option<(tokio::runtime::Runtime, Client)>,
}

impl Estimator {
    /// Estimates what a query costs.
    pub fn price(&self, source: Source) -> PricedQuery {
        let usd_per_tib = Pricing::current().usd_per_tib;
        let offline = self.catalogue.as_ref().map(|catalogue| {
            estimate(&source.sql, catalogue, usd_per_tib).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
        });
        let dry_run = self.live.as_ref().map(|(runtime, client)| {
            let answer = runtime.block_on(client.query(&*source.sql).dry_run());
            answer.map_err(|error: BigQueryError| error.to_string())
        });
        PricedQuery { source, offline, dry_run }
    }
}
