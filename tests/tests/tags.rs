//! Tags are labels of the metrics of every attribute.

use obs_runtime::testing::capture;
use obs_runtime::{
    QueryStatistics, bq_cost, dq_check, health_check, run_dq_checks, run_health_checks, track_cost, track_performance,
    tracked_command, with_error_tracking,
};

#[tracked_command(tags(team = "growth"))]
fn command() {}

#[track_performance(tags(team = "growth"))]
fn operation() {}

#[with_error_tracking(tags(team = "growth"))]
fn failing() -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}

#[bq_cost(query_type = "select", dataset = "users", alert_over_usd = 1.0, tags(team = "growth"))]
fn query() -> QueryStatistics {
    let statistics = QueryStatistics { bytes_billed: Some(1 << 40), ..QueryStatistics::default() };
    track_cost(&statistics);
    statistics
}

#[health_check(tags(team = "growth"))]
fn healthy() {}

#[dq_check(tags(team = "growth"), fail_above = 9)]
fn measured() -> u8 {
    1
}

#[test]
fn tags_of_every_attribute_are_labels() {
    let metrics = capture(|| {
        command();
        operation();
        let _ = failing();
        query();
        run_health_checks().wait();
        run_dq_checks().wait();
    })
    .metrics;
    let tagged = [
        "cli.command.success",
        "operation.success",
        "operation.error",
        "bigquery.total_cost.usd",
        "bigquery.query.count",
        "bigquery.operation",
        "bigquery.cost_alert",
        "health_check.status",
        "data_quality.check.executed",
        "data_quality.check.value",
    ];
    for family in tagged {
        assert!(metrics.value(family, &[("team", "growth")]).is_some(), "{family}: {metrics:#?}");
    }
}
