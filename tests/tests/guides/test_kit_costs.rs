//! Scripted queries, budgets in memory and the clock of a test.

use std::time::{Duration, SystemTime};

use obs_runtime::bigquery::{BigQueryError, Client, CostLimit};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::testing::{Capture, Captured, Clock, ScriptedBigQuery, bigquery, capture};
use obs_runtime::{HealthCheck, bq_cost, run_health_checks, track_performance};

const TIB: u64 = 1 << 40;

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct SignUps {
    day: String,
    count: u64,
    share: f64,
    complete: bool,
    note: Option<String>,
}

#[bq_cost(budget = "daily", labels(team = "growth"))]
async fn sign_ups(client: &Client) -> Result<Vec<SignUps>, BigQueryError> {
    client.query("SELECT * FROM growth.sign_ups").rows::<SignUps>().await?.all().await
}

fn day(day: &str) -> SignUps {
    SignUps { day: day.to_owned(), count: 3, share: 0.5, complete: true, note: None }
}

fn run<T>(bigquery: &ScriptedBigQuery, clock: &Clock, with: impl AsyncFnOnce(Client) -> T) -> Captured<T> {
    let config = bigquery.config().with(|config| config.budgets = vec![Budget::new("daily", 20.0, BudgetPeriod::Day)]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = async { with(bigquery.client().await.unwrap()).await };
    runtime.block_on(Capture::new().config(config).clock(clock).run_async(run))
}

#[test]
fn a_query_answers_what_is_scripted_and_costs_that() {
    let bigquery = bigquery().unwrap();
    bigquery.on("FROM growth.sign_ups").bytes(TIB).rows([day("2026-11-29"), day("2026-11-30")]);
    let captured = run(&bigquery, &Clock::new(), async |client| sign_ups(&client).await.unwrap());
    assert_eq!(captured.value, [day("2026-11-29"), day("2026-11-30")]);
    captured.costs().operation("sign_ups").estimates().usd(6.25);
    captured.costs().operation("sign_ups").actual().usd(6.25);
    captured.counter("bigquery.total_cost.usd").with("operation", "sign_ups").is(6.25);
    let queries = bigquery.queries();
    assert_eq!((queries.len(), bigquery.dry_runs().len()), (1, 1));
    assert_eq!(queries[0].sql, "SELECT * FROM growth.sign_ups");
    assert!(queries[0].labels.contains(&("team".to_owned(), "growth".to_owned())), "{queries:?}");
    assert!(queries[0].maximum_bytes_billed.is_some(), "{queries:?}");
    // The lines of the HTTP client are left out.
    captured.logs().is(0);
}

#[test]
fn answers_are_given_in_their_order() {
    let bigquery = bigquery().unwrap();
    let days = bigquery.on("FROM growth.sign_ups");
    days.rows([day("1")]).then().fails("resourcesExceeded", "too large");
    days.then().refuses(403, "accessDenied", "denied").then().refuses(404, "notFound", "no such table");
    days.then().refuses(503, "backendError", "later").then().refuses(503, "backendError", "later");
    days.then().rows([day("2")]).then().rows([day("3")]);
    // A script that is kept does not hold the server up.
    bigquery.on("FROM other").rows([1]);
    let captured = run(&bigquery, &Clock::new(), async |client| {
        let mut results = Vec::new();
        for _ in 0..5 {
            results.push(sign_ups(&client).await.map(|days| days[0].day.clone()).map_err(|error| error.to_string()));
        }
        let unknown = client.query("SELECT 1").rows::<u64>().await.unwrap_err().to_string();
        (results, unknown)
    });
    let (results, unknown) = &captured.value;
    let failures: Vec<_> = results[1..4].iter().map(|result| result.as_ref().unwrap_err()).collect();
    assert!(failures[0].starts_with("BigQuery: resourcesExceeded: too large (job obs_"), "{failures:?}");
    assert_eq!(failures[1..], ["BigQuery: accessDenied: denied", "BigQuery: notFound: no such table"]);
    assert_eq!((&results[0], &results[4]), (&Ok("1".to_owned()), &Ok("2".to_owned())));
    assert_eq!(captured.counter("bigquery.query.count").value(), Some(2.0));
    assert_eq!(bigquery.unused(), [("FROM growth.sign_ups".to_owned(), 1), ("FROM other".to_owned(), 1)]);
    assert_eq!(bigquery.unanswered(), ["SELECT 1"]);
    assert!(unknown.contains("SELECT 1; scripted is `FROM growth.sign_ups`, `FROM other`"), "{unknown}");
}

#[test]
fn a_query_that_is_not_awaited_to_its_end_is_cancelled() {
    let bigquery = bigquery().unwrap();
    bigquery.on("FROM growth.sign_ups").bytes(TIB).never_ends();
    let captured = run(&bigquery, &Clock::new(), async |client| {
        let timeout = Duration::from_millis(200);
        let result = client.query("SELECT * FROM growth.sign_ups").timeout(timeout).run().await;
        obs_tests::wait::until_true("the job is cancelled", || !bigquery.cancelled().is_empty());
        result.unwrap_err()
    });
    assert!(matches!(captured.value, BigQueryError::TimedOut(_)), "{}", captured.value);
    assert_eq!(bigquery.cancelled(), ["SELECT * FROM growth.sign_ups"]);
}

#[test]
fn each_capture_has_a_server_and_budgets_of_its_own() {
    std::thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                let bigquery = bigquery().unwrap();
                let expected = number.to_string();
                bigquery.on("FROM growth.sign_ups").bytes(TIB).rows([day(&expected)]);
                let captured = run(&bigquery, &Clock::new(), async |client| {
                    let mut results = Vec::new();
                    for _ in 0..4 {
                        results.push(sign_ups(&client).await.ok().map(|days| days[0].day.clone()));
                    }
                    results
                });
                assert_eq!(
                    captured.value,
                    [Some(&expected), Some(&expected), Some(&expected), None].map(Option::<&String>::cloned)
                );
                captured.cost_alerts().reason("budget").once();
                captured.costs().actual().usd(18.75);
            });
        }
    });
}

