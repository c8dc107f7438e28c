//! The cost of queries as text and as JSON.

use std::fmt;

use obs_runtime::bigquery::estimate::{Estimate, Figure};
use obs_runtime::bigquery::{Accuracy, DryRun};
use serde_json::{Value, json};

use super::priced_query::PricedQuery;

/// The estimates of all queries.
#[derive(Debug)]
pub struct Report<'q> {
    /// The queries, in the order in which they were given.
    pub queries: &'q [PricedQuery],
    /// The limit for each of them, in US dollars.
    pub max_usd: f64,
}

impl Report<'_> {
    /// The estimate of a single query, or a list of estimates with their sum.
    ///
    /// # Errors
    /// When an estimate cannot be serialised.
    pub fn to_json(&self) -> serde_json::Result<Value> {
        let queries = self.queries.iter().map(|query| self.query_json(query)).collect::<Result<Vec<_>, _>>()?;
        if let [only] = queries.as_slice() {
            return Ok(only.clone());
        }
        Ok(json!({"queries": queries, "usd": self.sum(), "max_usd": self.max_usd}))
    }

    fn query_json(&self, query: &PricedQuery) -> serde_json::Result<Value> {
        let mut json = match &query.offline {
            Some(Ok(estimate)) => serde_json::to_value(estimate)?,
            Some(Err(error)) => json!({"error": error}),
            None => json!({}),
        };
        if let Some(fields) = json.as_object_mut() {
            fields.extend(query.source.file.as_ref().map(|file| ("file".to_owned(), json!(file))));
            let dry_run = query.dry_run.as_ref().map(|dry_run| match dry_run {
                Ok(dry_run) => json!({
                    "processed_bytes": dry_run.bytes_processed, "accuracy": accuracy(dry_run.accuracy).0,
                    "billed_bytes": dry_run.bytes_billed,
                    "usd": dry_run.price.map(|price| price.usd), "tables": dry_run.tables, "statement_type": dry_run.statement_type,
                }),
                Err(error) => json!({"error": error}),
            });
            fields.extend(dry_run.map(|dry_run| ("dry_run".to_owned(), dry_run)));
            if query.is_in_edition {
                fields.insert("pricing".to_owned(), json!("edition"));
                // The catalogue has the price on demand.
                fields.extend(query.offline.as_ref().map(|_| ("usd".to_owned(), Value::Null)));
            }
            fields.insert("within_limit".to_owned(), query.usd().map_or(Value::Null, |usd| json!(usd <= self.max_usd)));
        }
        Ok(json)
    }

    /// US dollars of all of them; none when one is not known.
    fn sum(&self) -> Option<f64> {
        self.queries.iter().map(PricedQuery::usd).sum()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [query] = self.queries {
            return one(query, f);
        }
        let width = self.queries.iter().map(|query| query.name().len()).max().unwrap_or(0).max("query".len());
        writeln!(f, "{:width$}  {:>20}  {:>14}  ", "query", "bytes", "cost")?;
        for query in self.queries {
            let bytes = query.bytes().map_or_else(|| "unknown".to_owned(), |bytes| bytes.to_string());
            let usd = query.usd().map_or_else(|| "unknown".to_owned(), |usd| format!("${usd:.6}"));
            let least = query.usd().or_else(|| query.least_usd());
            let over = if least.is_some_and(|usd| usd > self.max_usd) { "over the limit" } else { figure(query) };
            writeln!(f, "{:width$}  {bytes:>20}  {usd:>14}  {over}", query.name())?;
        }
        let sum = self.sum().map_or_else(|| "unknown".to_owned(), |usd| format!("${usd:.6}"));
        writeln!(f, "{:width$}  {:>20}  {sum:>14}", "sum", "")?;
        for query in self.queries {
            for advice in query.offline.iter().flatten().flat_map(|estimate: &Estimate| &estimate.advice) {
                writeln!(f, "{}: {advice}", query.name())?;
            }
        }
        Ok(())
    }
}

fn one(query: &PricedQuery, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(Ok(estimate)) = &query.offline {
        let text = estimate.to_string();
        // In an edition it does not cost what it costs on demand.
        let lines = text.lines().filter(|line| !(query.is_in_edition && line.starts_with("cost ")));
        lines.into_iter().try_for_each(|line| writeln!(f, "{line}"))?;
    }
    if let Some(Ok(DryRun { bytes_processed, bytes_billed, price, tables, accuracy: of, .. })) = &query.dry_run {
        let (_, bound) = accuracy(*of);
        for table in tables {
            writeln!(f, "reads        {table}")?;
        }
        writeln!(f, "dry run      {bytes_processed} bytes")?;
        if !query.is_in_edition {
            writeln!(f, "billed       {bound} {bytes_billed} bytes")?;
        }
        match price {
            Some(price) => writeln!(f, "cost         {bound} ${:.6}", price.usd)?,
            None => writeln!(f, "cost         unknown")?,
        }
        if let Some(Ok(Estimate { processed_bytes: Some(offline), .. })) = &query.offline {
            let more = offline.saturating_sub(*bytes_processed);
            let less = bytes_processed.saturating_sub(*offline);
            writeln!(f, "difference   the catalogue has {more} bytes more, {less} less")?;
        }
    }
    Ok(())
}

/// The accuracy of a dry run in JSON and as text.
fn accuracy(accuracy: Accuracy) -> (&'static str, &'static str) {
    match accuracy {
        Accuracy::Precise => ("precise", "at most"),
        Accuracy::UpperBound => ("upper_bound", "at most"),
        Accuracy::LowerBound => ("lower_bound", "at least"),
        _ => ("unknown", "perhaps"),
    }
}

fn figure(query: &PricedQuery) -> &'static str {
    match (&query.dry_run, &query.offline) {
        (Some(Ok(dry_run)), _) if dry_run.accuracy.is_bound() => "dry run",
        (None, Some(Ok(Estimate { figure: Figure::Exact, .. }))) => "exact",
        (None, Some(Ok(Estimate { figure: Figure::UpperBound, .. }))) => "upper bound",
        _ => "",
    }
}
