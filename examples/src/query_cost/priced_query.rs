//! One query with its estimates.

use std::path::PathBuf;

use obs_runtime::bigquery::estimate::Estimate;
use obs_runtime::bigquery::{Accuracy, DryRun};

/// A query and its origin.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file, if it is one of several files.
    pub file: Option<PathBuf>,
    /// The text of the query.
    pub sql: String,
}

/// A query with its estimates; each is an error's text where it failed.
#[derive(Debug)]
pub struct PricedQuery {
    /// The query.
    pub source: Source,
    /// From the catalogue, if it was used.
    pub offline: Option<Result<Estimate, String>>,
    /// By a dry run, if there was one.
    pub dry_run: Option<Result<DryRun, String>>,
    /// Whether BigQuery bills slots (`BIGQUERY_PRICING=edition`): then no cost is known before the query has run.
    pub is_in_edition: bool,
}

impl PricedQuery {
    /// The maximum cost in US dollars, by the dry run if there was one.
    #[must_use]
    pub fn usd(&self) -> Option<f64> {
        match (&self.dry_run, &self.offline) {
            _ if self.is_in_edition => None,
            (Some(_), _) => self.bound().and_then(|dry_run| dry_run.price).map(|price| price.usd),
            (None, Some(offline)) => offline.as_ref().ok().and_then(|estimate| estimate.usd),
            (None, None) => None,
        }
    }

    /// The dry run, if the query costs no more than it says.
    fn bound(&self) -> Option<&DryRun> {
        self.dry_run.as_ref()?.as_ref().ok().filter(|dry_run| dry_run.accuracy.is_bound())
    }

    /// The minimum cost in US dollars, if the maximum is unknown.
    #[must_use]
    pub fn least_usd(&self) -> Option<f64> {
        let dry_run = self.dry_run.as_ref()?.as_ref().ok()?;
        let price = dry_run.price.filter(|_| dry_run.accuracy == Accuracy::LowerBound);
        price.map(|price| price.usd)
    }

    /// The maximum of bytes that it reads.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        match (&self.dry_run, &self.offline) {
            (Some(_), _) => self.bound().map(|dry_run| dry_run.bytes_processed),
            (None, Some(offline)) => offline.as_ref().ok().and_then(|estimate| estimate.processed_bytes),
            (None, None) => None,
        }
    }

    /// Why its cost is unknown, if it is.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        if self.usd().is_some() {
            return None;
        }
        let errors = [
            self.dry_run.as_ref().and_then(|estimate| estimate.as_ref().err()),
            self.offline.as_ref().and_then(|estimate| estimate.as_ref().err()),
        ];
        let unknown = || match self.least_usd() {
            Some(usd) => format!("the cost of this query is unknown: BigQuery says only that it is at least ${usd:.6}"),
            None if self.is_in_edition => {
                "the cost of this query is unknown: BIGQUERY_PRICING is edition, and the slot time \
                                           that BigQuery bills is known when it has run"
                    .to_owned()
            }
            None => match self.unpriced() {
                Some(statement) => format!(
                    "the cost of this query is unknown: {statement} has a price of its own; set \
                     BIGQUERY_STATEMENT_USD_PER_TIB={statement}=… to it"
                ),
                None => "the cost of this query is unknown".to_owned(),
            },
        };
        Some(errors.into_iter().flatten().next().cloned().unwrap_or_else(unknown))
    }

    /// The type of a statement that has a price of its own which is not configured.
    fn unpriced(&self) -> Option<&str> {
        let dry_run = self.dry_run.as_ref()?.as_ref().ok()?;
        dry_run.statement_type.as_deref().filter(|_| dry_run.price.is_none())
    }

    /// Its file's name, or `query`.
    #[must_use]
    pub fn name(&self) -> String {
        self.source.file.as_ref().map_or_else(|| "query".to_owned(), |file| file.display().to_string())
    }
}
