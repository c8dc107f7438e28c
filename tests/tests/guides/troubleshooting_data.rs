//! Entries of the chapter on troubleshooting about errors, checks and costs.

use std::time::Duration;

use anyhow::Context as _;
use obs_runtime::testing::{bigquery, capture, capture_with};
use obs_runtime::{
    Config, Guard, HealthCheck, QualityCheck, Secret, bq_cost, capture_error, health_response, reserve_cost,
    run_dq_checks, run_health_checks, with_error_tracking,
};

use super::troubleshooting::{captured_to, closed_port, led_to, lines, says};

#[test]
fn no_sentry_events() {
    let dsn = Secret::new(format!("http://key@127.0.0.1:{}/1", closed_port()));
    let fails = |_: &Guard| assert!(capture_error(&std::io::Error::other("lost")).is_some());
    let lines = lines(|builder| builder.sentry_enabled(true).sentry_dsn(dsn), fails);
    led_to("no-sentry-events", &lines);
}

#[with_error_tracking]
fn read() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("no such table"))
}

#[with_error_tracking]
fn load_as_text() -> Result<(), String> {
    read().map_err(|error| format!("loading failed ({error})"))
}

#[with_error_tracking]
fn load_with_source() -> anyhow::Result<()> {
    read().context("loading failed")
}

#[test]
fn two_sentry_events() {
    capture(|| load_as_text().unwrap_err()).errors().is(2);
    capture(|| load_with_source().unwrap_err()).errors().once();
}

#[test]
fn nothing_checked() {
    let captured = capture(|| run_dq_checks().only(["no_such_check"]).wait());
    assert!(!captured.value.passed());
    says("nothing-checked", &captured_to("nothing-checked", &captured), "no data-quality check runs: ");
}

#[test]
fn check_names() {
    let _twice = [1, 2].map(|_| QualityCheck::new("twice", || 0_u64).dataset("troubleshooting").register());
    captured_to("check-names", &capture(|| run_dq_checks().dataset("troubleshooting").wait()));
}

#[test]
fn check_timed_out() {
    let slow = HealthCheck::new("slow", || std::thread::park_timeout(Duration::from_mins(1)));
    let _check = slow.timeout(Duration::from_millis(20)).groups(&["slow"]).register();
    let report = capture(|| run_health_checks().group("slow").wait()).value;
    says("check-timed-out", report.checks[0].message.as_deref().unwrap(), "no answer within ");
}

#[test]
fn unknown_health_group() {
    let captured = capture(|| run_health_checks().group("redy").wait());
    says("unknown-health-group", &captured_to("unknown-health-group", &captured), "no health check is in the group ");
}

#[test]
fn pod_restarts() {
    let away = HealthCheck::new("warehouse", || Err::<(), _>("no connection".to_owned()));
    let _check = away.groups(&["live", "ready"]).register();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let captured = capture(|| runtime.block_on(health_response("/livez", "application/json")));
    assert_eq!(captured.value.as_ref().map(|answer| answer.status), Some(503));
    capture(|| run_health_checks().group("live").wait()).health().name("warehouse").status("unhealthy").once();
}

#[bq_cost(max_usd = 5.0, budget = "nobody-defined-it")]
fn unlisted(bytes: u64) -> Result<(), obs_runtime::CostRefused> {
    reserve_cost(bytes).map(drop)
}

#[bq_cost(max_usd = 5.0)]
fn limited(bytes: u64) -> Result<(), obs_runtime::CostRefused> {
    reserve_cost(bytes).map(drop)
}

#[test]
fn query_refused() {
    let captured = capture(|| limited(1 << 40).unwrap_err().to_string());
    says("query-refused", &captured.value, "refused before it ran: ");
    captured.cost_alerts().operation("limited").reason("limit").once();
}

#[test]
fn budget_undefined() {
    let captured = capture(|| unlisted(1).unwrap_err().to_string());
    says("budget-undefined", &captured.value, "and there is no budget ");
}

#[bq_cost(budget = "daily")]
fn budgeted() -> Result<(), obs_runtime::CostRefused> {
    reserve_cost(1 << 30).map(drop)
}

#[test]
fn budget_unavailable() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let budget = obs_runtime::config::Budget::new("daily", 50.0, obs_runtime::config::BudgetPeriod::Day);
    let config = Config::default().with(|config| {
        config.budgets = vec![budget];
        config.state_dir = Some(file.path().join("inside"));
    });
    let message = capture_with(config, || budgeted().unwrap_err().to_string()).value;
    assert!(message.contains("the budget `daily` cannot be read or written"), "{message}");
}

#[test]
fn costs_differ() {
    let bigquery = bigquery().unwrap();
    bigquery.on("SELECT 1").bytes(1 << 40).rows([1]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = |config| {
        let query = async {
            bigquery.client().await.unwrap().query("SELECT 1").rows::<u64>().await.unwrap().all().await.unwrap()
        };
        capture_with(config, || runtime.block_on(query))
    };
    run(bigquery.config()).costs().actual().usd(6.25);
    let lookup = |name: &str| (name == "BIGQUERY_USD_PER_TIB").then(|| "6.25,us=8.13".into());
    let prices = Config::from_lookup(lookup).unwrap();
    let config = bigquery.config().with(|config| config.bigquery_usd_per_tib = prices.bigquery_usd_per_tib);
    run(config).costs().actual().usd(8.13);
}

#[test]
fn bigquery_retries() {
    let bigquery = bigquery().unwrap();
    bigquery.on("SELECT 1").fails("backendError", "try again");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let query = async { bigquery.client().await.unwrap().query("SELECT 1").rows::<u64>().await.map(drop).unwrap_err() };
    let captured = capture_with(bigquery.config(), || runtime.block_on(query));
    let message = captured_to("bigquery-retries", &captured);
    assert!(message.starts_with("BigQuery: ") && message.contains(" failed, retrying"), "{message}");
}
