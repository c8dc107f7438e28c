//! Editions: queries in a reservation are billed by slots, and what they cost is known when they have run.

use obs_runtime::bigquery::{BigQueryError, Client, CostLimit, budget_used};
use obs_runtime::config::{Budget, BudgetPeriod, PricingMode};
use obs_runtime::{Config, bq_cost};
use obs_tests::calendar::within_one_month;
use obs_tests::process::Process;
use obs_tests::servers::scripted_bigquery::{Call, ScriptedBigQuery};
use obs_tests::wait;
use serde_json::{Value, json};

use crate::support::{TIB, assert_job_is_cancelled, config, run, server_with_bytes};

/// A server whose queries read 5 TiB and use this slot time in a reservation.
fn server(slot_hours: u64) -> ScriptedBigQuery {
    let server = server_with_bytes(5 * TIB);
    server.change(|behaviour| {
        behaviour.statistics = json!({"reservation_id": "p:US.etl"});
        behaviour.more = json!({"totalSlotMs": (slot_hours * 3_600_000).to_string()});
    });
    server
}

/// In this configuration a slot hour costs one dollar.
fn edition(server: &ScriptedBigQuery) -> Config {
    config(server).with(|config| {
        config.bigquery_pricing = PricingMode::Edition;
        config.bigquery_usd_per_slot_hour = 1.0.into();
    })
}

#[bq_cost(max_usd = 7.0)]
async fn seven_dollars(client: &Client, queries: usize) -> Vec<Result<f64, BigQueryError>> {
    let mut costs = Vec::new();
    for _ in 0..queries {
        costs.push(client.query("SELECT 1").run().await.map(|job| job.price.usd));
    }
    costs
}

#[bq_cost(max_slot_hours = 3.5)]
async fn slot_hours(client: &Client) -> (usize, BigQueryError) {
    let mut ran = 0;
    loop {
        match client.query("SELECT 1").run().await {
            Ok(_) => ran += 1,
            Err(error) => return (ran, error),
        }
    }
}

#[test]
fn bytes_refuse_nothing_in_an_edition_and_the_price_is_a_lower_bound() {
    let server = server(2);
    let captured = run(edition(&server), |client| async move { seven_dollars(&client, 1).await });
    assert!(matches!(captured.value[..], [Ok(usd)] if usd == 2.0), "{:?}", captured.value);
    let prices: Vec<_> = captured.records.prices.iter().map(|(_, estimate, usd)| (*estimate, *usd)).collect();
    assert_eq!(prices, [(false, 2.0)], "there is no estimate");
    let sent = server.requests(Call::Insert);
    assert_eq!(sent[0].body["configuration"]["query"].get("maximumBytesBilled"), None::<&Value>);
    // On demand the same query would cost 31.25 dollars.
    let captured = run(config(&server), |client| async move { seven_dollars(&client, 1).await });
    assert!(captured.value[0].as_ref().unwrap_err().refused().is_some());
}

