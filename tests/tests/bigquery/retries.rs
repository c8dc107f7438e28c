//! Temporary errors are retried on the same job; others are returned at once.

use std::time::{Duration, Instant};

use obs_runtime::bigquery::{BigQueryError, Client, LoadFormat, Retry};
use obs_runtime::testing::{Captured, capture_with};
use obs_runtime::{Config, ErrorKind};
use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::process::Process;
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};

use crate::support::{config, run};

fn server() -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour::default())
}

/// Google's documented reasons that are temporary, with their status.
const TEMPORARY: [(u16, &str); 8] = [
    (500, "backendError"),
    (503, "backendError"),
    (502, "badGateway"),
    (500, "internalError"),
    (403, "rateLimitExceeded"),
    (400, "jobRateLimitExceeded"),
    (400, "jobBackendError"),
    (400, "tableUnavailable"),
];

/// The documented reasons that are not.
const PERMANENT: [(u16, &str); 16] = [
    (403, "accessDenied"),
    (403, "billingNotEnabled"),
    (400, "billingTierLimitExceeded"),
    (403, "blocked"),
    (400, "invalid"),
    (400, "invalidQuery"),
    (400, "invalidUser"),
    (404, "notFound"),
    (501, "notImplemented"),
    (407, "proxyAuthenticationRequired"),
    (403, "quotaExceeded"),
    (400, "resourceInUse"),
    (400, "resourcesExceeded"),
    (403, "responseTooLarge"),
    (200, "stopped"),
    (400, "timeout"),
];

#[test]
fn every_request_is_retried_for_a_temporary_reason() {
    for (status, reason) in TEMPORARY {
        for call in [Call::DryRun, Call::Insert, Call::Results, Call::Get] {
            let server = server();
            for _ in 0..2 {
                server.next(call, Reply::error(status, reason, "try again"));
            }
            let captured = run(config(&server), |client| async move {
                client.query("SELECT n FROM d.t").rows::<u64>().await?.all().await
            });
            assert_eq!(captured.value.unwrap(), [0, 1, 2], "{reason} of {call:?}");
            assert_eq!(server.jobs(), 1, "{reason} of {call:?}");
            let prices: Vec<bool> = captured.records.prices.iter().map(|price| price.1).collect();
            assert_eq!(prices, [true, false], "{reason} of {call:?}");
        }
    }
}

#[test]
fn a_permanent_reason_is_returned_at_once() {
    for (status, reason) in PERMANENT {
        for call in [Call::DryRun, Call::Insert] {
            let server = server();
            // Google sends no errors with status 200.
            server.next(call, Reply::error(if status == 200 { 400 } else { status }, reason, "it cannot be"));
            let captured =
                run(config(&server), |client| async move { client.query("SELECT 1").run().await.unwrap_err() });
            assert_eq!(captured.value.reason().map(obs_runtime::bigquery::Reason::as_str), Some(reason));
            assert!(captured.value.error_kind().starts_with("bigquery_"), "{}", captured.value.error_kind());
            assert_eq!((server.requests(call).len(), server.jobs()), (1, 0), "{reason}");
        }
    }
}

#[test]
fn a_job_that_fails_for_a_permanent_reason_is_not_run_again() {
    for (_, reason) in PERMANENT {
        let server = server();
        server.change(|behaviour| behaviour.failures.push_back((reason.into(), "it failed at [3:14]".into())));
        let captured = run(config(&server), |client| async move { client.query("SELECT 1").run().await.unwrap_err() });
        let BigQueryError::Answer(answer) = &captured.value else { panic!("{:?}", captured.value) };
        assert_eq!((answer.reason.as_str(), answer.position), (reason, Some((3, 14))));
        assert!(answer.job_id.is_some());
        assert_eq!(server.jobs(), 1, "{reason}");
    }
}

#[test]
fn a_job_that_fails_for_a_temporary_reason_is_run_three_times_at_most() {
    for reason in ["backendError", "internalError", "jobBackendError", "jobInternalError", "rateLimitExceeded"] {
        let server = server();
        server.change(|behaviour| behaviour.failures.push_back((reason.into(), "try again".into())));
        let captured = run(config(&server), |client| async move { client.query("SELECT 1").run().await });
        assert!(captured.value.is_ok(), "{reason}: {:?}", captured.value);
        assert_eq!(server.jobs(), 2, "{reason}");
        let spent = captured.records.prices.iter().filter(|price| !price.1).count();
        assert_eq!(spent, 1, "{reason}");
    }
    let server = server();
    server.change(|behaviour| {
        (0..9).for_each(|_| behaviour.failures.push_back(("backendError".into(), "for ever".into())));
    });
    let captured = run(config(&server), |client| async move { client.query("SELECT 1").run().await });
    assert_eq!(captured.value.unwrap_err().reason().unwrap(), &"backendError");
    assert_eq!(server.jobs(), 3);
}

#[test]
fn what_may_have_side_effects_is_not_run_again_and_what_it_billed_is_spent() {
    let gib = (1_u64 << 30).to_string();
    let children = serde_json::json!({"numChildJobs": "3"});
    let none = serde_json::json!({});
    for (statement, statistics) in [
        ("SCRIPT", &none),
        ("CALL", &children),
        ("SELECT", &children),
        ("INSERT", &none),
        ("MERGE", &none),
        ("CREATE_TABLE_AS_SELECT", &none),
        ("EXPORT_DATA", &none),
    ] {
        let server = server();
        server.change(|behaviour| {
            behaviour.more = serde_json::json!({"statementType": statement, "totalBytesBilled": gib});
            behaviour.statistics = statistics.clone();
            behaviour.failures.push_back(("backendError".into(), "half way".into()));
        });
        let captured = run(config(&server), |client| async move { client.query("CALL d.p()").run().await });
        assert!(captured.value.is_err(), "{statement}");
        assert_eq!(server.jobs(), 1, "{statement}");
        let spent: Vec<f64> = captured.records.prices.iter().filter(|price| !price.1).map(|price| price.2).collect();
        assert_eq!(spent, [6.25 / 1024.0], "{statement}");
    }
}

