//! Catalogues and assertions on estimates.

use std::time::{Duration, SystemTime};

use obs_runtime::bigquery::estimate::{Catalogue, Estimate, Figure, estimate};

pub const SHAKESPEARE: &str = "bigquery-public-data.samples.shakespeare";
pub const WORD: u64 = 1_332_943;
pub const WORD_COUNT: u64 = 1_317_248;
pub const CORPUS: u64 = 2_464_625;
pub const CORPUS_DATE: u64 = 1_317_248;
pub const MIB: u64 = 1 << 20;

/// Small tables with features that the shipped ones do not have.
pub const SMALL: &str = r#"{ "tables": [
  { "name": "p.d.orders", "rows": 100,
    "sources": { "rows": "made up", "columns": "made up" },
    "columns": [
      { "name": "id", "type": "INT64", "mode": "REQUIRED" },
      { "name": "customer", "type": "INT64", "mode": "REQUIRED" },
      { "name": "amount", "type": "NUMERIC", "nulls": 10, "source": "made up" },
      { "name": "paid", "type": "BOOL" },
      { "name": "note", "type": "STRING" },
      { "name": "month", "type": "DATE", "mode": "REQUIRED" },
      { "name": "address", "type": "RECORD", "mode": "REQUIRED", "fields": [
        { "name": "zip", "type": "INT64", "mode": "REQUIRED" },
        { "name": "geo", "type": "STRUCT", "fields": [
          { "name": "lat", "type": "FLOAT64", "mode": "REQUIRED" } ] } ] },
      { "name": "tags", "type": "STRING", "mode": "REPEATED",
        "logical_bytes": 700, "source": "made up" },
      { "name": "items", "type": "RECORD", "mode": "REPEATED", "fields": [
        { "name": "sku", "type": "STRING", "logical_bytes": 900, "source": "made up" },
        { "name": "price", "type": "INT64", "logical_bytes": 800, "source": "made up" } ] } ] },
  { "name": "p.d.customers", "rows": 10, "bytes": 1000,
    "sources": { "rows": "made up", "bytes": "made up", "columns": "made up" },
    "columns": [
      { "name": "customer", "type": "INT64", "mode": "REQUIRED" },
      { "name": "name", "type": "STRING", "mode": "REQUIRED" },
      { "name": "mail", "type": "STRING" } ] },
  { "name": "p.d.events", "rows": 1000, "partition_column": "day",
    "sources": { "rows": "made up", "columns": "made up" },
    "columns": [
      { "name": "day", "type": "DATE", "mode": "REQUIRED" },
      { "name": "user", "type": "INT64", "mode": "REQUIRED" } ] }
] }"#;

/// A moment in RFC 3339.
pub fn moment(text: &str) -> SystemTime {
    let seconds = text.parse::<jiff::Timestamp>().unwrap().as_second();
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap())
}

pub fn shipped(sql: &str) -> Estimate {
    estimate(sql, &Catalogue::shipped().unwrap(), 6.25).unwrap()
}

pub fn small(sql: &str) -> Estimate {
    let catalogue = Catalogue::from_json(SMALL, "small.json").unwrap();
    estimate(sql, &catalogue, 6.25).unwrap()
}

/// The columns that are read, of all tables.
pub fn columns(estimate: &Estimate) -> Vec<&str> {
    let columns = estimate.tables.iter().flat_map(|table| &table.columns);
    columns.map(String::as_str).collect()
}

/// The reasons why an estimate is unknown.
pub fn why(estimate: &Estimate) -> String {
    match &estimate.figure {
        Figure::Unknown { why } => why.join("\n"),
        known => panic!("{known}: {estimate}"),
    }
}

#[track_caller]
pub fn exactly(estimate: &Estimate, bytes: u64) {
    assert_eq!(estimate.figure, Figure::Exact, "{estimate}");
    assert_eq!(estimate.processed_bytes, Some(bytes), "{estimate}");
}

#[track_caller]
pub fn at_most(estimate: &Estimate, bytes: u64) {
    assert_eq!(estimate.figure, Figure::UpperBound, "{estimate}");
    assert_eq!(estimate.processed_bytes, Some(bytes), "{estimate}");
}

#[track_caller]
pub fn unknown(estimate: &Estimate, because: &str) {
    assert!(why(estimate).contains(because), "{estimate}");
    assert_eq!(estimate.processed_bytes, None);
    assert_eq!(estimate.billed_bytes, None);
    assert_eq!(estimate.usd, None);
}
