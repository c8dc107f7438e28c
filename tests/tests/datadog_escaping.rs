//! Special characters in names and tags do not break the messages to Datadog. A process of its own, because a program's own
//! metrics are process-wide.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::time::Duration;

use obs_runtime::{Level, Observability};
use obs_tests::dogstatsd::{Agent, Message, Metric};
use obs_tests::hostile_names;

/// How many series are recorded; see [`hostile_names::record`].
const COUNT: u32 = 10_000;

#[test]
fn hostile_names_and_tags_are_escaped_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::datagram(&folder.path().join("datagram"));
    let builder = Observability::builder().without_environment().log_level(Level::Critical).prometheus_port(0);
    let builder = builder.datadog_enabled(true).datadog_agent(agent.url().parse().unwrap()).max_series(20_000);
    // A thousand series are flushed at once, in a debug build.
    let guard = builder.datadog_interval(Duration::from_hours(1)).flush_timeout(Duration::from_mins(1)).init().unwrap();
    hostile_names::record(COUNT, || guard.flush());
    drop(guard);
    // Reading the messages parses them strictly.
    agent.wait_for("bigquery.operation", &[], f64::from(COUNT) * 5.0 / 16.0);
    let messages = agent.messages();
    let of = |letter: char| {
        messages.iter().filter_map(move |message| match message {
            Message::Metric(metric) if hostile_names::begins_with(letter, &metric.name) => Some(metric),
            _ => None,
        })
    };
    assert_eq!(of('c').map(Metric::sum).sum::<f64>(), f64::from(COUNT) * 5.0 / 16.0);
    assert_eq!(of('h').map(Metric::observations).sum::<f64>(), f64::from(COUNT) / 16.0);
    assert_eq!(of('g').map(|metric| &metric.name).collect::<BTreeSet<_>>().len(), COUNT as usize * 5 / 16);
    assert!(agent.packets().iter().all(|packet| packet.len() <= 8192));
}
