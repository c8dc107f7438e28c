//! The alerts on a service, two hosts and two environments, several runs at once, and the way through `statsd_exporter`: each
//! query rests first and fires when its cause happens.

use std::net::{Ipv4Addr, SocketAddr};

use obs_tests::exposition::Samples;
use obs_tests::process::{Process, Running};
use obs_tests::servers::{Prometheus, Pushgateway, StatsdExporter};
use obs_tests::{ports, wait};

const JOB: &str = env!("CARGO_BIN_EXE_alerted-job");

fn start(port: u16, state: &std::path::Path) -> Running {
    let service = Process::new(env!("CARGO_BIN_EXE_alerted-service")).env("PROMETHEUS_PORT", port.to_string());
    let service = service.env("OBS_STATE_DIR", state).env("OBS_BUDGETS", "nightly=7USD/month").start();
    service.wait_for_output("it is ready", |line| (line == "ready").then_some(()));
    service
}

/// A query rests; then the line makes it fire.
fn fires_after(prometheus: &Prometheus, service: &mut Running, query: &str, line: &str) {
    assert_eq!(prometheus.query(query), [], "{query} before {line}");
    service.write_line(line);
    wait::until_true(&format!("{query} after {line}"), || !prometheus.query(query).is_empty());
}

fn wait_for(prometheus: &Prometheus, query: &str) {
    wait::until_true(query, || !prometheus.query(query).is_empty());
}

#[test]
fn alerts_on_a_service_fire_when_their_cause_happens() {
    let state = tempfile::tempdir().unwrap();
    let port = ports::free();
    let mut service = start(port, state.path());
    let prometheus = Prometheus::scraping(&[SocketAddr::from((Ipv4Addr::LOCALHOST, port))]);
    prometheus.wait_until_up();

    service.write_line("healthy");
    wait_for(&prometheus, "health_check_status == 1");
    fires_after(&prometheus, &mut service, "health_check_status == 0", "unhealthy");

    service.write_line("cheap");
    wait_for(&prometheus, "sum(bigquery_cost_alert_total) == 0");
    fires_after(&prometheus, &mut service, "increase(bigquery_cost_alert_total[1h]) > 0", "costly");
    fires_after(&prometheus, &mut service, "bigquery_budget_used_usd / bigquery_budget_limit_usd > 0.8", "spend");

    service.write_line("ok");
    wait_for(&prometheus, "operation_success_total{operation=\"request\"} == 1");
    let latency = "histogram_quantile(0.95, sum by (le, operation) (rate(operation_duration_seconds_bucket\
                   {operation=\"request\"}[1h]))) > 2.5";
    fires_after(&prometheus, &mut service, latency, "slow");
    let failures = "sum(rate(operation_failure_total[1h]))";
    let burn_rate = format!("{failures} / ({failures} + sum(rate(operation_success_total[1h]))) > 14.4 * 0.001");
    fires_after(&prometheus, &mut service, &burn_rate, "fail");

    service.write_line("5");
    wait_for(&prometheus, "count_over_time(cli_command_last_duration_seconds[7d]) >= 6");
    let doubled = "cli_command_last_duration_seconds > 2 * avg_over_time(cli_command_last_duration_seconds[7d])";
    fires_after(&prometheus, &mut service, doubled, "1000");
    wait_for(&prometheus, "time() - cli_command_last_start_timestamp_seconds > 5");
    assert_eq!(prometheus.query("time() - cli_command_last_start_timestamp_seconds > 25 * 3600"), []);
    service.write_line("5");
    wait::until_true("a run that is not missed", || {
        prometheus.query("time() - cli_command_last_start_timestamp_seconds > 5").is_empty()
    });

    let crash_loop = "changes(process_start_time_seconds[15m]) > 3";
    for restarts in 1..=4 {
        assert_eq!(prometheus.query("up == 0"), [], "{restarts}");
        assert_eq!(prometheus.query(crash_loop), [], "{restarts}");
        service.signal("KILL");
        assert_eq!(service.finish().code(), None);
        wait_for(&prometheus, "up == 0");
        service = start(port, state.path());
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
    assert_eq!(exporter.errors(), []);
}
