//! What events say of users, releases, contexts, breadcrumbs and loggers.

use obs_tests::process::{Finished, Process};
use obs_tests::sentry_relay;
use obs_tests::servers::SentryServer;
use serde_json::{Value, json};

use super::reporting_to;

fn process(server: &SentryServer, scene: &str) -> Process {
    reporting_to(server, Process::new(env!("CARGO_BIN_EXE_scenes")).args(&[scene]))
}

/// The events of a scene.
fn events(scene: &str) -> Vec<Value> {
    let server = SentryServer::start();
    let ended = process(&server, scene).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    server.items("event")
}

#[test]
fn users_are_told_apart_without_being_named() {
    let events = events("users");
    let ids: Vec<_> = events.iter().map(|event| event["user"]["id"].as_str().unwrap()).collect();
    let [ada, bob, again, known] = ids[..] else { panic!("{ids:?}") };
    assert!(ada == again && ada != bob && ada.len() == 16, "{ids:?}");
    assert!(!json!(events[..3]).to_string().contains("example.com"));
    let user = json!({"id": known, "username": "Ada", "email": "ada@example.com", "ip_address": "203.0.113.7"});
    assert_eq!((known, &events[3]["user"]), ("1815", &user));
}

#[test]
fn a_user_is_the_same_in_all_processes_with_the_same_key() {
    let id_of = |key: &str| {
        let server = SentryServer::start();
        let _ = process(&server, "users").env("OBS_REDACTION_KEY", key).run();
        server.items("event")[0]["user"]["id"].clone()
    };
    assert_eq!(id_of("a key of sixteen characters"), id_of("a key of sixteen characters"));
    assert_ne!(id_of("a key of sixteen characters"), id_of("another key, which is longer"));
}

#[test]
fn the_release_is_that_of_the_crate_or_none() {
    let release = |scene: &str| events(scene)[0].get("release").cloned();
    assert_eq!(release("init"), Some(format!("scenes@{}", env!("CARGO_PKG_VERSION")).into()));
    assert_eq!(release("by-hand"), None, "one release for all versions would say nothing");
}

#[test]
fn each_call_of_a_recursive_function_has_its_context() {
    let events = events("recursion");
    let contexts = &events[0]["contexts"];
    for (name, depth) in [("recursive", 3), ("recursive (2)", 2), ("recursive (3)", 1), ("recursive (4)", 0)] {
        assert_eq!(contexts[name]["depth"], depth, "{name}: {contexts:#}");
    }
}

#[test]
fn long_tags_do_not_collide() {
    let events = events("tags");
    let tags = events[0]["tags"].as_object().unwrap();
    let long: Vec<_> = tags.iter().filter(|(name, _)| name.starts_with("a_name_that")).collect();
    assert!(long.len() == 2 && long.iter().all(|(name, _)| name.len() == 32), "{tags:?}");
}

#[test]
fn an_event_has_the_owner_and_the_runbook_of_its_function() {
    let events = events("tags");
    assert_eq!(events[0]["tags"]["owner"], "growth", "{events:#?}");
    let ownership = &events[0]["contexts"]["ownership"];
    assert_eq!((&ownership["owner"], &ownership["runbook"]), (&json!("growth"), &json!("https://wiki.example/tagged")));
}

