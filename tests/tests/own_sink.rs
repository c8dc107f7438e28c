//! A sink of the program's own, by public paths only: what it receives is redacted and complete, and what is wrong with it
//! does not harm the program.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use obs_runtime::sink::{EventKind, RedactedEvent, Sink, SinkError, SinkInitError};
use obs_runtime::{
    Guard, InitError, Level, LogContext, Observability, ObservabilityBuilder, Outcome, dq_check, status,
    track_performance, tracked_command, with_error_tracking,
};

/// A process has one pipeline at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn builder() -> ObservabilityBuilder {
    Observability::builder().without_environment().prometheus_port(0).log_level(Level::Critical).service_name("loader")
}

/// Sends what it receives to the test.
struct Channel(Sender<RedactedEvent>);

impl Sink for Channel {
    fn name(&self) -> &'static str {
        "channel"
    }

    fn min_level(&self) -> Level {
        Level::Debug
    }

    fn accept(&mut self, event: &RedactedEvent) -> Result<(), SinkError> {
        Ok(self.0.send(event.clone())?)
    }
}

fn channel() -> (Guard, Receiver<RedactedEvent>) {
    let (sender, received) = mpsc::channel();
    (builder().sink(Channel(sender)).init().unwrap(), received)
}

fn of(events: &[RedactedEvent], kind: EventKind) -> Vec<&RedactedEvent> {
    events.iter().filter(|event| event.kind() == kind).collect()
}

fn field(event: &RedactedEvent, name: &str) -> Option<String> {
    event.fields().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
}

#[with_error_tracking(args(table))]
#[track_performance(tags(zone = "eu"))]
fn load(table: &str) -> Result<(), io::Error> {
    tracing::info!(password = "hunter2", rows = 3, "loading {table} for ann@example.com");
    Err(io::Error::other("token=s3cr3t-value refused"))
}

#[dq_check(dataset = "users", fail_above = 0)]
fn null_ids() -> u64 {
    1
}

#[tracked_command(user = "nightly")]
fn nightly() -> Result<(), io::Error> {
    load("users")
}

#[test]
fn a_sink_receives_redacted_log_lines_calls_and_errors() {
    let _alone = alone();
    let (guard, received) = channel();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let headers =
        |name: &str| (name == "traceparent").then_some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let _ = LogContext::from_headers(headers).field("team", "growth").scope(nightly);
    obs_runtime::run_dq_checks().wait();
    guard.flush();
    let channel = status().sink("channel").cloned().unwrap();
    assert!(channel.last_success.is_some() && channel.failure.is_none() && channel.queued == 0, "{channel:?}");
    drop(guard);
    let events: Vec<_> = received.into_iter().collect();
    let all = format!("{events:?}");
    assert!(!["hunter2", "ann@example.com", "s3cr3t-value"].iter().any(|secret| all.contains(secret)), "{all}");
    assert!(events.iter().all(|event| event.service() == "loader" && event.environment() == "dev"), "{all}");

    let line =
        of(&events, EventKind::Log).into_iter().find(|line| line.message().starts_with("loading users")).unwrap();
    assert_eq!((line.level(), line.logger(), line.module()), (Level::Info, "own_sink", Some("own_sink")));
    assert_eq!((field(line, "password").as_deref(), field(line, "rows").as_deref()), (Some("[REDACTED]"), Some("3")));
    assert_eq!((line.operation(), line.user()), (Some("nightly"), Some("nightly")));
    assert!(line.correlation_id().is_some() && line.trace_id() == Some(trace), "{line:?}");
    assert!(line.context_fields().any(|(name, value)| name == "team" && value.to_string() == "growth"), "{line:?}");

    let finished = of(&events, EventKind::CallFinished);
    let call = |name: &str| finished.iter().find(|event| event.call().is_some_and(|call| call.name == name)).unwrap();
    let operation = call("load").call().unwrap();
    assert_eq!((operation.outcome, operation.attribute), (Some(Outcome::Error), "track_performance"));
    assert!(call("load").tags().eq([("zone", "eu")]), "{:?}", call("load"));
    let command = call("nightly").call().unwrap();
    assert_eq!((command.outcome, command.exit_code), (Some(Outcome::Error), Some(1)));
    assert!(command.duration >= operation.duration, "{command:?} {operation:?}");
    let messages = ["token=[REDACTED] refused"];
    assert_eq!(command.error_messages, messages);

    let errors = of(&events, EventKind::Error);
    let error = errors[0].failure().unwrap();
    assert_eq!(
        (errors.len(), error.operation.as_str(), &error.messages[..]),
        (1, "load", &messages.map(String::from)[..])
    );
    assert_eq!(field(errors[0], "table").as_deref(), Some("users"));
    assert_eq!(field(call("nightly"), "event_id"), Some(error.event_id.to_string()));
    let checks = of(&events, EventKind::QualityCheck);
    assert_eq!((checks.len(), field(checks[0], "status").as_deref()), (1, Some("failed")));
}

