//! Pushes to a Pushgateway: groups, other jobs' metrics, rejections and credentials.

use obs_tests::exposition::Samples;
use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::http;
use obs_tests::process::{Finished, Process};
use obs_tests::servers::Pushgateway;
use obs_tests::wait;

fn process(way: &str, job: &str, url: &str) -> Process {
    let process = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&[way]).env("PROMETHEUS_PORT", "0");
    process.env("SERVICE_NAME", job).env("PROMETHEUS_PUSHGATEWAY_URL", url)
}

fn run(job: &str, url: &str) -> Finished {
    let ended = process("return", job, url).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    ended
}

#[test]
fn commands_environments_and_hosts_have_groups_of_their_own() {
    let gateway = Pushgateway::start();
    let other = Process::new(env!("CARGO_BIN_EXE_short-job")).args(&["return"]).env("PROMETHEUS_PORT", "0");
    assert_eq!(other.env("SERVICE_NAME", "etl").env("PROMETHEUS_PUSHGATEWAY_URL", gateway.url()).run().code(), Some(0));
    let job = || process("return", "etl", &gateway.url());
    for (environment, instance) in [("prod", ""), ("prod", "host-1"), ("staging", "")] {
        let job = job().env("ENVIRONMENT", environment).env("PROMETHEUS_PUSHGATEWAY_INSTANCE", instance);
        assert_eq!(job.run().code(), Some(0));
    }
    let samples = gateway.samples();
    let count = |labels: &[(&str, &str)]| samples.values("cli_command_success_total", labels).count();
    assert_eq!((count(&[("command", "short-job")]), count(&[("command", "short-lived")])), (1, 3), "{samples:?}");
    assert_eq!(count(&[("environment", "prod"), ("instance", "host-1"), ("job", "etl")]), 1);
    assert_eq!(samples.sum("operation_success_total", &[("command", "short-lived")]), Some(300.0));
}

#[test]
fn a_run_leaves_nothing_of_an_earlier_failure_but_a_failure_leaves_the_last_success() {
    let gateway = Pushgateway::start();
    let run = |way: &str| process(way, "etl", &gateway.url()).run();
    let value = |samples: &Samples, name: &str| samples.sum(name, &[("command", "short-lived")]);
    let last_success = "cli_command_last_success_timestamp_seconds";
    run("return");
    let succeeded = value(&gateway.samples(), last_success);
    run("error");
    let failed = gateway.samples();
    assert!(succeeded.is_some() && value(&failed, last_success) == succeeded, "{failed:?}");
    assert_eq!(value(&failed, "cli_command_failure_total"), Some(1.0));
    assert_eq!(value(&failed, "cli_command_last_exit_code"), Some(1.0));
    run("return");
    let samples = gateway.samples();
    assert_eq!(value(&samples, "cli_command_failure_total"), Some(0.0));
    assert!(value(&samples, last_success) > succeeded, "{samples:?}");
}

#[test]
fn a_running_command_is_in_the_gateway_before_it_ends() {
    let gateway = Pushgateway::start();
    let running = process("hang", "etl", &gateway.url()).start();
    wait::until_true("its start is pushed", || {
        let samples = gateway.samples();
        let value = |name: &str| samples.value(name, &[("command", "short-lived")]);
        (value("cli_command_running"), value("cli_command_last_exit_code")) == (Some(1.0), Some(-1.0))
    });
    running.signal("KILL");
    assert_eq!(running.finish().code(), None);
}

#[test]
fn a_run_replaces_only_the_metrics_of_the_earlier_run() {
    let gateway = Pushgateway::start();
    let other = gateway.url() + "/metrics/job/nightly/environment/dev";
    assert_eq!(http::post(&other, "# TYPE of_another gauge\nof_another 3\n"), Ok(200));
    for _ in 0..3 {
        let ended = run("nightly", &gateway.url());
        assert!(!ended.stderr.contains("WARNING"), "{ended:?}");
    }
    let samples = gateway.samples();
    let value = |name: &str| samples.sum(name, &[("job", "nightly")]);
    assert_eq!((value("operation_success_total"), value("short_lived_rows_total")), (Some(100.0), Some(100.0)));
    assert_eq!(value("of_another"), Some(3.0), "the group of another command stays");
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
    // POST before the command has succeeded, PUT afterwards.
    let path = "/metrics/job/private/environment/dev/command/short-lived";
    let starts = ["post", "put"].map(|method| request.starts_with(&format!("{method} {path} http/1.1\r\n")));
    assert!(starts.contains(&true), "{request}");
    assert!(ended.stderr.contains("status 401: log in first") && ended.stderr.contains("PROMETHEUS_PUSHGATEWAY_URL"));
    assert!(!ended.stderr.contains("hunt"), "{ended:?}");
}

#[test]
fn a_proxy_is_used_for_the_scheme_and_the_hosts_that_it_is_for() {
    let gateway = Pushgateway::start();
    let url = "http://gateway.obs.invalid:9091";
    for (url, environment, is_used) in [
        (&*gateway.url(), &["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"][..], false),
        (url, &["HTTP_PROXY"], true),
        (url, &["ALL_PROXY"], true),
        (url, &["HTTPS_PROXY"], false),
        (url, &["HTTP_PROXY", "NO_PROXY"], false),
    ] {
        let proxy = FaultyServer::start(Fault::internal_error());
        let job = environment.iter().fold(process("return", "job", url), |job, name| match *name {
            "NO_PROXY" => job.env(name, "localhost,*.obs.invalid"),
            name => job.env(name, format!("http://ada:hunter2@{}", proxy.address())),
        });
        let ended = job.run();
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(proxy.connections() > 0, is_used, "{url} {environment:?}: {ended:?}");
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
    assert_eq!(gateway.samples().sum("operation_success_total", &[]), Some(100.0));
}

#[test]
fn retry_after_is_honoured() {
    let server = FaultyServer::start(Fault::too_many_requests(60));
    let ended = run("patient", &server.url(""));
    // The end of the command and the drop of the guard both flush.
    assert_eq!(server.requests().len(), 1, "{ended:?}");
}
