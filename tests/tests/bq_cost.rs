//! `#[bq_cost]`: the cost of everything that runs within a function.

use obs_runtime::bigquery::CostLimit;
use obs_runtime::testing::{capture, capture_async};
use obs_runtime::{
    ClosureInContext as _, CostRefused, QueryStatistics, bq_cost, reserve_cost, track_cli_command, track_cost,
    track_estimate,
};

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
async fn spends_in_a_task() -> u8 {
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
fn statistics_in_a_return_value_are_recorded() {
    let metrics = capture(|| query("users", TIB)).metrics;
    assert_eq!(metrics.value("bigquery.total_cost.usd", &[("operation", "query")]), Some(6.25));
    assert_eq!(metrics.value("bigquery.cost.usd", &[("operation", "query"), ("kind", "actual")]), Some(1.0));
    assert_eq!(metrics.value("bigquery.bytes_billed", &[("operation", "query")]), Some(1.0));
    assert_eq!(metrics.value("bigquery.query.count", &[("query_type", "select"), ("cache_hit", "false")]), Some(1.0));
    assert_eq!(metrics.value("bigquery.query.rows_returned", &[("query_type", "select")]), Some(1.0));
    assert_eq!(metrics.value("bigquery.operation", &[("operation_type", "select"), ("dataset", "users")]), Some(1.0));
}

#[test]
fn cost_is_recorded_for_the_innermost_scope_and_counts_against_all_outer_thresholds() {
    let captured = capture(report);
    let prices: Vec<_> = captured.records.prices.iter().map(|(operation, ..)| &**operation).collect();
    assert_eq!(prices, ["query", "query"]);
    // 6.25 is within the inner threshold, 12.50 within the outer one.
    assert_eq!(captured.records.cost_alerts, []);
    let captured = capture(|| (query("users", 2 * TIB), report()));
    assert_eq!(captured.records.cost_alerts, [("query".to_owned(), "threshold".to_owned())]);
}

#[test]
fn a_scope_alerts_once_when_it_exceeds_its_threshold() {
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
fn a_spawned_task_spends_in_the_scope_of_its_spawner() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let captured = runtime.block_on(capture_async(spends_in_a_task()));
    assert_eq!(captured.value, 3);
    assert_eq!(captured.records.prices, [("spends_in_a_task".to_owned(), false, 6.25)]);
}

#[test]
fn reservations_for_another_client_count_against_the_limits() {
    #[bq_cost(max_usd = 10.0, max_bytes = "2 TiB", alert_over_usd = 7.0)]
    fn limited() -> Vec<Result<(), CostRefused>> {
        let run = || {
            reserve_cost(TIB)?.settle(&billed(TIB));
            Ok(())
        };
        let mut results = vec![run(), run()];
        // A reservation counts until it is settled or cancelled.
        let held = reserve_cost(1).unwrap();
        assert_eq!(held.estimate().bytes_billed, 10 << 20);
        let refused = reserve_cost(TIB / 4 * 3).unwrap_err();
        assert!(matches!(refused.limit, CostLimit::Usd { used_usd, .. } if used_usd > 6.25), "{refused}");
        held.cancel();
        results.push(run());
        results
    }
    let captured = capture(limited);
    let [first, second, third] = &captured.value[..] else { panic!("{:?}", captured.value) };
    assert!(first.is_ok());
    for refused in [second, third] {
        let refused = refused.as_ref().unwrap_err();
        assert_eq!(refused.limit, CostLimit::Usd { max_usd: 10.0, used_usd: 6.25 });
        assert_eq!((refused.operation.as_str(), refused.estimate.usd), ("limited", 6.25));
    }
    let reasons: Vec<_> = captured.records.cost_alerts.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons, ["limit"; 3]);
}

#[test]
fn concurrent_reservations_cannot_exceed_a_limit_together() {
    #[bq_cost(max_bytes = "100 MiB")]
    fn limited() -> usize {
        let held = std::sync::Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..30 {
                scope.spawn((|| held.lock().unwrap().extend(reserve_cost(10 << 20).ok())).in_current_context());
            }
        });
        held.into_inner().unwrap().len()
    }
    assert_eq!(capture(limited).value, 10);
}

#[test]
fn statistics_that_the_client_reported_are_not_counted_again() {
    #[bq_cost]
    fn returns_reported_statistics() -> QueryStatistics {
        let statistics = QueryStatistics { reported: true, ..billed(TIB) };
        track_cost(&statistics);
        statistics
    }
    let captured = capture(returns_reported_statistics);
    assert_eq!(captured.records.prices, []);
    assert!(captured.metrics.family("bigquery.query.count").is_none());
}

#[test]
fn nothing_is_refused_without_initialisation() {
    #[bq_cost(max_usd = 0.0)]
    fn limited() -> Result<(), CostRefused> {
        reserve_cost(TIB).map(drop)
    }
    assert!(limited().is_ok());
}

#[test]
fn a_command_logs_its_cost_including_inner_commands() {
    let spend = || {
        track_cost(&billed(TIB));
        Ok::<_, std::fmt::Error>(())
    };
    let captured = capture(|| track_cli_command("outer", || track_cli_command("inner", spend).and_then(|()| spend())));
    assert!(captured.value.is_ok());
    let lines: Vec<_> = captured.records.logs.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(lines, ["inner spent $6.250000 on 1 query", "outer spent $12.500000 on 2 queries"]);
    let quiet = capture(|| track_cli_command("quiet", || Ok::<_, std::fmt::Error>(())));
    assert!(quiet.records.logs.is_empty());
}

#[test]
fn an_estimate_is_not_counted_as_cost() {
    let captured = capture(estimated);
    assert_eq!(captured.records.prices, [("estimated".to_owned(), true, 6.25)]);
    assert!(captured.metrics.family("bigquery.total_cost.usd").is_none());
}
