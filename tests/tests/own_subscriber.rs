//! A program that has a subscriber of its own puts obs' layer into it, and each gets its lines. One test, as a process has
//! one subscriber.

use std::io;
use std::sync::{Arc, Mutex};

use obs_runtime::{Level, LogContext, LogOutput, Observability, track_performance};
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;

/// What somebody wrote, line by line.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Vec<Value> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[track_performance(level = "info")]
fn load() {
    tracing::info!(rows = 5, password = "hunter22", "by tracing");
}

fn messages(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["message"].as_str().or(line["fields"]["message"].as_str()).unwrap()).collect()
}

#[test]
fn obs_and_the_programs_own_layers_get_their_lines_from_the_programs_subscriber() {
    let (ours, theirs) = (Written::default(), Written::default());
    let writer = theirs.clone();
    let fmt = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(fmt).with(obs_runtime::layer());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    tracing::info!("before obs is there");
    assert_eq!((messages(&ours.take()).len(), messages(&theirs.take())), (0, vec!["before obs is there"]));

    let write = ours.clone();
    let builder = Observability::builder().without_environment().prometheus_port(0).subscriber(false);
    let output = LogOutput::new(move |line| io::Write::write_all(&mut write.clone(), line));
    let guard = builder.log_level(Level::Info).log_output(output).init().unwrap();
    let span = tracing::info_span!("request", path = "/load");
    LogContext::new().correlation_id("run-7").scope(|| span.in_scope(load));
    tracing::debug!("too fine for obs");

    let told = ours.take();
    // No warning that there is a subscriber already: the program has said so.
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(messages(&told)[..2], ["load started", "by tracing"]);
    for line in &told {
        assert_eq!(line["correlation_id"], "run-7", "{line}");
    }
    assert_eq!((&told[1]["path"], &told[1]["rows"]), (&"/load".into(), &5.into()));
    assert_eq!(told[1]["password"], "[REDACTED]");
    assert_eq!(messages(&theirs.take()), ["by tracing", "too fine for obs"]);

    drop(guard);
    tracing::info!("after obs has ended");
    assert_eq!((messages(&ours.take()).len(), messages(&theirs.take())), (0, vec!["after obs has ended"]));
}
