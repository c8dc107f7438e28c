//! Nothing that a task sets reaches another one: hundreds of concurrent requests to a service of axum.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::routing::get;
use obs_runtime::{Observability, child_env, context_headers, correlation_id, set_user, track_performance};
use obs_tests::{exclusive, http, logs};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const CLIENTS: usize = 8;
const REQUESTS: usize = 50;

fn id_of(pairs: &[(&'static str, String)], name: &str) -> Option<String> {
    pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
}

/// Sets its user, and returns the correlation ids that it passes on.
async fn work(user: String) -> String {
    set_user(&user);
    let header = id_of(&context_headers(), "x-correlation-id");
    for _ in 0..3 {
        tokio::task::yield_now().await;
        tracing::info!(asked = user, "served");
    }
    let variable = id_of(&child_env(), "OBS_CORRELATION_ID");
    json!({ "header": header, "variable": variable }).to_string()
}

#[track_performance(level = "info")]
async fn annotated(Path(user): Path<String>) -> String {
    work(user).await
}

async fn bare(Path(user): Path<String>) -> String {
    work(user).await
}

#[track_performance]
fn blocking(user: &str) -> Option<String> {
    set_user(user);
    tracing::info!(asked = user, "served");
    id_of(&context_headers(), "x-correlation-id")
}

/// The answers to all requests, which several clients send at once.
fn request_all(address: std::net::SocketAddr, path: &str) -> Vec<Value> {
    let client = |client: usize| {
        let answer = |request| http::get(&format!("http://{address}/{path}/user-{client}-{request}"), &[]).unwrap();
        (0..REQUESTS).map(answer).map(|answer| serde_json::from_str(&answer).unwrap()).collect::<Vec<Value>>()
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || client(number))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

fn distinct(answers: &[Value], key: &str) -> usize {
    answers.iter().filter_map(|answer| answer[key].as_str()).collect::<BTreeSet<_>>().len()
}

#[test]
fn requests_have_no_user_and_no_correlation_id_of_another_one() {
    let _exclusive = exclusive::lock();
    let lines = logs::MemoryLog::default();
    let builder = Observability::builder().without_environment().log_output(lines.output());
    let guard = builder.prometheus_port(0).init().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().route("/annotated/{user}", get(annotated)).route("/bare/{user}", get(bare));
    runtime.spawn(async move { axum::serve(listener, router).await });

    let answers = request_all(address, "annotated");
    assert_eq!(distinct(&answers, "header"), CLIENTS * REQUESTS, "each request has its own correlation id");
    assert!(answers.iter().all(|answer| answer["header"] == answer["variable"]), "and keeps it");
    let taken = lines.take();
    let served: Vec<_> = taken.iter().filter(|line| line["message"] == "served").collect();
    assert_eq!(served.len(), 3 * CLIENTS * REQUESTS);
    let foreign: Vec<_> = served.iter().filter(|line| line["user"] != line["asked"]).collect();
    assert!(foreign.is_empty(), "{} lines, such as {}", foreign.len(), foreign[0]);
    let finished: Vec<_> = taken.iter().filter(|line| line["outcome"] == "ok").collect();
    assert_eq!(finished.iter().filter(|line| line["user"].is_string()).count(), CLIENTS * REQUESTS);

    let answers = request_all(address, "bare");
    assert_eq!(distinct(&answers, "header"), CLIENTS * REQUESTS, "nothing is kept outside of any scope");
    let taken = lines.take();
    assert!(taken.iter().all(|line| line["user"].is_null() && line["correlation_id"].is_null()), "{}", taken[0]);
    let warnings: Vec<_> = taken.iter().filter(|line| line["level"] == "WARNING").collect();
    assert!(warnings.len() == 1 && warnings[0]["message"].as_str().unwrap().starts_with("set_user "), "{warnings:?}");
    let dropped = obs_runtime::status().sink("context").map(|sink| sink.dropped["no_scope"]);
    assert_eq!(dropped, Some((CLIENTS * REQUESTS) as u64));

    // On blocking threads, and on this one.
    let tasks: Vec<_> =
        (0..200).map(|number| runtime.spawn_blocking(move || blocking(&format!("b-{number}")))).collect();
    let ids: BTreeSet<_> = tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).collect();
    assert_eq!((ids.len(), blocking("here").is_some(), correlation_id()), (200, true, None));
    assert!(lines.take().iter().all(|line| line["asked"].is_null() || line["user"] == line["asked"]));
    drop(guard);
}

/// A future of an annotated function that is dropped before it is ready.
#[track_performance(level = "info")]
async fn never_ready(user: &str) {
    set_user(user);
    std::future::pending::<()>().await;
}

#[test]
fn a_cancelled_call_has_its_own_user_on_its_last_line() {
    let _exclusive = exclusive::lock();
    let lines = logs::MemoryLog::default();
    let builder = Observability::builder().without_environment().log_output(lines.output());
    let guard = builder.prometheus_port(0).init().unwrap();
    let mut futures: Vec<_> = ["ada", "bob"].map(|user| Box::pin(never_ready(user))).into();
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    for future in &mut futures {
        assert!(future.as_mut().poll(&mut task).is_pending());
        tracing::info!("between");
    }
    drop(futures);
    let taken = lines.take();
    let of = |key: &str, value: &str| -> Vec<Value> {
        taken.iter().filter(|line| line[key] == value).map(|line| line["user"].clone()).collect()
    };
    assert_eq!(of("message", "between"), [Value::Null, Value::Null]);
    assert_eq!(of("outcome", "cancelled"), [json!("ada"), json!("bob")]);
    drop(guard);
}
