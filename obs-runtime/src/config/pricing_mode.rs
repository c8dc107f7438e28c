//! `BIGQUERY_PRICING`: how BigQuery bills queries.

use std::fmt;

/// How BigQuery bills queries: <https://cloud.google.com/bigquery/pricing#overview_of_pricing>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PricingMode {
    /// By the bytes that a query reads, which a dry run tells before it runs.
    #[default]
    OnDemand,
    /// By the slots of a reservation, in an edition. What a query costs is not known before it has run.
    Edition,
}

impl fmt::Display for PricingMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OnDemand => "on_demand",
            Self::Edition => "edition",
        })
    }
}
