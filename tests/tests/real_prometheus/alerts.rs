//! A service that restarts, two hosts and two environments, several runs at once, and the way through `statsd_exporter`.

use std::net::{Ipv4Addr, SocketAddr};

use obs_tests::exposition::{Samples, Series};
use obs_tests::process::{Process, Running};
use obs_tests::servers::{Prometheus, Pushgateway, StatsdExporter};
use obs_tests::{ports, wait};

use crate::documented;

const JOB: &str = env!("CARGO_BIN_EXE_alerted-job");

fn serve(port: u16) -> Running {
    let service = Process::new(JOB).args(&["serve"]).env("PROMETHEUS_PORT", port.to_string()).start();
    service.wait_for_output("its address", |line| line.parse::<SocketAddr>().ok());
    service
}

fn wait_for(prometheus: &Prometheus, query: &str) {
    wait::until_true(query, || !prometheus.query(query).is_empty());
}

#[test]
fn a_service_that_restarts_again_and_again_is_a_crash_loop() {
    let port = ports::free();
    let mut service = serve(port);
    let prometheus = Prometheus::scraping(&[SocketAddr::from((Ipv4Addr::LOCALHOST, port))]);
    prometheus.wait_until_up();
    let [down, crash_loop] = ["service down", "crash loop of a service"].map(|name| documented::alert(name).query);
    for restarts in 1..=4 {
        assert_eq!(prometheus.query(down), [], "{restarts}");
        assert_eq!(prometheus.query(crash_loop), [], "{restarts}");
        service.signal("KILL");
        assert_eq!(service.finish().code(), None);
        wait_for(&prometheus, down);
        service = serve(port);
        wait_for(&prometheus, "up == 1");
        wait_for(&prometheus, &format!("changes(process_start_time_seconds[15m]) >= {restarts}"));
    }
    wait_for(&prometheus, crash_loop);
    assert_eq!(service.finish().code(), Some(0));
}

#[test]
fn hosts_and_environments_have_groups_of_their_own() {
    let gateway = Pushgateway::start();
    let groups = [("a", "prod", "ok", 0.0), ("b", "prod", "error", 1.0), ("a", "staging", "error", 1.0)];
    for (host, environment, way, _) in groups {
        let job = Process::new(JOB).args(&[way]).env("PROMETHEUS_PORT", "0").env("ENVIRONMENT", environment);
        let job = job.env("PROMETHEUS_PUSHGATEWAY_URL", gateway.url()).env("PROMETHEUS_PUSHGATEWAY_INSTANCE", host);
        assert_eq!(job.run().code() == Some(0), way == "ok");
    }
    let samples = gateway.samples();
    for (host, environment, _, code) in groups {
        let labels = [("instance", host), ("environment", environment), ("command", "nightly")];
        assert_eq!(samples.sum("cli_command_last_exit_code", &labels), Some(code), "{host} {environment}");
    }
}

#[test]
fn environments_share_a_textfile_and_five_runs_at_once_are_all_counted() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for environment in ["prod", "prod", "prod", "staging", "staging"] {
            let job = Process::new(JOB).args(&["error"]).env("PROMETHEUS_PORT", "0").env("ENVIRONMENT", environment);
            let job = job.env("PROMETHEUS_TEXTFILE_DIR", folder.path()).env("OBS_FLUSH_TIMEOUT", "50s");
            scope.spawn(move || assert_eq!(job.env("SERVICE_NAME", "etl").run().code(), Some(1)));
        }
    });
    let metrics = Samples::read(&folder.path().join("etl.prom"));
    for (environment, runs) in [("prod", 3.0), ("staging", 2.0)] {
        let labels = [("environment", environment), ("command", "nightly")];
        for name in ["cli_command_started_total", "cli_command_failure_total", "cli_command_consecutive_failures"] {
            assert_eq!(metrics.sum(name, &labels), Some(runs), "{name} {environment}");
        }
    }
}

#[test]
fn five_runs_at_once_leave_a_whole_group() {
    let gateway = Pushgateway::start();
    let runs = [("prod", "ok"), ("prod", "ok"), ("prod", "ok"), ("staging", "ok"), ("staging", "error")];
    std::thread::scope(|scope| {
        for (environment, way) in runs {
            let job = Process::new(JOB).args(&[way]).env("PROMETHEUS_PORT", "0").env("ENVIRONMENT", environment);
            let job = job.env("PROMETHEUS_PUSHGATEWAY_URL", gateway.url()).env("OBS_FLUSH_TIMEOUT", "50s");
            scope.spawn(move || assert_eq!(job.run().code() == Some(0), way == "ok"));
        }
    });
    let samples = gateway.samples();
    let value =
        |name: &str, environment: &str| samples.sum(name, &[("environment", environment), ("command", "nightly")]);
    // The run that ended last.
    let expected = [
        ("cli_command_last_exit_code", 0.0),
        ("cli_command_started_total", 1.0),
        ("cli_command_success_total", 1.0),
        ("cli_command_failure_total", 0.0),
        ("cli_command_running", 0.0),
        ("data_quality_check_status", 1.0),
    ];
    for (name, expected) in expected {
        assert_eq!(value(name, "prod"), Some(expected), "{name}: {samples:#?}");
    }
    assert!(value("cli_command_last_success_timestamp_seconds", "staging") > Some(1e9), "{samples:#?}");
    let ended = value("cli_command_success_total", "staging").zip(value("cli_command_failure_total", "staging"));
    assert!([Some((1.0, 0.0)), Some((0.0, 1.0))].contains(&ended), "{ended:?}");
    assert_eq!(value("cli_command_last_exit_code", "staging"), ended.map(|(_, failures)| failures));
}

#[test]
fn the_last_run_and_its_cost_are_known_through_statsd_exporter() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = StatsdExporter::start(folder.path());
    let prometheus = Prometheus::scraping(&[exporter.address()]);
    prometheus.wait_until_up();
    let run = |way: &str| {
        let job = Process::new(JOB).args(&[way]).env("PROMETHEUS_PORT", "0").env("DATADOG_ENABLED", "true");
        job.env("DD_DOGSTATSD_URL", format!("udp://127.0.0.1:{}", exporter.udp_port())).run().code() == Some(0)
    };
    assert!(run("ok"));
    wait_for(&prometheus, "cli_command_success == 1");
    wait_for(&prometheus, "cli_command_last_exit_code == 0");
    assert_eq!(prometheus.query("cli_command_last_exit_code > 0"), []);
    assert!(!run("error"));
    wait_for(&prometheus, "cli_command_last_exit_code > 0");
    wait_for(&prometheus, "sum(cli_command_failure) == 1");
    wait_for(&prometheus, "sum(bigquery_total_cost_usd) == 12.5");
    wait_for(&prometheus, "time() - cli_command_last_success_timestamp_seconds < 3600");
    // It does not know service checks.
    let errors = exporter.errors();
    let is_service_check = |series: &Series| series.1.get("reason").is_some_and(|reason| reason == "illegal_event");
    assert!(errors.iter().all(|(series, _)| is_service_check(series)), "{errors:?}");
}
