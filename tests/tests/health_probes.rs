//! The probes `/livez`, `/readyz`, `/startupz` and `/healthz`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use obs_runtime::{
    Guard, Health, HealthCheck, Observability, QualityCheck, QualityStatus, Status, health_check, health_response,
    run_dq_checks, run_health_checks,
};
use obs_tests::{http, wait};
use serde_json::Value;
use ureq::Agent;

static DOWN: AtomicBool = AtomicBool::new(false);
static RUNS: AtomicUsize = AtomicUsize::new(0);
static CACHED_RUNS: AtomicUsize = AtomicUsize::new(0);

#[health_check(groups("ready"), after("network"))]
fn database() -> Result<(), String> {
    if DOWN.load(Ordering::SeqCst) { Err("postgres://ada:hunter2@db is\ndown".to_owned()) } else { Ok(()) }
}

#[health_check(groups("ready"), critical = false)]
fn network() -> Health {
    Health::degraded("slow").with_details(&serde_json::json!({"token": "hunter2"}))
}

#[health_check(groups("busy"))]
fn slow() {
    RUNS.fetch_add(1, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(300));
}

#[health_check(groups("cached"), cache = "1h")]
fn runs_once() {
    CACHED_RUNS.fetch_add(1, Ordering::SeqCst);
}

#[health_check(groups("stuck"), timeout = "1h")]
fn stuck() {
    loop {
        std::thread::park();
    }
}

struct Answer {
    status: u16,
    content_type: String,
    caching: String,
    body: String,
}

fn agent() -> Agent {
    http::agent(wait::LONG)
}

fn ask_with(agent: &Agent, guard: &Guard, path: &str, accept: &str) -> Answer {
    let url = format!("http://{}{path}", guard.metrics_address().unwrap());
    let mut response = agent.get(url).header("Accept", accept).call().unwrap();
    let header =
        |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    Answer {
        status: response.status().as_u16(),
        content_type: header("content-type"),
        caching: header("cache-control"),
        body: response.body_mut().read_to_string().unwrap(),
    }
}

fn ask(guard: &Guard, path: &str, accept: &str) -> Answer {
    ask_with(&agent(), guard, path, accept)
}

/// One test, because a process has one pipeline.
#[test]
fn probes_report_health() {
    let guard = Observability::builder().without_environment().prometheus_port(0).version("7").init().unwrap();
    text_answers(&guard);
    json_answers(&guard);
    concurrent_requests_share_a_run(&guard);
    a_hanging_check_does_not_delay_other_requests(&guard);
    durations_of_any_length_are_accepted(&guard);
    answers_in_any_executor();
    answers_on_an_axum_server();
    self_checks_have_a_group(&guard);
    readiness_follows_set_ready(&guard);
}

fn readiness_follows_set_ready(guard: &Guard) {
    DOWN.store(false, Ordering::SeqCst);
    guard.set_ready(false);
    for path in ["/readyz", "/healthz?group=ready"] {
        assert_eq!(ask(guard, path, "").status, 503, "{path}");
    }
    for path in ["/livez", "/startupz"] {
        assert_eq!(ask(guard, path, "").status, 200, "{path}");
    }
    let verbose = ask(guard, "/readyz?verbose", "");
    assert_eq!(verbose.body, "[-]readiness unhealthy: set_ready(false) was called\nreadyz check failed");
    let body: Value = serde_json::from_str(&ask(guard, "/readyz?verbose", "application/json").body).unwrap();
    assert_eq!((&body["status"], &body["checks"]["readiness"][0]["status"]), (&"fail".into(), &"fail".into()));
    guard.set_ready(true);
    wait::until_true("it is ready", || ask(guard, "/readyz", "").status == 200);
}

fn text_answers(guard: &Guard) {
    for path in ["/livez", "/readyz", "/startupz", "/healthz?group=ready"] {
        let answer = ask(guard, path, "*/*");
        assert_eq!((answer.status, &*answer.body), (200, "ok"), "{path}");
        assert_eq!((&*answer.content_type, &*answer.caching), ("text/plain; charset=utf-8", "no-store"));
    }
    let verbose = ask(guard, "/readyz?verbose=1", "");
    assert_eq!(verbose.body, "[+]database ok\n[+]network degraded: slow\nreadyz check passed");
    let unknown = ask(guard, "/healthz?group=%3Cscript%3E", "");
    assert_eq!((unknown.status, &*unknown.body), (404, "no health check is in that group"));
    let url = format!("http://{}/readyz", guard.metrics_address().unwrap());
    let head = agent().head(&url).call().unwrap().into_body().read_to_string().unwrap();
    assert_eq!(head, "");
    assert_eq!(agent().post(&url).send_empty().unwrap().status(), 405);

    DOWN.store(true, Ordering::SeqCst);
    wait::until_true("the earlier report expires", || ask(guard, "/readyz", "").status == 503);
    let terse = ask(guard, "/readyz", "");
    assert_eq!(terse.body, "readyz check failed", "details only on request");
    let verbose = ask(guard, "/readyz?verbose", "");
    assert!(!verbose.body.contains("hunter2") && verbose.body.contains("[-]database unhealthy: "), "{}", verbose.body);
    assert_eq!(verbose.body.lines().count(), 3, "one line for each check: {}", verbose.body);
    assert_eq!(ask(guard, "/livez", "").status, 200, "liveness does not depend on readiness");
}

