//! Rate limits of the server and of obs.

use obs_tests::servers::{Answer, SentryServer};
use serde_json::Value;

use super::job;

#[test]
fn rate_limits_of_the_server_are_honoured_and_drops_are_reported() {
    for (name, value) in [("Retry-After", "5"), ("X-Sentry-Rate-Limits", "5:error;session;monitor:organization")] {
        let server = SentryServer::start();
        // The job waits for the refusal of its first check-in before it captures anything.
        server.answer_once("check_in", Answer { status: 429, headers: vec![(name, value.to_owned())] });
        let ended = job(&server, "patient").run();
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        let events = server.items("event");
        // The error is sent when the command ends, after the limit.
        let messages: Vec<_> = events.iter().filter_map(|event| event["logentry"]["message"].as_str()).collect();
        assert_eq!((&messages[..], events.len()), (&["after the limit"][..], 2), "{name}: nothing else is sent");
        let reports: Vec<Value> = server.items("client_report");
        let dropped: Vec<&Value> =
            reports.iter().flat_map(|report| report["discarded_events"].as_array().unwrap()).collect();
        let errors: u64 = dropped
            .iter()
            .filter(|dropped| dropped["category"] == "error" && dropped["reason"] == "ratelimit_backoff")
            .map(|dropped| dropped["quantity"].as_u64().unwrap())
            .sum();
        assert_eq!(errors, 1, "{name}: {dropped:?}");
        // The refused envelope and the first message.
        let dropped =
            ended.stdout.lines().find_map(|line| line.strip_prefix("dropped rate_limited ")?.parse::<u64>().ok());
        assert!(dropped >= Some(2), "{name}: {ended:?}");
    }
}

#[test]
fn repeated_errors_are_sent_at_a_limited_rate_with_the_number_left_out() {
    let server = SentryServer::start();
    let ended = job(&server, "storm").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let events = server.items("event");
    let is_repeated = |event: &&Value| event["exception"]["values"][0]["value"] == "asked to fail";
    let sent: Vec<_> = events.iter().filter(is_repeated).collect();
    let left_out: u64 = sent.iter().map(|event| event["extra"]["left_out_before"].as_u64().unwrap_or_default()).sum();
    // Twenty at once, and then one in five seconds.
    let most = 22 + usize::try_from(ended.duration.as_secs() / 5).unwrap();
    assert!((21..=most).contains(&sent.len()), "{} events in {:?}", sent.len(), ended.duration);
    assert_eq!(sent.len() as u64 + left_out, 100_001);
    assert!(sent.last().unwrap()["extra"]["left_out_before"].as_u64() > Some(0), "{ended:?}");
    assert!(ended.stdout.contains(&format!("left out {left_out}\n")), "{ended:?}");
}
