//! How much is sent: as much as the server says, and as a person can read.

use obs_tests::servers::{Answer, SentryServer};
use serde_json::Value;

use super::job;

#[test]
fn what_the_server_says_of_limits_is_honoured_and_what_is_dropped_for_it_is_reported() {
    for (name, value) in [("Retry-After", "3"), ("X-Sentry-Rate-Limits", "3:error;session;monitor:organization")] {
        let server = SentryServer::start();
        // The check-in and the session of the start come first.
        let refused = Answer { status: 429, headers: vec![(name, value.to_owned())] };
        server.answer([Answer { status: 200, headers: Vec::new() }, refused]);
        let ended = job(&server, "patient").run();
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        let events = server.items("event");
        // The error is told when its way is over, which is after the limit too.
        let said: Vec<_> = events.iter().filter_map(|event| event["logentry"]["message"].as_str()).collect();
        assert_eq!(
            (&said[..], events.len()),
            (&["after the limit"][..], 2),
            "{name}: what the limit forbids is not sent"
        );
        let reports: Vec<Value> = server.items("client_report");
        let dropped: Vec<&Value> =
            reports.iter().flat_map(|report| report["discarded_events"].as_array().unwrap()).collect();
        let errors: u64 = dropped
            .iter()
            .filter(|dropped| dropped["category"] == "error" && dropped["reason"] == "ratelimit_backoff")
            .map(|dropped| dropped["quantity"].as_u64().unwrap())
            .sum();
        assert_eq!(errors, 1, "{name}: {dropped:?}");
        assert!(ended.stdout.contains("dropped rate_limited 2"), "{name}: {ended:?}");
    }
}

#[test]
fn a_storm_is_told_by_its_first_errors_and_by_their_number() {
    let server = SentryServer::start();
    let ended = job(&server, "storm").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let events = server.items("event");
    let said = |event: &&Value| event["exception"]["values"][0]["value"] == "asked to fail";
    let storm: Vec<_> = events.iter().filter(said).collect();
    let left_out: u64 = storm.iter().map(|event| event["extra"]["left_out_before"].as_u64().unwrap_or_default()).sum();
    assert!((21..40).contains(&storm.len()), "{} events, {:?}", storm.len(), ended.duration);
    assert_eq!(storm.len() as u64 + left_out, 100_001);
    assert!(storm.last().unwrap()["extra"]["left_out_before"].as_u64() > Some(0), "{ended:?}");
    assert!(ended.stdout.contains(&format!("left out {left_out}\n")), "{ended:?}");
}