#[test]
fn a_log_line_says_that_the_price_is_a_lower_bound() {
    let (server, folder) = (server(2), tempfile::tempdir().unwrap());
    let mut running = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .env("BIGQUERY_EMULATOR_HOST", server.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("OBS_BUDGETS", "shared=7USD/day")
        .env("OBS_STATE_DIR", folder.path())
        .env("BIGQUERY_PRICING", "edition")
        .env("BIGQUERY_USD_PER_SLOT_HOUR", "1")
        .env("PROMETHEUS_PORT", "0")
        .start();
    running.write_line("report");
    let log = running.finish().log();
    let costs: Vec<_> = log.iter().filter(|line| !line["cost_kind"].is_null()).collect();
    assert_eq!(costs.len(), 1, "{log:#?}");
    assert_eq!(costs[0]["message"], "report cost at least 2.000000 USD");
    assert_eq!((&costs[0]["cost_is_lower_bound"], &costs[0]["cost_usd"]), (&json!(true), &json!(2.0)));
}

#[test]
fn a_query_in_an_edition_is_refused_when_the_limit_is_used_up() {
    let server = server(4);
    let captured = run(edition(&server), |client| async move { seven_dollars(&client, 3).await });
    let refused = captured.value[2].as_ref().unwrap_err().refused().expect("it is refused").clone();
    assert_eq!(refused.limit, CostLimit::Usd { max_usd: 7.0, used_usd: 8.0 });
    assert!(refused.to_string().contains("would read 5497558138880 bytes"), "{refused}");
    assert_eq!(server.jobs(), 2);
}

#[test]
fn slot_hours_are_limited_in_both_modes() {
    for (config, hours) in [(edition as fn(&ScriptedBigQuery) -> Config, 2), (config, 2)] {
        let server = server(hours);
        let captured = run(config(&server), |client| async move { slot_hours(&client).await });
        let (ran, error) = captured.value;
        let limit = error.refused().map(|refused| refused.limit.clone());
        assert_eq!((ran, limit), (2, Some(CostLimit::SlotHours { max_slot_hours: 3.5, used_slot_hours: 4.0 })));
        assert!(error.to_string().contains("over its limit of 3.5 slot hours (4.000000 are used)"), "{error}");
    }
}

#[test]
fn a_failed_job_in_a_reservation_is_booked_and_uses_up_a_budget() {
    #[bq_cost(budget = "shared")]
    async fn scope(client: &Client) -> Result<(), BigQueryError> {
        client.query("SELECT 1").run().await.map(drop)
    }
    within_one_month(|| {
        let (server, folder) = (server(4), tempfile::tempdir().unwrap());
        server.change(|behaviour| behaviour.failures.push_back(("invalidQuery".into(), "Division by zero".into())));
        let config = edition(&server).with(|config| {
            config.state_dir = Some(folder.path().to_owned());
            config.budgets = vec![Budget::new("shared", 4.0, BudgetPeriod::Month)];
        });
        let captured = run(config, |client| async move {
            let failed = scope(&client).await.unwrap_err();
            let used = budget_used("shared");
            (failed, used, scope(&client).await.unwrap_err())
        });
        let (failed, used, refused) = captured.value;
        assert_eq!(failed.reason().unwrap(), &"invalidQuery");
        assert_eq!(used, Ok((4.0, 0.0)));
        assert!(matches!(refused.refused().map(|refused| &refused.limit), Some(CostLimit::Budget { .. })), "{refused}");
    });
}

#[test]
fn an_unreserved_job_is_billed_by_bytes() {
    let server = server(2);
    server.change(|behaviour| behaviour.statistics = json!({"reservation_id": "unreserved"}));
    let captured = run(edition(&server), |client| async move { seven_dollars(&client, 1).await });
    assert!(matches!(captured.value[..], [Ok(usd)] if usd == 31.25), "{:?}", captured.value);
}

#[test]
fn a_running_query_that_passes_its_slot_hours_is_cancelled_and_booked() {
    let server = server(4);
    server.change(|behaviour| behaviour.polls = None);
    let captured = run(edition(&server), |client| async move { slot_hours(&client).await });
    let (ran, error) = captured.value;
    let limit = error.refused().map(|refused| refused.limit.clone());
    assert_eq!((ran, limit), (0, Some(CostLimit::SlotHoursPassed { max_slot_hours: 3.5, used_slot_hours: 4.0 })));
    let text = "cancelled while it ran: a query of `slot_hours`, which has passed its limit of 3.5 slot hours (4.000000 are used)";
    assert_eq!(error.to_string(), text);
    assert_job_is_cancelled(&server);
    // Below the limit it goes on.
    let server = self::server(3);
    server.change(|behaviour| behaviour.polls = Some(3));
    let captured = run(edition(&server), |client| async move { slot_hours(&client).await });
    let (ran, error) = captured.value;
    assert!((1..=2).contains(&ran), "{ran} {error}");
    assert!(matches!(
        error.refused().map(|refused| &refused.limit),
        Some(CostLimit::SlotHours { .. } | CostLimit::SlotHoursPassed { .. })
    ));
}

#[test]
fn what_a_query_used_that_passed_its_slot_hours_is_spent() {
    #[bq_cost(max_slot_hours = 3.5, budget = "shared")]
    async fn scope(client: &Client) -> BigQueryError {
        client.query("SELECT 1").run().await.unwrap_err()
    }
    within_one_month(|| {
        let (server, folder) = (server(4), tempfile::tempdir().unwrap());
        server.change(|behaviour| behaviour.polls = None);
        let config = edition(&server).with(|config| {
            config.state_dir = Some(folder.path().to_owned());
            config.budgets = vec![Budget::new("shared", 100.0, BudgetPeriod::Month)];
        });
        let captured = run(config, |client| async move {
            let error = scope(&client).await;
            // Four slot hours, at one dollar each, that BigQuery says of the cancelled job.
            wait::until_true("it is booked", || budget_used("shared") == Ok((4.0, 0.0)));
            error
        });
        let limit = captured.value.refused().map(|refused| refused.limit.clone());
        assert!(matches!(limit, Some(CostLimit::SlotHoursPassed { .. })), "{}", captured.value);
        let spent: Vec<_> = captured.records.prices.iter().filter(|(_, estimate, _)| !*estimate).collect();
        assert!(matches!(spent[..], [(_, false, usd)] if *usd == 4.0), "{spent:?}");
    });
}
