//! Metrics, service checks and events: their tags and texts.

use obs_runtime::{health_check, tracked_command};
use obs_tests::dogstatsd::Agent;
use obs_tests::exclusive;
use obs_tests::exposition::has_labels;

use crate::{STEP, builder, steps};

#[tracked_command]
pub fn failing(way: &str) -> Result<(), String> {
    Err(format!("the {way} way\n|#a:b"))
}

#[health_check]
fn database() -> Result<(), String> {
    Err("gone | m:away\nfor good".to_owned())
}

#[health_check]
fn always_healthy() {}

#[test]
fn every_metric_and_check_has_service_env_version_and_entity_id() {
    let _exclusive = exclusive::lock();
    let agent = Agent::udp();
    let guard =
        builder(agent.url()).datadog_service("loader").datadog_env("prod").datadog_entity_id("a-pod").init().unwrap();
    steps(1);
    obs_runtime::run_health_checks().wait();
    drop(guard);
    agent.wait_for("operation.success", STEP, 1.0);
    let constant = [("service", "loader"), ("env", "prod"), ("version", "1.2.3"), ("dd.internal.entity_id", "a-pod")];
    for name in agent.names() {
        assert_eq!(agent.metrics(&name, &[]), agent.metrics(&name, &constant), "{name}");
        // The entity id replaces the container.
        assert!(agent.metrics(&name, &[]).iter().all(|metric| metric.container.is_none()));
    }
    let checks = agent.service_checks();
    // The checks of this file; obs adds its own.
    for name in ["always_healthy", "database"] {
        assert!(checks.iter().any(|check| check.tags["check"] == name), "{name}: {checks:?}");
    }
    for check in checks {
        assert!(has_labels(&check.tags, &constant), "{check:?}");
    }
}

#[test]
fn health_checks_are_sent_as_service_checks() {
    let _exclusive = exclusive::lock();
    let agent = Agent::udp();
    let guard = builder(agent.url()).init().unwrap();
    obs_runtime::run_health_checks().wait();
    drop(guard);
    agent.wait_for("health_check.status", &[("check", "always_healthy")], 1.0);
    let checks = agent.service_checks();
    let check =
        |name: &str| checks.iter().find(|check| check.tags["check"] == name).unwrap_or_else(|| panic!("{checks:?}"));
    assert_eq!((check("always_healthy").status, &*check("always_healthy").name), (0, "health_check"));
    assert_eq!(check("database").status, 2);
    assert_eq!(check("database").message.as_deref(), Some("gone / m\\:away\\nfor good"));
    assert!(check("database").time.is_some_and(|time| time > 1_700_000_000));
}

#[test]
fn a_failed_command_is_an_event_when_enabled() {
    let _exclusive = exclusive::lock();
    let agent = Agent::udp();
    for (enabled, events) in [(false, 0), (true, 1)] {
        let guard = builder(agent.url()).datadog_command_events(enabled).init().unwrap();
        assert!(failing("wrong").is_err());
        drop(guard);
        agent.wait_for("cli.command.failure", &[("command", "failing")], 1.0);
        let found = agent.events();
        assert_eq!(found.len(), events, "{found:?}");
        agent.clear();
        let Some(event) = found.first() else { continue };
        assert_eq!((&*event.title, event.alert.as_deref()), ("failing failed", Some("error")));
        assert!(event.text.contains("the wrong way\n|#a:b") && event.text.contains("correlation_id: "), "{event:?}");
        assert_eq!(
            (&*event.tags["command"], &*event.tags["outcome"], event.key.as_deref()),
            ("failing", "error", Some("failing"))
        );
    }
}

#[test]
fn series_that_are_equal_in_datadog_are_summed_and_warned_of_once() {
    let _exclusive = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let agent = Agent::udp();
    let guard = builder(agent.url()).log_level(obs_runtime::Level::Warning).log_file(&file).init().unwrap();
    for feature in ["csv export", "csv_export", "CSV_export"] {
        obs_runtime::track_feature(feature);
    }
    guard.flush();
    guard.flush();
    drop(guard);
    agent.wait_for("cli.feature.usage", &[("feature", "csv_export")], 2.0);
    assert_eq!(agent.count("cli.feature.usage", &[]), 3.0);
    let log = std::fs::read_to_string(&file).unwrap();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("cannot tell them apart")).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("csv_export") && warnings[0].contains("1 more"), "{log}");
}
