//! The lines of a program, of its libraries and of its own layers: one subscriber for all. One test, as a process has one.

use std::sync::{Arc, Mutex};

use obs_runtime::{LogContext, LogOutput, Observability};
use serde_json::Value;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// A layer of the program's own.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Seen {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        self.0.lock().unwrap().push(event.metadata().level().to_string());
    }
}

#[test]
fn layers_of_the_program_and_lines_of_libraries_come_together() {
    let lines = Arc::<Mutex<Vec<Value>>>::default();
    let kept = Arc::clone(&lines);
    let seen = Seen::default();
    let guard = Observability::builder()
        .without_environment()
        .log_level("info,noisy=off".parse::<obs_runtime::LogFilter>().unwrap())
        .log_output(LogOutput::new(move |line| {
            kept.lock().unwrap().push(serde_json::from_slice(line).unwrap());
            Ok(())
        }))
        .layer(seen.clone())
        .prometheus_port(0)
        .init()
        .unwrap();
    let said = || std::mem::take(&mut *lines.lock().unwrap());
    LogContext::new().correlation_id("run-7").user("ann").field("tenant", "acme").scope(|| {
        let span = tracing::info_span!("request", path = "/load");
        let _inside = span.enter();
        tracing::info!(rows = 5, "by tracing");
        tracing::debug!("too fine for obs");
        log::warn!(target: "old::library", "by {}", "log");
        log::info!("by log");
        log::debug!("too fine for obs");
        log::error!(target: "noisy", "never");
    });
    let told = said();
    let messages: Vec<_> = told.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["by tracing", "by log", "by log"]);
    for line in &told {
        assert_eq!((&line["correlation_id"], &line["user"]), (&"run-7".into(), &"ann".into()), "{line}");
        assert_eq!((&line["tenant"], &line["path"]), (&"acme".into(), &"/load".into()), "{line}");
        assert!(
            line["file"].as_str().is_some_and(|file| file.ends_with("layers.rs")) && line["line"].is_u64(),
            "{line}"
        );
    }
    assert_eq!((&told[1]["logger"], &told[1]["level"]), (&"old::library".into(), &"WARNING".into()));
    assert_eq!((&told[2]["logger"], &told[2]["module"]), (&"layers".into(), &"layers".into()));
    // The program's layer has no filter, and gets what obs does not want.
    let seen = std::mem::take(&mut *seen.0.lock().unwrap());
    assert_eq!(seen, ["INFO", "DEBUG", "WARN", "INFO", "DEBUG", "ERROR"]);

    // The level changes while the program runs, for libraries too.
    guard.log_level().set(obs_runtime::Level::Debug);
    tracing::debug!("by tracing");
    log::debug!("by log");
    guard.log_level().set(obs_runtime::Level::Error);
    tracing::warn!("no more");
    log::warn!("no more");
    let told = said();
    assert_eq!(told.iter().map(|line| line["level"].as_str().unwrap()).collect::<Vec<_>>(), ["DEBUG", "DEBUG"]);
}
