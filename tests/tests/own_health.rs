//! obs checks what it needs itself, as its configuration says, and runs all checks in the background.

use std::time::Duration;

use obs_runtime::{Observability, Status, health_check, run_health_checks};
use obs_tests::{ports, wait};

const SOON: Duration = Duration::from_secs(30);

#[health_check]
fn in_the_background() {}

#[test]
fn what_obs_needs_is_checked_and_gauges_are_kept_up_to_date() {
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
    assert_eq!(wait::until("a run in the background", SOON, || gauge("in_the_background")), 1.0);

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
    assert_eq!(status, Status::Degraded, "a program works without its telemetry");
    let message = checks[0].2.as_deref().unwrap();
    assert!(message.starts_with("no Datadog agent listens at udp://127.0.0.1:"), "{message}");

    let agent = std::net::UdpSocket::bind(("127.0.0.1", guard.config().datadog_agent_port)).unwrap();
    std::fs::remove_dir_all(&logs).unwrap();
    std::fs::remove_dir_all(&textfiles).unwrap();
    let expected = [
        ("obs.datadog_agent", Status::Healthy),
        ("obs.log_file", Status::Unhealthy),
        ("obs.prometheus", Status::Unhealthy),
        ("obs.textfile", Status::Unhealthy),
    ];
    // A run may share what began in the background before.
    wait::until("what is gone to be missed", SOON, || {
        let (_, checks) = found();
        let names: Vec<_> = checks.iter().map(|(name, status, _)| (&**name, *status)).collect();
        (names == expected).then_some(())
    });
    drop((guard, agent));
    assert_eq!(run_health_checks().group("telemetry").wait().status, Status::Unknown, "they go with what they check");
}

#[test]
fn an_interval_is_some_time() {
    let config = |value: &'static str| {
        obs_runtime::Config::from_lookup(|name| (name == "HEALTH_CHECK_INTERVAL_SECONDS").then(|| value.into()))
    };
    assert_eq!(config("2.5").unwrap().health_check_interval, Duration::from_millis(2500));
    for wrong in ["0", "-1", "NaN", "inf", "1e400", "soon"] {
        assert!(config(wrong).is_err(), "{wrong}");
    }
    assert_eq!(config("2m").unwrap().health_check_interval, Duration::from_mins(2));
}
