//! `#[bq_cost]`: what is spent inside a function, however deep.

use obs_runtime::testing::{capture, capture_async};
use obs_runtime::{QueryStatistics, bq_cost, track_cost, track_estimate};

const TIB: u64 = 1 << 40;

fn billed(bytes: u64) -> QueryStatistics {
    QueryStatistics { bytes_processed: bytes, bytes_billed: Some(bytes), rows: Some(10), ..QueryStatistics::default() }
}

#[bq_cost(query_type = "select", dataset = table, alert_over_usd = 10.0)]
fn query(table: &str, bytes: u64) -> Result<QueryStatistics, std::fmt::Error> {
    let _ = table;
    Ok(billed(bytes))
}

#[bq_cost(alert_over_usd = 15.0)]
fn report() -> Result<(), std::fmt::Error> {
    query("users", TIB)?;
    query("orders", TIB)?;
    Ok(())
}

#[bq_cost]
async fn later() -> u8 {
    tokio::task::yield_now().await;
    obs_runtime::spawn(async { track_cost(&billed(TIB)) }).await.unwrap();
    3
}

#[bq_cost]
fn estimated() {
    let price = track_estimate(TIB);
    assert!((price.usd - 6.25).abs() < 1e-9);
}

#[test]
fn a_return_value_that_carries_statistics_is_reported() {
    let metrics = capture(|| query("users", TIB)).metrics;
    assert_eq!(metrics.value("bigquery.total_cost.usd", &[("operation", "query")]), Some(6.25));
    assert_eq!(metrics.value("bigquery.cost.usd", &[("operation", "query"), ("kind", "actual")]), Some(1.0));
    assert_eq!(metrics.value("bigquery.bytes_billed", &[("operation", "query")]), Some(1.0));
    assert_eq!(metrics.value("bigquery.query.count", &[("query_type", "select"), ("cache_hit", "false")]), Some(1.0));
    assert_eq!(metrics.value("bigquery.query.rows_returned", &[("query_type", "select")]), Some(1.0));
    assert_eq!(metrics.value("bigquery.operation", &[("operation_type", "select"), ("dataset", "users")]), Some(1.0));
}

#[test]
fn a_spend_counts_once_in_the_innermost_scope_and_is_seen_by_the_outer_ones() {
    let captured = capture(report);
    let prices: Vec<_> = captured.records.prices.iter().map(|(operation, ..)| &**operation).collect();
    assert_eq!(prices, ["query", "query"]);
    // 6.25 is within both thresholds, 12.50 in the outer scope too.
    assert_eq!(captured.records.cost_alerts, []);
    let captured = capture(|| (query("users", 2 * TIB), report()));
    assert_eq!(captured.records.cost_alerts, [("query".to_owned(), "threshold".to_owned())]);
}

#[test]
fn a_scope_alerts_once_when_it_passes_its_threshold() {
    #[bq_cost(alert_over_usd = 5.0)]
    fn expensive() {
        for _ in 0..3 {
            track_cost(&billed(TIB));
        }
    }
    let captured = capture(expensive);
    assert_eq!(captured.records.cost_alerts.len(), 1);
    let labels = [("operation", "expensive"), ("reason", "threshold")];
    assert_eq!(captured.metrics.value("bigquery.cost_alert", &labels), Some(1.0));
}

#[test]
fn a_spawned_task_spends_in_the_scope_that_spawned_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let captured = runtime.block_on(capture_async(later()));
    assert_eq!(captured.value, 3);
    assert_eq!(captured.records.prices, [("later".to_owned(), false, 6.25)]);
}

#[test]
fn an_estimate_is_no_spend() {
    let captured = capture(estimated);
    assert_eq!(captured.records.prices, [("estimated".to_owned(), true, 6.25)]);
    assert!(captured.metrics.family("bigquery.total_cost.usd").is_none());
}
