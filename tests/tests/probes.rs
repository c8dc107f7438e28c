//! `/livez`, `/readyz`, `/startupz` and `/healthz`, asked as probes ask.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use obs_runtime::{Guard, Health, Observability, health_check, health_response};
use serde_json::Value;
use ureq::Agent;

static DOWN: AtomicBool = AtomicBool::new(false);
static RUNS: AtomicUsize = AtomicUsize::new(0);
static KEPT_RUNS: AtomicUsize = AtomicUsize::new(0);

#[health_check(groups("ready"), after("network"))]
fn database() -> Result<(), String> {
    if DOWN.load(Ordering::SeqCst) { Err("postgres://ada:hunter2@db is\ndown".to_owned()) } else { Ok(()) }
}

#[health_check(groups("ready"), critical = false)]
fn network() -> Health {
    Health::degraded("slow").with_details(&serde_json::json!({"token": "hunter2"}))
}

#[health_check(groups("busy"))]
fn slow_to_tell() {
    RUNS.fetch_add(1, Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(300));
}

#[health_check(groups("kept"), cache = "1h")]
fn told_once() {
    KEPT_RUNS.fetch_add(1, Ordering::SeqCst);
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
    Agent::config_builder()
        .timeout_global(Some(Duration::from_mins(1)))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
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

/// There is one pipeline, so the tests share it.
#[test]
fn probes_are_answered() {
    let guard = Observability::builder().without_environment().prometheus_port(0).version("7").init().unwrap();
    of_kubernetes(&guard);
    as_json(&guard);
    many_at_once_cause_one_run(&guard);
    one_that_hangs_holds_up_nobody_else(&guard);
    on_a_server_of_ones_own();
    on_a_real_server_of_ones_own();
    obs_checks_its_own(&guard);
}

fn of_kubernetes(guard: &Guard) {
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
    obs_tests::wait::until("the report of before to be too old", Duration::from_secs(30), || {
        (ask(guard, "/readyz", "").status == 503).then_some(())
    });
    let terse = ask(guard, "/readyz", "");
    assert_eq!(terse.body, "readyz check failed", "no detail without being asked");
    let verbose = ask(guard, "/readyz?verbose", "");
    assert!(!verbose.body.contains("hunter2") && verbose.body.contains("[-]database unhealthy: "), "{}", verbose.body);
    assert_eq!(verbose.body.lines().count(), 3, "one line for each check: {}", verbose.body);
    assert_eq!(ask(guard, "/livez", "").status, 200, "it is alive all the same");
}

fn as_json(guard: &Guard) {
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
        assert!(obs_tests::json_schema::validate(&[draft], wrong).is_err(), "the schema refuses something");
    }
}

fn many_at_once_cause_one_run(guard: &Guard) {
    let before = RUNS.load(Ordering::SeqCst);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                let agent = agent();
                for _ in 0..20 {
                    assert_eq!(ask_with(&agent, guard, "/healthz?group=busy", "").status, 200);
                    assert_eq!(ask_with(&agent, guard, "/healthz?group=kept", "").status, 200);
                }
            });
        }
    });
    // A report holds for a second: on a machine that is slow it may be made again.
    let most = 1 + usize::try_from(begun.elapsed().as_millis()).unwrap() / 1000;
    let runs = RUNS.load(Ordering::SeqCst) - before;
    assert!((1..=most).contains(&runs), "{runs} runs for 1,000 requests in {:?}", begun.elapsed());
    assert_eq!(KEPT_RUNS.load(Ordering::SeqCst), 1, "what may be kept is not asked for again");
}

fn one_that_hangs_holds_up_nobody_else(guard: &Guard) {
    std::thread::scope(|scope| {
        let address = guard.metrics_address().unwrap();
        let waits = std::net::TcpStream::connect(address).unwrap();
        std::io::Write::write_all(&mut &waits, b"GET /healthz?group=stuck HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        scope.spawn(|| assert_eq!(ask(guard, "/livez", "").body, "ok"));
        scope.spawn(|| assert_eq!(ask(guard, "/metrics", "").status, 200));
    });
}

fn on_a_server_of_ones_own() {
    // Any executor will do.
    let answer = futures_executor::block_on(health_response("/internal/readyz?verbose", "application/health+json"));
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.content_type), (503, "application/health+json"));
    assert_eq!(futures_executor::block_on(health_response("/metrics", "")), None);
}

/// As a user of axum mounts it: a handler of a few lines.
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

fn on_a_real_server_of_ones_own() {
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
        let nothing = agent.get(format!("http://{address}/internal/else")).call().unwrap();
        assert_eq!(nothing.status().as_u16(), 404);
        drop(agent);
        stop.send(()).unwrap();
    });
}

fn obs_checks_its_own(guard: &Guard) {
    let answer = ask(guard, "/healthz?group=telemetry&verbose=1", "");
    assert_eq!(answer.body, "[+]obs.prometheus ok\nhealthz check passed");
}
