//! Events of `tracing` and of the crate `log` reach obs and the program's own layers. One test, because a process has one
//! subscriber.

use std::sync::{Arc, Mutex};

use obs_runtime::{LogContext, Observability};
use obs_tests::logs::{self, MemoryLog};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// A layer of the program, which keeps the level of each event.
#[derive(Clone, Default)]
struct Levels(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Levels {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        self.0.lock().unwrap().push(event.metadata().level().to_string());
    }
}

#[test]
fn events_of_libraries_reach_obs_and_the_layers_of_the_program() {
    let log = MemoryLog::default();
    let levels = Levels::default();
    let guard = Observability::builder()
        .without_environment()
        .log_level("info,noisy=off".parse::<obs_runtime::LogFilter>().unwrap())
        .log_output(log.output())
        .layer(levels.clone())
        .prometheus_port(0)
        .init()
        .unwrap();
    LogContext::new().correlation_id("run-7").user("ann").field("tenant", "acme").scope(|| {
        let span = tracing::info_span!("request", path = "/load");
        let _inside = span.enter();
        tracing::info!(rows = 5, "by tracing");
        tracing::debug!("below the level of obs");
        log::warn!(target: "old::library", "by {}", "log");
        log::info!("by log");
        log::debug!("below the level of obs");
        log::error!(target: "noisy", "filtered out");
    });
    let lines = log.take();
    assert_eq!(logs::messages(&lines), ["by tracing", "by log", "by log"]);
    for line in &lines {
        assert_eq!((&line["correlation_id"], &line["user"]), (&"run-7".into(), &"ann".into()), "{line}");
        assert_eq!((&line["tenant"], &line["path"]), (&"acme".into(), &"/load".into()), "{line}");
        assert!(
            line["file"].as_str().is_some_and(|file| file.ends_with("tracing_layers.rs")) && line["line"].is_u64(),
            "{line}"
        );
    }
    assert_eq!((&lines[1]["logger"], &lines[1]["level"]), (&"old::library".into(), &"WARNING".into()));
    assert_eq!((&lines[2]["logger"], &lines[2]["module"]), (&"tracing_layers".into(), &"tracing_layers".into()));
    // The program's layer has no filter and gets all events.
    let levels = std::mem::take(&mut *levels.0.lock().unwrap());
    assert_eq!(levels, ["INFO", "DEBUG", "WARN", "INFO", "DEBUG", "ERROR"]);

    fields_that_are_named_like_those_of_the_bridge_are_kept(&log);

    // The level can be changed at run time, for libraries too.
    guard.log_level().set(obs_runtime::Level::Debug);
    tracing::debug!("by tracing");
    log::debug!("by log");
    guard.log_level().set(obs_runtime::Level::Error);
    tracing::warn!("below the level");
    log::warn!("below the level");
    let lines = log.take();
    assert_eq!(lines.iter().map(|line| line["level"].as_str().unwrap()).collect::<Vec<_>>(), ["DEBUG", "DEBUG"]);
}

fn fields_that_are_named_like_those_of_the_bridge_are_kept(log: &MemoryLog) {
    let span = tracing::info_span!("rotation", log.rotations = 3);
    let _inside = span.enter();
    tracing::info!(log.path = "/var/log/app", log.target = "t", log.file = "f", log.line = 7, "by tracing");
    tracing::info!(target: "log", { log.module_path = "m", log.file = "f" }, "with the target of the bridge");
    log::info!("by log");
    let lines = log.take();
    let (own, target, bridge) = (&lines[0], &lines[1], &lines[2]);
    for (name, value) in [("log.path", "/var/log/app"), ("log.target", "t"), ("log.file", "f")] {
        assert_eq!(own[name], value, "{own}");
    }
    assert_eq!((&own["log.line"], &own["logger"]), (&7.into(), &"tracing_layers".into()), "{own}");
    assert!(own["file"].as_str().is_some_and(|file| file.ends_with("tracing_layers.rs")), "{own}");
    assert_eq!((&target["log.module_path"], &target["log.file"]), (&"m".into(), &"f".into()), "{target}");
    assert_eq!((&target["logger"], &target["module"]), (&"log".into(), &"tracing_layers".into()), "{target}");
    let of_bridge = |name: &&String| name.starts_with("log.");
    let kept: Vec<&String> = bridge.as_object().unwrap().keys().filter(of_bridge).collect();
    assert_eq!(kept, ["log.rotations"], "{bridge}");
}