fn dropped(sink: &str, reason: &str) -> u64 {
    status().sink(sink).and_then(|sink| sink.dropped.get(reason).copied()).unwrap_or(0)
}

/// Panics, fails or logs, by the message.
struct Faulty;

impl Sink for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn accept(&mut self, event: &RedactedEvent) -> Result<(), SinkError> {
        match event.message() {
            "panic" => panic!("in a sink"),
            "fail" => Err("password=hunter2: disk full".into()),
            "log" => {
                tracing::info!("log");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[test]
fn a_sink_that_panics_fails_or_logs_harms_nothing() {
    let _alone = alone();
    let (sender, received) = mpsc::channel();
    let guard = builder().sink(Faulty).sink(Channel(sender)).init().unwrap();
    let reentrant = dropped("pipeline", "reentrant");
    for message in ["panic", "fail", "log", "last"] {
        tracing::info!("{message}");
    }
    guard.flush();
    assert_eq!((dropped("faulty", "panic"), dropped("faulty", "error")), (1, 1));
    assert_eq!(dropped("pipeline", "reentrant"), reentrant + 1);
    let failure = status().sink("faulty").unwrap().failure.clone();
    assert_eq!(failure.as_deref(), Some("password=[REDACTED]: disk full"), "lost events fail the flush");
    guard.flush();
    assert_eq!(status().sink("faulty").unwrap().failure, None);
    drop(guard);
    let lines: Vec<_> = received.into_iter().map(|event| event.message().to_owned()).collect();
    assert_eq!(lines[..4], ["panic", "fail", "log", "last"]);
    assert!(lines[4].starts_with("failed to flush exporter faulty") && lines.len() == 5, "{lines:?}");
}

/// Does not return from `accept` before the test lets it.
struct Stuck(Receiver<()>);

impl Sink for Stuck {
    fn name(&self) -> &'static str {
        "stuck"
    }

    fn accept(&mut self, _: &RedactedEvent) -> Result<(), SinkError> {
        Ok(self.0.recv()?)
    }
}

#[test]
fn a_sink_that_is_stuck_costs_a_flush_its_deadline_and_drops_what_its_queue_cannot_hold() {
    let _alone = alone();
    let (release, stuck) = mpsc::channel();
    let guard = builder().sink(Stuck(stuck)).flush_timeout(Duration::from_millis(100)).init().unwrap();
    for number in 0..1100 {
        tracing::info!(number, "line");
    }
    assert_eq!((dropped("stuck", "queue_full"), status().sink("stuck").unwrap().queued), (76, 1024));
    guard.flush();
    let failure = status().sink("stuck").unwrap().failure.clone();
    assert_eq!(failure.as_deref(), Some("no answer within 100ms (OBS_FLUSH_TIMEOUT)"));
    let begun = Instant::now();
    (0..1000).for_each(|_| guard.flush());
    assert!(begun.elapsed() < Duration::from_secs(100), "a late sink is not waited for each time");
    drop(guard);
    drop(release);
}

struct Named(&'static str);

impl Sink for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    fn accept(&mut self, _: &RedactedEvent) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn a_name_is_valid_and_not_taken() {
    let _alone = alone();
    for name in ["", "Upper", "a b", "nul\0", "log", "sentry"] {
        let error = builder().sink(Named(name)).init().err().unwrap();
        assert!(matches!(error, InitError::Sink(SinkInitError::Name(taken)) if taken == name), "{name}: {error}");
    }
    assert!(builder().sink(Named("one")).sink(Named("one")).init().is_err());
    assert!(builder().sink(Named("one")).sink(Named("two-2_b")).init().is_ok());
}
