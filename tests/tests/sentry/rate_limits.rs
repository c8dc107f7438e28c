//! Rate limits of the server and of obs.

use obs_tests::process::Process;
use obs_tests::servers::{Answer, SentryServer};
use obs_tests::wait;
use serde_json::Value;

use super::job;

/// A job whose first check-in is answered by 429 with this header.
fn limited(server: &SentryServer, way: &str, header: (&'static str, &str)) -> Process {
    let (name, value) = header;
    server.answer_once("check_in", Answer { status: 429, headers: vec![(name, value.to_owned())] });
    job(server, way)
}

#[test]
fn nothing_is_sent_while_the_server_limits_the_rate_and_drops_are_counted() {
    for header in [("Retry-After", "3600"), ("X-Sentry-Rate-Limits", "3600:error;session:organization")] {
        let server = SentryServer::start();
        let ended = limited(&server, "limited", header).run();
        assert_eq!(ended.code(), Some(0), "{header:?}: {ended:?}");
        assert_eq!(server.items("event"), Vec::<Value>::new(), "{header:?}");
        let status = ended.stdout.lines().find_map(|line| line.strip_prefix("sentry ")).unwrap();
        let status: Value = serde_json::from_str(status).unwrap();
        // The check-in, the message and the error.
        assert!(status["dropped"]["rate_limited"].as_u64() >= Some(3), "{header:?}: {status}");
    }
}

#[test]
fn the_server_is_informed_of_the_items_that_its_limits_have_dropped() {
    let server = SentryServer::start();
    // The closing check-in is not limited, and the report is sent with it.
    let header = ("X-Sentry-Rate-Limits", "3600:error;session:organization");
    let ended = limited(&server, "limited", header).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let reports = server.items("client_report");
    let dropped: Vec<&Value> =
        reports.iter().flat_map(|report| report["discarded_events"].as_array().unwrap()).collect();
    let of_errors = dropped.iter().filter(|dropped| dropped["category"] == "error");
    let by_limits = of_errors.filter(|dropped| dropped["reason"] == "ratelimit_backoff");
    let errors: u64 = by_limits.map(|dropped| dropped["quantity"].as_u64().unwrap()).sum();
    assert_eq!(errors, 2, "{dropped:?}");
}

#[test]
fn events_are_sent_again_after_the_limit() {
    for header in [("Retry-After", "1"), ("X-Sentry-Rate-Limits", "1:error;session;monitor:organization")] {
        let server = SentryServer::start();
        let mut job = limited(&server, "recovers", header).start();
        let is_after = |event: &Value| event["logentry"]["message"] == "after the limit";
        wait::until_true("an event after the limit", || server.items("event").iter().any(is_after));
        job.write_line("enough");
        let ended = job.finish();
        assert_eq!(ended.code(), Some(0), "{header:?}: {ended:?}");
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
