//! `ContextLayer`: each request of a server in a context of its own, and measured. One test, because a process has one subscriber.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::extract::{MatchedPath, Path};
use axum::http::StatusCode;
use axum::routing::get;
use obs_runtime::{ContextLayer, LogContext, Observability, StreamInContext as _, correlation_id, track_request};
use obs_tests::logs::MemoryLog;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const CLIENTS: usize = 50;
const REQUESTS: usize = 200;

async fn user(Path(number): Path<usize>) -> Result<String, StatusCode> {
    tracing::info!(number, "begun");
    tokio::task::yield_now().await;
    let seen = correlation_id().unwrap_or_default();
    tracing::info!(number, seen, "ended");
    if number.is_multiple_of(10) { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok("ok".to_owned()) }
}

fn app() -> axum::Router {
    let layer = ContextLayer::new()
        .route(|request| Some(request.extensions.get::<MatchedPath>()?.as_str().to_owned()))
        .user(|request| Some(request.headers.get("x-user")?.to_str().ok()?.into()));
    axum::Router::new().route("/users/{number}", get(user)).layer(layer)
}

/// The head of the response to one request.
async fn request(stream: &mut TcpStream, path: &str, headers: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    loop {
        stream.read_buf(&mut response).await.unwrap();
        let text = String::from_utf8_lossy(&response);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .split_once("content-length: ")
                .map_or(0, |(_, rest)| rest.lines().next().unwrap().parse().unwrap());
            if body.len() == length {
                return head.to_owned();
            }
        }
    }
}

async fn client(address: SocketAddr, client: usize) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    for index in 0..REQUESTS {
        let number = client * REQUESTS + index;
        let headers = format!("x-correlation-id: id-{number}\r\nx-user: user-{number}\r\n");
        request(&mut stream, &format!("/users/{number}"), &headers).await;
    }
}

#[test]
fn requests_have_contexts_of_their_own_and_are_measured() {
    let log = MemoryLog::default();
    let builder = Observability::builder().without_environment().prometheus_port(0).log_output(log.output());
    let _guard = builder.init().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, app()).await });
        let clients: Vec<_> = (0..CLIENTS).map(|number| tokio::spawn(client(address, number))).collect();
        for client in clients {
            client.await.unwrap();
        }
        interleaved_requests_have_their_own_fields(&log);
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert!(request(&mut stream, "/nowhere", "").await.starts_with("HTTP/1.1 404"));
        request(&mut stream, "/users/1", "").await;
        let lines = log.take();
        assert!(lines[0]["correlation_id"].as_str().is_some_and(|id| id.len() == 36), "{lines:?}");
    });
    let metrics = obs_runtime::metrics();
    let value = |name: &str, labels: &[(&str, &str)]| metrics.value(name, labels);
    let route = ("operation", "GET /users/{number}");
    let all = f64::from(u32::try_from(CLIENTS * REQUESTS).unwrap());
    assert_eq!(value("operation.success", &[route]), Some(all * 0.9 + 1.0));
    assert_eq!(value("operation.failure", &[route]), Some(all * 0.1));
    assert_eq!(
        value("operation.error", &[route, ("error_type", "http_503")]),
        None,
        "an error is captured, a status is not"
    );
    assert_eq!(value("operation.success", &[("operation", "GET")]), Some(1.0));
    other_servers_have_a_function(&runtime);
}

fn interleaved_requests_have_their_own_fields(log: &MemoryLog) {
    let mut seen = BTreeMap::<String, usize>::new();
    for line in log.take() {
        let number = line["number"].as_u64().unwrap_or_else(|| panic!("{line}"));
        let id = format!("id-{number}");
        assert_eq!((&line["correlation_id"], &line["user"]), (&Value::from(&*id), &format!("user-{number}").into()));
        assert_eq!(line["operation"], "GET /users/{number}");
        assert!(line["message"] == "begun" || line["seen"] == id, "{line}");
        *seen.entry(id).or_default() += 1;
    }
    assert_eq!(seen.len(), CLIENTS * REQUESTS);
    assert!(seen.values().all(|lines| *lines == 2));
}

fn other_servers_have_a_function(runtime: &tokio::runtime::Runtime) {
    let header = |name: &str| (name == "x-correlation-id").then_some("other");
    let context = || LogContext::of_request(header);
    let answer = |status: u16| async move {
        tokio::task::yield_now().await;
        assert_eq!(correlation_id().as_deref(), Some("other"));
        status
    };
    for status in [200, 404, 500] {
        assert_eq!(runtime.block_on(track_request("other", context(), answer(status))), status);
    }
    drop(track_request("other", context(), std::future::pending::<u16>()));
    let metrics = obs_runtime::metrics();
    let failures = |outcome| metrics.value("operation.failure", &[("operation", "other"), ("outcome", outcome)]);
    assert_eq!(metrics.value("operation.success", &[("operation", "other")]), Some(2.0));
    assert_eq!((failures("error"), failures("cancelled")), (Some(1.0), Some(1.0)));
    let ids = futures_util::StreamExt::map(futures_util::stream::iter(0..3), |_| correlation_id());
    let ids = context().scope(|| ids.in_current_context());
    let ids: Vec<_> = runtime.block_on(futures_util::StreamExt::collect(ids));
    assert!(ids.iter().all(|id| id.as_deref() == Some("other")), "{ids:?}");
}
