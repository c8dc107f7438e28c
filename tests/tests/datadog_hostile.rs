//! Nothing in a name or a tag ends it, or anything else, on its way to Datadog. What a program counts by itself stays with the
//! process, so this one does nothing else.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::time::Duration;

use obs_runtime::{Level, Observability};
use obs_tests::agent::Agent;
use obs_tests::dogstatsd::{Message, Metric};
use obs_tests::hostile;

#[test]
fn nothing_hostile_in_names_and_tags_gets_through() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::datagram(&folder.path().join("datagram"));
    let builder = Observability::builder().without_environment().log_level(Level::Critical).prometheus_port(0);
    let builder = builder.datadog_enabled(true).datadog_agent(agent.url().parse().unwrap()).max_series(20_000);
    // Sent by the thousand, and in a debug build.
    let guard = builder.datadog_interval(Duration::from_hours(1)).flush_timeout(Duration::from_mins(1)).init().unwrap();
    hostile::measure(10_000, || guard.flush());
    drop(guard);
    // To read them is to have them checked.
    agent.wait_for("bigquery.operation", &[], 3125.0);
    let messages = agent.messages();
    let of = |letter: char| {
        messages.iter().filter_map(move |message| match message {
            Message::Metric(metric) if hostile::is_of(letter, &metric.name) => Some(metric),
            _ => None,
        })
    };
    assert_eq!(of('c').map(Metric::sum).sum::<f64>(), 3125.0);
    assert_eq!(of('h').map(Metric::observations).sum::<f64>(), 625.0);
    assert_eq!(of('g').map(|metric| &metric.name).collect::<BTreeSet<_>>().len(), 3125);
    assert!(agent.packets().iter().all(|packet| packet.len() <= 8192));
}
