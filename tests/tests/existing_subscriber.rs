//! A program with a subscriber of its own adds obs' layer to it. One test, because a process has one subscriber.

use obs_runtime::{Level, LogContext, Observability, track_performance};
use obs_tests::logs::{MemoryLog, messages};
use tracing_subscriber::layer::SubscriberExt as _;

#[track_performance(level = "info")]
fn load() {
    tracing::info!(rows = 5, password = "hunter22", "by tracing");
}

#[test]
fn obs_and_the_other_layers_of_a_subscriber_get_their_lines() {
    let (ours, theirs) = (MemoryLog::default(), MemoryLog::default());
    let writer = theirs.clone();
    let fmt = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(fmt).with(obs_runtime::layer());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::info!("before initialisation");
    assert_eq!((messages(&ours.take()).len(), messages(&theirs.take())), (0, vec!["before initialisation"]));

    let builder = Observability::builder().without_environment().prometheus_port(0).subscriber(false);
    let guard = builder.log_level(Level::Info).log_output(ours.output()).init().unwrap();
    let span = tracing::info_span!("request", path = "/load");
    LogContext::new().correlation_id("run-7").scope(|| span.in_scope(load));
    tracing::debug!("below the level of obs");

    let lines = ours.take();
    // No warning about the existing subscriber, because of `subscriber(false)`.
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(messages(&lines)[..2], ["load started", "by tracing"]);
    for line in &lines {
        assert_eq!(line["correlation_id"], "run-7", "{line}");
    }
    assert_eq!((&lines[1]["path"], &lines[1]["rows"]), (&"/load".into(), &5.into()));
    assert_eq!(lines[1]["password"], "[REDACTED]");
    assert_eq!(messages(&theirs.take()), ["by tracing", "below the level of obs"]);

    drop(guard);
    tracing::info!("after the guard");
    assert_eq!((messages(&ours.take()).len(), messages(&theirs.take())), (0, vec!["after the guard"]));
}
