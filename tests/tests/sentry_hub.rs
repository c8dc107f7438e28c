//! Events of sentry's own functions go through the client of obs: redacted, queued and flushed.
#![cfg(unix)]

use std::time::Duration;

use obs_runtime::{Observability, Secret};
use obs_tests::servers::SentryServer;

#[test]
fn the_main_hub_has_the_client_of_obs_as_long_as_it_is_initialised() {
    let server = SentryServer::slow(Duration::from_millis(300));
    let builder = || {
        Observability::builder()
            .without_environment()
            .prometheus_port(0)
            .sentry_enabled(true)
            .sentry_dsn(Secret::new(server.dsn()))
            .flush_timeout(Duration::from_secs(30))
            .log_level(obs_runtime::Level::Critical)
    };
    let guard = builder().init().unwrap();
    sentry::configure_scope(|scope| scope.set_extra("password", "hunter2".into()));
    let id = sentry::capture_message("mail ada@example.com failed", sentry::Level::Warning);
    assert_eq!(server.items("event").len(), 0, "the caller does not wait for the server");
    std::thread::spawn(|| sentry::capture_message("on another thread", sentry::Level::Info)).join().unwrap();
    drop(guard);
    let events = server.items("event");
    let text = serde_json::Value::from(events.clone()).to_string();
    assert_eq!(events.len(), 2, "{text}");
    assert!(!text.contains("hunter2") && !text.contains("ada@example.com") && text.contains("failed"), "{text}");
    assert!(events.iter().any(|event| event["event_id"].as_str().unwrap().replace('-', "") == id.simple().to_string()));
    assert!(sentry::Hub::main().client().is_none(), "the client is gone with the guard");

    let guard = builder().sentry_hub(false).init().unwrap();
    assert!(sentry::Hub::main().client().is_none());
    drop(guard);
}