#[test]
fn an_event_has_no_breadcrumbs_of_other_runs() {
    let events = events("breadcrumbs");
    let messages = |event: &Value| -> Vec<String> {
        let crumbs = event["breadcrumbs"]["values"].as_array().into_iter().flatten();
        crumbs.map(|crumb| crumb["message"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(messages(&events[0]), ["of no run"]);
    assert_eq!(messages(&events[1])[..2], ["of another run", "of no run"]);
}

#[test]
fn an_event_is_never_larger_than_sentry_accepts() {
    let events = events("large");
    let size = events[0].to_string().len();
    assert!(size < 1_000_000 && events[0]["tags"]["shortened"] == "true", "{size}");
    assert!(events[0]["breadcrumbs"]["values"].as_array().unwrap().len() >= 10);
    assert_eq!(sentry_relay::remarks(&events), Vec::<String>::new());
}

#[test]
fn the_logger_of_a_capture_by_a_call_is_the_module_of_its_file() {
    assert_eq!(events("by-hand")[0]["logger"], "scenes");
}

#[test]
fn a_share_of_the_errors_is_sent_and_the_rest_is_reported() {
    let server = SentryServer::start();
    let _ = process(&server, "many").env("SENTRY_SAMPLE_RATE", "0").run();
    assert_eq!(server.items("event"), Vec::<Value>::new());
    let reports = server.items("client_report");
    let discarded: Vec<_> = reports.iter().flat_map(|report| report["discarded_events"].as_array().unwrap()).collect();
    assert!(discarded.iter().all(|item| item["reason"] == "sample_rate" && item["category"] == "error"));
    let quantity: u64 = discarded.iter().map(|item| item["quantity"].as_u64().unwrap()).sum();
    assert_eq!(quantity, 20, "{reports:?}");
}

fn warnings(ended: &Finished, words: &str) -> usize {
    ended.stderr.lines().filter(|line| line.contains(words)).count()
}

#[test]
fn a_dsn_that_has_no_effect_is_warned_of_once() {
    let server = SentryServer::start();
    let run = |enabled: Option<&str>| {
        let process = Process::new(env!("CARGO_BIN_EXE_scenes")).args(&["by-hand"]);
        let process = process.env("PROMETHEUS_PORT", "0").env("SENTRY_DSN", server.dsn());
        enabled.into_iter().fold(process, |process, enabled| process.env("SENTRY_ENABLED", enabled)).run()
    };
    assert_eq!(warnings(&run(None), "SENTRY_DSN has no effect without SENTRY_ENABLED"), 1);
    assert_eq!(warnings(&run(Some("false")), "SENTRY_DSN has no effect"), 0);
    assert_eq!(server.bodies().len(), 0);
}

#[test]
fn the_build_is_sent_and_deliveries_are_logged_on_request() {
    let server = SentryServer::start();
    let run = |debug: &str| {
        let process = process(&server, "by-hand").env("SENTRY_DIST", "4711").env("SENTRY_DEBUG", debug);
        process.env("LOG_LEVEL", "INFO").run()
    };
    assert_eq!(warnings(&run("false"), "the server has accepted an envelope"), 0);
    assert_eq!(warnings(&run("true"), "the server has accepted an envelope"), 1);
    assert!(server.items("event").iter().all(|event| event["dist"] == "4711"));
}

#[test]
fn a_capture_and_a_context_say_more_of_an_error() {
    let events = events("builder");
    let [built, grouped, further, of_tenant] = &events[..] else { panic!("{events:#?}") };
    assert_eq!((&built["level"], &built["tags"]["feed"]), (&json!("warning"), &json!("users")));
    assert_eq!(built["fingerprint"], json!(["bad row", "users"]));
    assert_eq!(built["contexts"]["unknown"]["row"], 17, "{built:#}");
    assert_eq!(grouped["fingerprint"], json!(["billing", "orders"]));
    assert_eq!(further["fingerprint"], json!(["Bad", "scenes::grouped_further", "0"]));
    assert_eq!((&of_tenant["level"], &of_tenant["tags"]["tenant"]), (&json!("info"), &json!("acme")));
    assert_eq!(sentry_relay::remarks(&events), Vec::<String>::new());
}

#[test]
fn a_storm_hides_no_rare_error_and_its_rest_is_told_at_the_end() {
    let events = events("storm");
    let message = |event: &Value| event["exception"]["values"][0]["value"].as_str().unwrap().to_owned();
    assert_eq!(events.iter().filter(|event| message(event) == "ledger out of balance").count(), 1);
    let storm: Vec<_> = events.iter().filter(|event| message(event).starts_with("connection reset")).collect();
    let left_out: u64 = storm.iter().map(|event| event["extra"]["left_out_before"].as_u64().unwrap_or_default()).sum();
    assert_eq!((storm.len() as u64 + left_out, storm.len()), (999, 21));
    assert!(storm.iter().all(|event| event["fingerprint"] == storm[0]["fingerprint"]), "one issue");
}

#[test]
fn breadcrumbs_and_errors_pass_the_hooks_of_the_program() {
    let events = events("hooks");
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["exception"]["values"][0]["value"], "not ignored");
    let crumbs = events[0]["breadcrumbs"]["values"].as_array().unwrap();
    let messages: Vec<_> = crumbs.iter().map(|crumb| crumb["message"].as_str().unwrap()).collect();
    // The last three, of which one is dropped.
    assert!(messages.len() <= 3 && !messages.contains(&"secret plan") && !messages.contains(&"first"), "{messages:?}");
}

/// The types and values of the last exceptions, or the messages, of events.
fn titles(events: &[Value]) -> Vec<String> {
    let title = |event: &Value| {
        let exception = event["exception"]["values"].as_array().and_then(|values| values.last());
        let of_exception =
            |one: &Value| format!("{}: {}", one["type"].as_str().unwrap(), one["value"].as_str().unwrap());
        exception.map_or_else(|| event["logentry"]["message"].as_str().unwrap().to_owned(), of_exception)
    };
    events.iter().map(title).collect()
}

#[test]
fn a_panic_that_a_later_hook_hides_is_an_event() {
    let events = events("late-hook");
    assert_eq!(titles(&events), ["panic: no row 7", "panic: panicked", "panic: no more rows"]);
    let stack = |event: &Value| event["exception"]["values"][0]["stacktrace"]["frames"].as_array().unwrap().len();
    assert!(events.iter().all(|event| event["level"] == "fatal" && stack(event) > 1), "{events:#?}");
    assert_eq!(events[0]["extra"]["passed"], json!(["panics_inside (with_error_tracking)", "late (tracked_command)"]));
    let functions = ["scenes::panics_inside", "scenes::measured", "scenes::panics-later"];
    for (event, function) in events.iter().zip(functions) {
        assert_eq!(event["fingerprint"][1], function, "{event:#}");
    }
}

#[test]
fn logged_errors_are_events_on_request_and_one_with_their_captures() {
    let server = SentryServer::start();
    let ended = process(&server, "logs").env("SENTRY_EVENTS_FROM_LOGS", "error").env("LOG_LEVEL", "info").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let logged = server.items("event");
    let expected = [
        "the feed of 2026-11-26 is empty",
        "by log",
        "io_Error: the source",
        "Bad: logged and returned",
        "Bad: tagged",
    ];
    assert_eq!(titles(&logged), expected);
    let frame = logged[0]["threads"]["values"][0]["stacktrace"]["frames"].as_array().unwrap().last().unwrap();
    assert!(frame["function"].as_str().unwrap().ends_with("logs") && frame["in_app"] == true, "{frame:#}");
    assert_eq!(sentry_relay::remarks(&logged), Vec::<String>::new());
    assert_eq!(titles(&events("logs")), ["Bad: logged and returned", "Bad: tagged"]);
}

#[test]
fn attachments_are_sent_redacted() {
    let server = SentryServer::start();
    let _ = process(&server, "builder").run();
    assert_eq!(server.items("attachment"), [json!({"name": "rows.csv", "text": "17,x\npassword=[REDACTED]\n"})]);
}
