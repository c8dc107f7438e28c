//! Datadog's own agent.

use obs_tests::servers::DatadogAgentLog;

#[test]
fn the_agent_accepts_every_line_of_a_short_job() {
    let folder = tempfile::tempdir().unwrap();
    let log = DatadogAgentLog::of(folder.path(), env!("CARGO_BIN_EXE_short-lived"), &["return"]);
    assert_eq!(log.accepted(), log.received(), "{}", log.text());
    assert_eq!(log.errors(), [""; 0], "{}", log.text());
    for line in ["operation.success:100|c|#", "short_lived.rows:100|c|#"] {
        assert!(log.text().contains(line), "{line}: {}", log.text());
    }
    assert_eq!(calls_of(&log, "operation.duration.seconds").round(), 100.0, "{}", log.text());
}

#[test]
fn the_agent_accepts_hostile_names_and_tags() {
    let folder = tempfile::tempdir().unwrap();
    let log = DatadogAgentLog::of(folder.path(), env!("CARGO_BIN_EXE_hostile-names"), &[]);
    assert!(log.accepted() >= 2000 && log.accepted() == log.received(), "{} of {}", log.accepted(), log.received());
    assert_eq!(log.errors(), [""; 0]);
}

#[test]
fn the_agent_reports_a_malformed_line() {
    let folder = tempfile::tempdir().unwrap();
    let log = DatadogAgentLog::of(folder.path(), "/bin/bash", &["-c", "printf 'broken|line' >/dev/udp/127.0.0.1/8125"]);
    assert_eq!((log.accepted(), log.errors().len()), (0, 1), "{}", log.text());
}

/// How many observations the values of a distribution stand for: each counts as one divided by its sample rate.
fn calls_of(log: &DatadogAgentLog, name: &str) -> f64 {
    let lines = log.text().lines().filter_map(|line| line.split_once(&format!("{name}:")));
    let weight = |line: &str| {
        let mut parts = line.split('|');
        let values = u32::try_from(parts.next()?.split(':').count()).ok()?;
        let rate = parts.find_map(|part| part.strip_prefix('@')).map_or(Some(1.0), |rate| rate.parse().ok());
        Some(f64::from(values) / rate?)
    };
    lines.filter_map(|(_, line)| weight(line)).sum()
}
