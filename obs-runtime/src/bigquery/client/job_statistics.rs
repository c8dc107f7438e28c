//! Reads the statistics of a job.

use std::time::Duration;

use gcp_bigquery_client::model::get_query_results_response::GetQueryResultsResponse;
use gcp_bigquery_client::model::job::Job;
use gcp_bigquery_client::model::table_reference::TableReference;

use crate::bigquery::statistics::QueryStatistics;

/// The query statistics of a job.
pub fn statistics(job: &Job, rows: Option<&GetQueryResultsResponse>) -> QueryStatistics {
    let Some(statistics) = &job.statistics else {
        return QueryStatistics { reported: true, ..QueryStatistics::default() };
    };
    let of_query = statistics.query.as_ref();
    let milliseconds = |text: Option<&String>| text.and_then(|text| text.parse::<u64>().ok());
    let started = milliseconds(statistics.start_time.as_ref()).or(milliseconds(statistics.creation_time.as_ref()));
    let ended = milliseconds(statistics.end_time.as_ref());
    let slots = of_query.and_then(|query| query.total_slot_ms.as_ref()).or(statistics.total_slot_ms.as_ref());
    let processed = of_query.and_then(|query| query.total_bytes_processed.as_ref());
    let billed = of_query.and_then(|query| query.total_bytes_billed.as_ref());
    // DDL statements read nothing, and their statistics have no billed bytes.
    let is_free =
        of_query.is_some_and(|query| query.ddl_operation_performed.is_some() && query.total_bytes_processed.is_none());
    QueryStatistics {
        bytes_processed: number(processed.or(statistics.total_bytes_processed.as_ref()).map(String::as_str)),
        bytes_billed: billed.and_then(|bytes| bytes.parse().ok()).or_else(|| is_free.then_some(0)),
        rows: rows.and_then(|rows| rows.total_rows.as_ref()?.parse().ok()),
        slot_time: milliseconds(slots).map(Duration::from_millis),
        duration: started.zip(ended).map(|(started, ended)| Duration::from_millis(ended.saturating_sub(started))),
        cache_hit: of_query.and_then(|query| query.cache_hit).unwrap_or(false),
        // "unreserved" is on-demand:
        // <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics>.
        reservation: statistics.reservation_id.as_deref().is_some_and(|id| id != "unreserved"),
        reported: true,
    }
}

/// Parses a number that the API encodes as a string; 0 if it is absent.
pub fn number(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The names of tables, without duplicates.
pub fn tables(references: &[TableReference]) -> Vec<String> {
    let mut names: Vec<String> = references
        .iter()
        .map(|table| format!("{}.{}.{}", table.project_id, table.dataset_id, table.table_id))
        .collect();
    names.sort();
    names.dedup();
    names
}