#[test]
fn a_client_of_a_server_asks_no_other_one() {
    let bigquery = bigquery().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outside = [
        runtime.block_on(bigquery.client()).map(drop),
        capture(|| runtime.block_on(bigquery.client()).map(drop)).value,
    ];
    for result in outside {
        let said = result.unwrap_err().to_string();
        assert!(said.contains("Capture::new().config(bigquery.config())"), "{said}");
    }
}

#[test]
fn a_query_that_is_not_scripted_and_one_that_fails_are_errors() {
    let bigquery = bigquery().unwrap();
    let captured = run(&bigquery, &Clock::new(), async |client| sign_ups(&client).await.unwrap_err().to_string());
    assert!(
        captured.value.contains("no answer is scripted for this query: SELECT * FROM growth.sign_ups"),
        "{}",
        captured.value
    );
    bigquery.on("FROM growth.sign_ups").rows([1]);
    bigquery.on("FROM growth.sign_ups").bytes(TIB).fails("accessDenied", "Access Denied: Table growth.sign_ups");
    let captured = run(&bigquery, &Clock::new(), async |client| sign_ups(&client).await.unwrap_err().to_string());
    assert!(captured.value.contains("Access Denied"), "{}", captured.value);
    captured.costs().actual().usd(0.0);
}

#[test]
fn a_budget_is_in_memory_and_begins_anew_when_the_clock_passes_its_period() {
    let refused = |value: &Result<Vec<SignUps>, BigQueryError>| matches!(value, Err(BigQueryError::Refused(refused)) if matches!(refused.limit, CostLimit::Budget { .. }));
    for _ in 0..2 {
        let bigquery = bigquery().unwrap();
        bigquery.on("FROM growth.sign_ups").bytes(TIB).rows([day("2026-11-30")]);
        // Ten minutes before midnight, in UTC.
        let clock =
            Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 20_000) - Duration::from_mins(10));
        let captured = run(&bigquery, &clock, async |client| {
            let mut results = Vec::new();
            for _ in 0..4 {
                results.push(sign_ups(&client).await);
            }
            clock.advance(Duration::from_mins(20));
            results.push(sign_ups(&client).await);
            results
        });
        // $20 are enough for three of $6.25.
        assert_eq!(captured.value.iter().map(refused).collect::<Vec<_>>(), [false, false, false, true, false]);
        assert_eq!(bigquery.queries().len(), 4);
        captured.cost_alerts().operation("sign_ups").reason("budget").once();
    }
}

#[test]
fn durations_and_ages_are_those_of_the_clock() {
    let clock = Clock::starting_at(SystemTime::UNIX_EPOCH + Duration::from_hours(24));
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = std::sync::Arc::clone(&runs);
    let check = move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        true
    };
    let _check =
        HealthCheck::new("test_kit_cached", check).cache(Duration::from_secs(10)).groups(&["test_kit"]).register();
    let captured = Capture::new().clock(&clock).run(|| {
        track_performance("load", || clock.advance(Duration::from_secs(90)));
        let run = || run_health_checks().group("test_kit").wait();
        run();
        clock.advance(Duration::from_secs(9));
        run();
        clock.advance(Duration::from_secs(1));
        run()
    });
    assert_eq!(runs.load(std::sync::atomic::Ordering::SeqCst), 2);
    captured.histogram("operation.duration.seconds").with("operation", "load").sum_is(90);
    assert_eq!(captured.calls().name("load").once().duration, Duration::from_secs(90));
    assert_eq!(captured.value.checks[0].time, SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 + 100));
    // Afterwards, and elsewhere, the clock is that of the system.
    let captured = capture(|| track_performance("load", || clock.advance(Duration::from_secs(90))));
    assert!(captured.calls().name("load").once().duration < Duration::from_mins(1));
}
