//! Bodies for Datadog's API, by the models of Datadog's own client. A program of its own: the metrics of a process are shared by its tests.

#[path = "real_prometheus/all_families.rs"]
mod all_families;

use std::time::Duration;

use all_families::{HOSTILE, always_fails, work};

use obs_runtime::{Level, Observability, Secret, health_check, tracked_command};
use obs_tests::datadog_client;
use obs_tests::exclusive;
use obs_tests::servers::{API_KEY, DatadogApi};
use serde_json::{Value, json};

#[health_check]
fn warehouse() -> Result<(), String> {
    Err(HOSTILE.to_owned())
}

#[tracked_command]
fn fails_with(message: &str) -> Result<(), String> {
    Err(message.to_owned())
}

#[test]
fn datadogs_client_knows_every_body_of_every_family() {
    let _exclusive = exclusive::lock();
    let api = DatadogApi::start();
    let guard = Observability::builder()
        .without_environment()
        .service_name("etl 1")
        .log_level(Level::Critical)
        .prometheus_port(0)
        .datadog_enabled(true)
        .datadog_agentless(true)
        .datadog_api_key(Secret::new(API_KEY.to_owned()))
        .datadog_url(api.url())
        .datadog_interval(Duration::from_hours(1))
        .datadog_command_events(true)
        .flush_timeout(Duration::from_mins(1))
        .init()
        .unwrap();
    work(HOSTILE);
    assert!(always_fails().is_err() && fails_with(HOSTILE).is_err());
    obs_runtime::run_health_checks().wait();
    drop(guard);
    let accepted = api.accepted();
    for path in ["/api/v2/series", "/api/v1/distribution_points", "/api/v1/check_run", "/api/v1/events"] {
        assert!(accepted.iter().any(|request| request.path == path), "{path}");
    }
    let bodies = accepted.iter().map(|request| (&*request.path, &request.body));
    assert_eq!(datadog_client::remarks(bodies), [""; 0]);
}

#[test]
fn datadogs_client_does_not_know_other_bodies() {
    let point = |timestamp: Value| json!({ "series": [{ "metric": "a", "points": [{ "timestamp": timestamp, "value": 1.5 }] }] });
    let monitor = |query: Value, options: Value| json!({ "type": "query alert", "name": "a", "query": query, "options": options });
    let target = |value: Value| json!([{ "timeframe": "30d", "target": value }]);
    let slo = |value: Value| json!({ "type": "metric", "name": "a", "query": { "numerator": "a", "denominator": "b" }, "thresholds": target(value) });
    let graph = |display: &str| {
        json!({ "response_format": "timeseries", "display_type": display, "formulas": [{ "formula": "query" }],
        "queries": [{ "data_source": "metrics", "name": "query", "query": "avg:a{*}" }] })
    };
    let widget =
        |display: &str| json!({ "definition": { "type": "timeseries", "title": "a", "requests": [graph(display)] } });
    let dashboard = |display: &str| {
        json!({ "title": "a", "layout_type": "ordered", "widgets": [{ "definition": {
        "type": "group", "layout_type": "ordered", "title": "b", "widgets": [widget(display)] } }] })
    };
    let check = |status: u8| json!([{ "check": "a", "host_name": "", "status": status, "tags": [] }]);
    for (path, known, unknown) in [
        ("/api/v2/series", point(7.into()), point("7".into())),
        ("/api/v1/check_run", check(3), check(4)),
        ("/api/v1/events", json!({ "title": "a", "text": "b" }), json!({ "title": "a", "text": "b", "other": 1 })),
        ("monitor", monitor("a".into(), json!({})), monitor(1.into(), json!({}))),
        ("monitor", monitor("a".into(), json!({ "thresholds": {} })), monitor("a".into(), json!({ "threshold": {} }))),
        ("slo", slo(99.5.into()), slo("99.5".into())),
        ("dashboard", dashboard("bars"), dashboard("bar")),
        (
            "/api/v1/distribution_points",
            json!({ "series": [{ "metric": "a", "points": [[7, [1.5]]] }] }),
            json!({ "series": [{ "metric": "a", "points": [[7, ["1.5"]]] }] }),
        ),
    ] {
        assert_eq!(datadog_client::remarks([(path, &known)]), [""; 0], "{known}");
        assert_ne!(datadog_client::remarks([(path, &unknown)]), [""; 0], "{unknown}");
    }
}
