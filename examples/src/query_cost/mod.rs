//! What `bq-query-cost` tells of queries: by a dry run, from a catalogue, or by both.

mod report;

use std::path::PathBuf;

use obs_runtime::bigquery::estimate::{Catalogue, Estimate, estimate};
use obs_runtime::bigquery::{BigQueryError, Client, DryRun, Pricing};

pub use report::Report;

/// A query and where it comes from.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file, `-` for standard input; none when it was given as an argument.
    pub file: Option<PathBuf>,
    /// Its text.
    pub sql: String,
}

/// How queries are priced.
#[derive(Debug)]
pub struct Teller {
    /// The tables that are known without an account.
    pub catalogue: Option<Catalogue>,
    /// BigQuery itself, and what runs requests to it.
    pub live: Option<(tokio::runtime::Runtime, Client)>,
}

/// What is told of one query.
#[derive(Debug)]
pub struct Told {
    /// The query.
    pub source: Source,
    /// From the catalogue.
    pub offline: Option<Result<Estimate, String>>,
    /// By a dry run.
    pub dry_run: Option<Result<DryRun, String>>,
}

impl Teller {
    /// Tells what a query costs.
    pub fn tell(&self, source: Source) -> Told {
        let price = Pricing::current().usd_per_tib;
        let offline = self.catalogue.as_ref().map(|catalogue| {
            estimate(&source.sql, catalogue, price).map_err(|error| format!("{:#}", anyhow::Error::from(error)))
        });
        let dry_run = self.live.as_ref().map(|(runtime, client)| {
            let asked = runtime.block_on(client.query(&*source.sql).dry_run());
            asked.map_err(|error: BigQueryError| error.to_string())
        });
        Told { source, offline, dry_run }
    }
}

impl Told {
    /// US dollars that the query costs at most: by the dry run where there is one.
    #[must_use]
    pub fn usd(&self) -> Option<f64> {
        match (&self.dry_run, &self.offline) {
            (Some(dry_run), _) => dry_run.as_ref().ok().map(|dry_run| dry_run.price.usd),
            (None, Some(offline)) => offline.as_ref().ok().and_then(|estimate| estimate.usd),
            (None, None) => None,
        }
    }

    /// Bytes that it reads at most.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        match (&self.dry_run, &self.offline) {
            (Some(dry_run), _) => dry_run.as_ref().ok().map(|dry_run| dry_run.bytes_processed),
            (None, Some(offline)) => offline.as_ref().ok().and_then(|estimate| estimate.processed_bytes),
            (None, None) => None,
        }
    }

    /// Why it cannot be told.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        if self.usd().is_some() {
            return None;
        }
        let told = [
            self.dry_run.as_ref().and_then(|told| told.as_ref().err()),
            self.offline.as_ref().and_then(|told| told.as_ref().err()),
        ];
        let unknown = || "what this query costs cannot be told".to_owned();
        Some(told.into_iter().flatten().next().cloned().unwrap_or_else(unknown))
    }

    /// What it is called among others.
    #[must_use]
    pub fn name(&self) -> String {
        self.source.file.as_ref().map_or_else(|| "query".to_owned(), |file| file.display().to_string())
    }
}
