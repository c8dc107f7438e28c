//! What is pushed to a Pushgateway: in groups that do not grow, beside what others push, with words when it is refused.

use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::http;
use obs_tests::process::{Finished, Process};
use obs_tests::servers::pushgateway::{Pushgateway, sum};

fn run(job: &str, url: &str) -> Finished {
    let process = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["return"]).env("PROMETHEUS_PORT", "0");
    let ended = process.env("SERVICE_NAME", job).env("PROMETHEUS_PUSHGATEWAY_URL", url).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    ended
}

#[test]
fn a_run_replaces_what_the_one_before_has_pushed_and_nothing_else() {
    let gateway = Pushgateway::start();
    let other = gateway.url() + "/metrics/job/nightly";
    assert_eq!(http::post(&other, "# TYPE of_another gauge\nof_another 3\n"), Ok(200));
    for _ in 0..3 {
        let ended = run("nightly", &gateway.url());
        assert!(!ended.stderr.contains("WARNING"), "{ended:?}");
    }
    let series = gateway.series();
    let value = |name: &str| sum(&series, "nightly", name);
    assert_eq!((value("operation_success_total"), value("short_lived_rows_total")), (100.0, 100.0));
    assert_eq!(value("of_another"), 3.0, "another family of the group stays");
    assert_eq!(value("operation_active"), 0.0);
    let instances: Vec<_> = series.keys().filter_map(|(_, labels)| labels.get("instance")).collect();
    assert!(instances.iter().all(|instance| instance.is_empty()), "{instances:?}");
}

#[test]
fn the_health_check_knows_a_pushgateway_by_what_it_answers() {
    let gateway = Pushgateway::start();
    let found = |url: &str| {
        let program = obs_tests::programs::program("embedded");
        let process = Process::new(program).args(&["health", "--group", "telemetry", "--format", "json"]);
        let ended = process.env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "off").env("PROMETHEUS_PUSHGATEWAY_URL", url);
        let report: serde_json::Value = serde_json::from_str(&ended.run().stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "obs.pushgateway").unwrap()["status"].clone()
    };
    assert_eq!(found(&gateway.url()), "healthy");
    assert_eq!(found(&(gateway.url() + "/behind")), "unhealthy", "there is none");
    let url = gateway.url();
    drop(gateway);
    assert_eq!(found(&url), "unhealthy");
}

#[test]
fn a_job_of_any_name_and_a_path_before_its_own_work() {
    let gateway = Pushgateway::start();
    run("etl/2 é", &(gateway.url() + "/"));
    assert_eq!(sum(&gateway.series(), "etl/2 é", "operation_success_total"), 100.0);
}

#[test]
fn what_it_refuses_is_told_in_its_words() {
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
    let server = FaultyServer::start(Fault::Answer(401, Vec::new(), "who are you?".to_owned()));
    let url = format!("http://ada:hunt%65r2@{}", server.address());
    let ended = run("private", &url);
    let request = String::from_utf8_lossy(&server.requests()[0]).to_lowercase();
    // ada:hunter2
    assert!(request.contains("authorization: basic ywrhomh1bnrlcji="), "{request}");
    assert!(request.starts_with("post /metrics/job/private http/1.1\r\n"), "{request}");
    assert!(ended.stderr.contains("status 401: who are you?") && ended.stderr.contains("PROMETHEUS_PUSHGATEWAY_URL"));
    assert!(!ended.stderr.contains("hunt"), "{ended:?}");
}

#[test]
fn a_server_that_asks_for_time_is_asked_once() {
    let server = FaultyServer::start(Fault::too_many_requests(60));
    let ended = run("patient", &server.url(""));
    // The command and the guard have both flushed.
    assert_eq!(server.requests().len(), 1, "{ended:?}");
}
