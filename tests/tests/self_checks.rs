//! The health checks of obs itself, and the background runs of all checks.

use std::time::Duration;

use obs_runtime::{Observability, Status, health_check, run_health_checks};
use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::{exclusive, ports, wait};

#[health_check]
fn in_the_background() {}

#[test]
fn exporters_are_checked_and_gauges_are_updated_in_the_background() {
    let _exclusive = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let logs = folder.path().join("logs");
    let textfiles = folder.path().join("textfiles");
    std::fs::create_dir(&textfiles).unwrap();
    let builder = Observability::builder()
        .without_environment()
        .log_file(logs.join("job.log"))
        .prometheus_port(taken.local_addr().unwrap().port())
        .prometheus_textfile_dir(&textfiles)
        .health_check_interval(Duration::from_millis(20))
        .defaults(|config| {
            config.datadog_enabled = true;
            config.datadog_agent_host = "127.0.0.1".to_owned();
            config.datadog_agent_port = ports::free();
        });
    let guard = builder.init().unwrap();
    let gauge = |name| obs_runtime::metrics().value("health_check.status", &[("check", name)]);
    assert_eq!(wait::until("a run in the background", wait::LONG, || gauge("in_the_background")), 1.0);

    let found = || {
        let report = run_health_checks().group("telemetry").wait();
        let found = report.checks.iter().map(|check| (check.name.to_string(), check.status, check.message.clone()));
        (report.status, found.collect::<Vec<_>>())
    };
    let (status, checks) = found();
    let names: Vec<_> = checks.iter().map(|(name, status, _)| (&**name, *status)).collect();
    let expected = [
        ("obs.datadog_agent", Status::Unhealthy),
        ("obs.log_file", Status::Healthy),
        ("obs.prometheus", Status::Unhealthy),
        ("obs.textfile", Status::Healthy),
    ];
    assert_eq!(names, expected, "{checks:?}");
    assert_eq!(status, Status::Degraded, "telemetry is not critical");
    let message = checks[0].2.as_deref().unwrap();
    assert!(message.starts_with("no Datadog agent listens at udp://127.0.0.1:"), "{message}");

    let agent = std::net::UdpSocket::bind(("127.0.0.1", guard.config().datadog_agent_port)).unwrap();
    std::fs::remove_dir_all(&logs).unwrap();
    std::fs::remove_dir_all(&textfiles).unwrap();
    let expected = [
        ("obs.datadog_agent", Status::Healthy),
        ("obs.log_file", Status::Unhealthy),
        ("obs.prometheus", Status::Unhealthy),
        // It is made again when metrics are written.
        ("obs.textfile", Status::Degraded),
    ];
    // A run may share checks that began in the background before.
    wait::until_true("the changes are noticed", || {
        let (_, checks) = found();
        let names: Vec<_> = checks.iter().map(|(name, status, _)| (&**name, *status)).collect();
        names == expected
    });
    drop((guard, agent));
    assert_eq!(run_health_checks().group("telemetry").wait().status, Status::Unknown, "the checks end with the guard");
}

#[test]
fn sentry_the_pushgateway_and_budgets_are_checked_when_configured() {
    let _exclusive = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let answering = |status| FaultyServer::start(Fault::Answer(status, Vec::new(), String::new()));
    let (sentry, refusing, gateway) = (answering(200), answering(403), answering(200));
    let found = |sentry: &str, gateway: &str| {
        let config = |name: &str| match name {
            "SENTRY_ENABLED" => Some("true".into()),
            "SENTRY_DSN" => Some(format!("http://0123456789abcdef@{sentry}/7").into()),
            "PROMETHEUS_PUSHGATEWAY_URL" => Some(format!("http://ada:hunter2@{gateway}/behind").into()),
            "OBS_BUDGETS" => Some("team=5USD/day".into()),
            "OBS_STATE_DIR" => Some(state.clone().into()),
            "HEALTH_CHECK_INTERVAL_SECONDS" => Some("3600".into()),
            "OBS_FLUSH_TIMEOUT" => Some("100ms".into()),
            "PROMETHEUS_PORT" => Some("0".into()),
            _ => None,
        };
        let config = obs_runtime::Config::from_lookup(config).unwrap();
        let guard = Observability::builder().without_environment().defaults(|into| *into = config).init().unwrap();
        let report = run_health_checks().group("telemetry").wait();
        drop(guard);
        report
    };
    let address = |server: &FaultyServer| server.address().to_string();
    let all_healthy = found(&address(&sentry), &address(&gateway));
    let names: Vec<_> = all_healthy.checks.iter().map(|check| (&*check.name, check.status)).collect();
    let healthy = |name| (name, Status::Healthy);
    let expected = ["obs.budgets", "obs.prometheus", "obs.pushgateway", "obs.sentry"].map(healthy);
    assert_eq!(names, expected, "{all_healthy:?}");
    let got = |server: &FaultyServer, text: &str| {
        let requests: Vec<_> =
            server.requests().iter().map(|request| String::from_utf8_lossy(request).into_owned()).collect();
        assert!(requests.iter().any(|request| request.contains(text)), "no {text}: {requests:?}");
    };
    got(&sentry, "POST /api/7/envelope/");
    got(&sentry, "sentry_key=0123456789abcdef");
    got(&gateway, "GET /behind/-/healthy");
    got(&gateway, "Basic YWRhOmh1bnRlcjI=");

    // Another file: the gauges of the budgets keep the first one open.
    std::fs::remove_dir_all(&state).unwrap();
    std::fs::create_dir(&state).unwrap();
    std::fs::write(state.join("budgets.sqlite3"), "this is not a database").unwrap();
    let unhealthy = found(&address(&refusing), &format!("127.0.0.1:{}", ports::free()));
    let message =
        |name: &str| unhealthy.checks.iter().find(|check| check.name == name).and_then(|check| check.message.clone());
    assert!(message("obs.sentry").unwrap().ends_with(" rejects the DSN (403)"), "{unhealthy:?}");
    assert!(message("obs.pushgateway").unwrap().contains("cannot be reached"), "{unhealthy:?}");
    assert!(message("obs.budgets").unwrap().contains("budgets.sqlite3"), "{unhealthy:?}");
    let limited = found(&address(&answering(429)), &address(&gateway));
    let status = limited.checks.iter().find(|check| check.name == "obs.sentry").map(|check| check.status);
    assert_eq!(status, Some(Status::Degraded), "{limited:?}");
    let reports = format!("{unhealthy:?}");
    assert!(!reports.contains("hunter2") && !reports.contains("0123456789abcdef"), "{reports}");
}

#[test]
fn the_interval_must_be_positive_and_finite() {
    let config = |value: &'static str| {
        obs_runtime::Config::from_lookup(|name| (name == "HEALTH_CHECK_INTERVAL_SECONDS").then(|| value.into()))
    };
    assert_eq!(config("2.5").unwrap().health_check_interval, Duration::from_millis(2500));
    for wrong in ["0", "-1", "NaN", "inf", "1e400", "soon"] {
        assert!(config(wrong).is_err(), "{wrong}");
    }
    assert_eq!(config("2m").unwrap().health_check_interval, Duration::from_mins(2));
}