#[test]
fn a_lost_reply_to_insert_does_not_start_a_second_job() {
    for losses in [1, 3] {
        let server = server();
        (0..losses).for_each(|_| server.next(Call::Insert, Reply::Lose));
        let captured =
            run(
                config(&server),
                |client| async move { client.query("INSERT INTO d.t VALUES (1)").run().await.unwrap() },
            );
        assert_eq!(server.jobs(), 1);
        let ids: std::collections::BTreeSet<String> = server
            .requests(Call::Insert)
            .iter()
            .map(|request| request.body["jobReference"]["jobId"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(ids.into_iter().collect::<Vec<_>>(), [captured.value.id]);
    }
}

#[test]
fn broken_connections_and_malformed_replies_are_retried() {
    for reply in [Reply::Break, Reply::Html(502), Reply::Answer(200, serde_json::json!("odd"))] {
        for call in [Call::DryRun, Call::Insert, Call::Results, Call::Get] {
            let server = server();
            server.next(call, reply.clone());
            let captured = run(config(&server), |client| async move { client.query("SELECT 1").run().await });
            assert!(captured.value.is_ok(), "{reply:?} of {call:?}: {:?}", captured.value);
            assert_eq!(server.jobs(), 1);
        }
    }
}

#[test]
fn a_job_that_bigquery_does_not_show_yet_is_asked_for_again() {
    let not_found = || Reply::error(404, "notFound", "Not found: Job");
    let both: &[Call] = &[Call::Results, Call::Get];
    for calls in [&[Call::Results][..], &[Call::Get], both] {
        let server = server();
        for _ in 0..2 {
            for call in calls {
                server.next(*call, not_found());
            }
        }
        let captured =
            run(
                config(&server),
                |client| async move { client.query("SELECT n FROM d.t").rows::<u64>().await?.all().await },
            );
        assert_eq!(captured.value.unwrap(), [0, 1, 2], "{calls:?}");
        assert_eq!((server.jobs(), server.stopped()), (1, 0), "{calls:?}");
        assert_eq!(captured.records.prices.iter().filter(|price| !price.1).count(), 1, "{calls:?}");
    }
    // The same for a job whose insert was not answered, and for a load.
    let server = server();
    server.next(Call::Insert, Reply::Lose);
    (0..2).for_each(|_| server.next(Call::Get, not_found()));
    let captured = run(config(&server), |client| async move { client.query("SELECT 1").run().await });
    assert!(captured.value.is_ok(), "{:?}", captured.value);
    (0..2).for_each(|_| server.next(Call::Get, not_found()));
    let load = async |client: Client| client.load("d.t", &["gs://b/f"], LoadFormat::Parquet).await;
    assert!(run(config(&server), load).value.is_ok());
    assert_eq!((server.jobs(), server.stopped()), (2, 0));
}

/// The warnings about requests that are retried.
fn warnings<T>(captured: &Captured<T>) -> Vec<&str> {
    let messages = captured.records.logs.iter().map(|line| &*line.message);
    messages.filter(|message| message.starts_with("BigQuery: ")).collect()
}

#[test]
fn the_first_retry_is_a_warning_and_the_next_ones_are_not() {
    let server = server();
    (0..5).for_each(|_| server.next(Call::Insert, Reply::error(503, "backendError", "of 'Ada'")));
    let captured = run(config(&server), |client| async move { client.query("SELECT 1").run().await });
    assert!(captured.value.is_ok());
    assert_eq!(warnings(&captured), ["BigQuery: jobs.insert failed, retrying for up to 20s: backendError"]);
}

#[test]
fn an_emulator_that_refuses_connections_is_given_up_early_with_a_warning() {
    let dead = FaultyServer::start(Fault::Refuse);
    let config = Config::default().with(|config| config.bigquery_emulator_host = Some(dead.address().to_string()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let started = Instant::now();
    let captured = capture_with(config, || {
        runtime.block_on(async {
            // As by default, for ten minutes.
            let retry = Retry { first_pause: Duration::from_millis(100), ..Retry::default() };
            let client = Client::builder().project("p").retry(retry).build().await.unwrap();
            obs_tests::wait::for_output("an error", client.query("SELECT 1").run()).await.unwrap_err()
        })
    });
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    let message = captured.value.to_string();
    assert!(matches!(captured.value, BigQueryError::Connection(_)) && message.contains("refused"), "{message}");
    let warnings = warnings(&captured);
    let [warning] = warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.starts_with("BigQuery: a dry run failed, retrying for up to 5s: "), "{warning}");
    assert!(warning.contains("refused"), "{warning}");
}

#[test]
fn the_health_check_says_at_once_that_the_connection_is_refused() {
    let dead = FaultyServer::start(Fault::Refuse);
    let mut running = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .env("BIGQUERY_EMULATOR_HOST", dead.address().to_string())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("PROMETHEUS_PORT", "0")
        .start();
    std::io::Write::write_all(running.stdin.as_mut().unwrap(), b"health\n").unwrap();
    let health =
        running.wait_for_output("the check", |line| line.strip_prefix("health obs.bigquery ").map(str::to_owned));
    assert!(health.starts_with("unhealthy BigQuery could not be reached") && health.contains("refused"), "{health}");
    assert!(!running.finish().stderr.contains("retrying"));
}