fn json_answers(guard: &Guard) {
    let terse = ask(guard, "/readyz", "application/health+json");
    assert_eq!((terse.status, &*terse.content_type), (503, "application/health+json"));
    assert_eq!(terse.body, r#"{"status":"fail"}"#);
    let answer = ask(guard, "/readyz?verbose=1", "application/json");
    assert_eq!(answer.content_type, "application/json");
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&body["serviceId"], &body["releaseId"]), (&"decentclaude".into(), &"7".into()));
    assert_eq!(body["checks"]["database"][0]["status"], "fail");
    assert_eq!(body["checks"]["network"][0]["status"], "warn");
    assert_eq!(body["checks"]["network"][0]["details"]["token"], "[REDACTED]");
    assert!(!answer.body.contains("hunter2"), "{}", answer.body);
    #[cfg(feature = "real")]
    {
        let draft = include_str!("../schemas/api-health-check-06.json");
        for path in ["/livez", "/readyz", "/readyz?verbose=1", "/startupz?verbose=1", "/healthz?group=ready&verbose=1"]
        {
            let answer = ask(guard, path, "application/health+json");
            obs_tests::json_schema::validate(&[draft], &answer.body).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
        let wrong = r#"{"status":"healthy","checks":{"a":{"status":"pass"}}}"#;
        assert!(obs_tests::json_schema::validate(&[draft], wrong).is_err(), "the schema rejects this");
    }
}

fn concurrent_requests_share_a_run(guard: &Guard) {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                let agent = agent();
                for _ in 0..20 {
                    assert_eq!(ask_with(&agent, guard, "/healthz?group=busy", "").status, 200);
                    assert_eq!(ask_with(&agent, guard, "/healthz?group=cached", "").status, 200);
                }
            });
        }
    });
    // A report is cached for a second, so a slow machine needs another run each second.
    let most = 1 + usize::try_from(start.elapsed().as_millis()).unwrap() / 1000;
    let runs = RUNS.load(Ordering::SeqCst);
    assert!((1..=most).contains(&runs), "{runs} runs for 1,000 requests in {:?}", start.elapsed());
    assert_eq!(CACHED_RUNS.load(Ordering::SeqCst), 1, "a cached result is not computed again");
}

fn a_hanging_check_does_not_delay_other_requests(guard: &Guard) {
    std::thread::scope(|scope| {
        let address = guard.metrics_address().unwrap();
        let stuck = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut &stuck, b"GET /healthz?group=stuck HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        scope.spawn(|| assert_eq!(ask(guard, "/livez", "").body, "ok"));
        scope.spawn(|| assert_eq!(ask(guard, "/metrics", "").status, 200));
    });
}

fn durations_of_any_length_are_accepted(guard: &Guard) {
    let check = HealthCheck::new("unlimited", || {}).groups(&["unlimited"]);
    check.timeout(Duration::MAX).cache(Duration::MAX).register();
    let asynchronous = HealthCheck::new_async("unlimited async", || async {}).groups(&["unlimited"]);
    asynchronous.timeout(Duration::MAX).cache(Duration::MAX).after(&["unlimited"]).register();
    for _ in 0..2 {
        let answer = ask(guard, "/healthz?group=unlimited", "");
        assert_eq!((answer.status, &*answer.body), (200, "ok"));
    }
    let report = run_health_checks().group("unlimited").timeout(Duration::MAX).uncached().wait();
    assert_eq!(report.status, Status::Healthy);
    QualityCheck::new("unlimited", || true).timeout(Duration::MAX).register();
    assert_eq!(run_dq_checks().timeout(Duration::MAX).wait().results[0].status, QualityStatus::Passed);
}

fn answers_in_any_executor() {
    let answer = futures_executor::block_on(health_response("/internal/readyz?verbose", "application/health+json"));
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.content_type), (503, "application/health+json"));
    assert_eq!(futures_executor::block_on(health_response("/metrics", "")), None);
}

/// A handler, as a user of axum writes it.
async fn probe(uri: axum::http::Uri, headers: axum::http::HeaderMap) -> axum::response::Response {
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let Some(answer) = health_response(path, accept).await else { return StatusCode::NOT_FOUND.into_response() };
    let status = StatusCode::from_u16(answer.status).unwrap();
    (status, [(header::CONTENT_TYPE, answer.content_type), (header::CACHE_CONTROL, "no-store")], answer.body)
        .into_response()
}

fn answers_on_an_axum_server() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let routes = axum::Router::new().route("/internal/{probe}", axum::routing::get(probe));
            let server =
                axum::serve(listener, routes).with_graceful_shutdown(async { stopped.await.unwrap_or_default() });
            runtime.block_on(async { server.await }).unwrap();
        });
        let ask = |path: &str, accept: &str| {
            let url = format!("http://{address}/internal/{path}");
            let mut response = agent().get(url).header("Accept", accept).call().unwrap();
            let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
            (response.status().as_u16(), kind, response.body_mut().read_to_string().unwrap())
        };
        let plain = "text/plain; charset=utf-8".to_owned();
        assert_eq!(ask("livez", "*/*"), (200, plain.clone(), "ok".to_owned()));
        assert_eq!(ask("readyz", "*/*"), (503, plain, "readyz check failed".to_owned()));
        let (status, kind, body) = ask("readyz?verbose=1", "application/health+json");
        assert_eq!((status, &*kind), (503, "application/health+json"));
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["checks"]["database"][0]["status"], "fail");
        let agent = agent();
        let missing = agent.get(format!("http://{address}/internal/else")).call().unwrap();
        assert_eq!(missing.status().as_u16(), 404);
        drop(agent);
        stop.send(()).unwrap();
    });
}

fn self_checks_have_a_group(guard: &Guard) {
    let answer = ask(guard, "/healthz?group=telemetry&verbose=1", "");
    assert_eq!(answer.body, "[+]obs.prometheus ok\nhealthz check passed");
}
