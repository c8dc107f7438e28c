//! Pushes to a Pushgateway: groups, other jobs' metrics, rejections and credentials.

use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::http;
use obs_tests::process::{Finished, Process};
use obs_tests::servers::Pushgateway;

fn run(job: &str, url: &str) -> Finished {
    let process = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["return"]).env("PROMETHEUS_PORT", "0");
    let ended = process.env("SERVICE_NAME", job).env("PROMETHEUS_PUSHGATEWAY_URL", url).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    ended
}

#[test]
fn a_run_replaces_only_the_metrics_of_the_earlier_run() {
    let gateway = Pushgateway::start();
    let other = gateway.url() + "/metrics/job/nightly";
    assert_eq!(http::post(&other, "# TYPE of_another gauge\nof_another 3\n"), Ok(200));
    for _ in 0..3 {
        let ended = run("nightly", &gateway.url());
        assert!(!ended.stderr.contains("WARNING"), "{ended:?}");
    }
    let samples = gateway.samples();
    let value = |name: &str| samples.sum(name, &[("job", "nightly")]);
    assert_eq!((value("operation_success_total"), value("short_lived_rows_total")), (Some(100.0), Some(100.0)));
    assert_eq!(value("of_another"), Some(3.0), "another family of the group stays");
    assert_eq!(value("operation_active").unwrap_or_default(), 0.0);
    let instances: Vec<_> = samples.iter().filter_map(|((_, labels), _)| labels.get("instance")).collect();
    assert!(!instances.is_empty() && instances.iter().all(|instance| instance.is_empty()), "{instances:?}");
}

#[test]
fn the_health_check_requires_the_answer_of_a_pushgateway() {
    let gateway = Pushgateway::start();
    let found = |url: &str| {
        let program = obs_tests::programs::program("embedded");
        let process = Process::new(program).args(&["health", "--group", "telemetry", "--format", "json"]);
        let ended = process.env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "off").env("PROMETHEUS_PUSHGATEWAY_URL", url);
        let report = ended.run().json();
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "obs.pushgateway").unwrap()["status"].clone()
    };
    assert_eq!(found(&gateway.url()), "healthy");
    assert_eq!(found(&(gateway.url() + "/behind")), "unhealthy", "no Pushgateway has this path");
    let url = gateway.url();
    drop(gateway);
    assert_eq!(found(&url), "unhealthy");
}

#[test]
fn job_names_are_escaped_and_a_trailing_slash_is_accepted() {
    let gateway = Pushgateway::start();
    run("etl/2 é", &(gateway.url() + "/"));
    assert_eq!(gateway.samples().sum("operation_success_total", &[("job", "etl/2 é")]), Some(100.0));
}

#[test]
fn the_warning_for_a_rejected_push_has_the_reason() {
    let gateway = Pushgateway::start();
    let other = gateway.url() + "/metrics/job/other";
    assert_eq!(http::post(&other, "# TYPE operation_success_total gauge\noperation_success_total 1\n"), Ok(200));
    let ended = run("clash", &gateway.url());
    let warnings: Vec<_> =
        ended.stderr.lines().filter(|line| line.contains("failed to flush exporter pushgateway")).collect();
    assert!(!warnings.is_empty() && warnings.iter().all(|warning| warning.contains("status 400")), "{ended:?}");
    assert!(warnings[0].contains("operation_success_total"), "{ended:?}");
}

#[test]
fn a_password_is_sent_and_never_shown() {
    let server = FaultyServer::start(Fault::Answer(401, Vec::new(), "log in first".to_owned()));
    let url = format!("http://ada:hunt%65r2@{}", server.address());
    let ended = run("private", &url);
    let request = String::from_utf8_lossy(&server.requests()[0]).to_lowercase();
    // ada:hunter2
    assert!(request.contains("authorization: basic ywrhomh1bnrlcji="), "{request}");
    assert!(request.starts_with("post /metrics/job/private http/1.1\r\n"), "{request}");
    assert!(ended.stderr.contains("status 401: log in first") && ended.stderr.contains("PROMETHEUS_PUSHGATEWAY_URL"));
    assert!(!ended.stderr.contains("hunt"), "{ended:?}");
}

#[test]
fn retry_after_is_honoured() {
    let server = FaultyServer::start(Fault::too_many_requests(60));
    let ended = run("patient", &server.url(""));
    // The end of the command and the drop of the guard both flush.
    assert_eq!(server.requests().len(), 1, "{ended:?}");
}
