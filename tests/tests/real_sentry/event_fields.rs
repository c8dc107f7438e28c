//! The fields of events.

use obs_tests::sentry_relay;
use obs_tests::servers::Bugsink;
use serde_json::{Value, json};

use super::run;

pub fn events_have_all_their_fields(bugsink: &Bugsink) {
    let (ended, project) = run(bugsink, "return");
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let events = bugsink.events(&project, 2);
    let [error, message] = &events[..] else { panic!("{events:#?}") };
    error_event(error);
    message_event(message);
    assert_eq!(sentry_relay::remarks(&events), Vec::<String>::new());
    assert_eq!(bugsink.issues(&project).len(), 2);
}

fn error_event(event: &Value) {
    let exceptions = event["exception"]["values"].as_array().unwrap();
    let captured: Vec<_> =
        exceptions.iter().map(|one| (one["type"].as_str().unwrap(), one["value"].as_str().unwrap())).collect();
    assert_eq!(captured, [("ParseIntError", "invalid digit found in string"), ("LoadError", "row 9 is bad")]);
    assert_eq!(event["fingerprint"], json!(["bad_row", "errors_job::parse_row"]));
    assert_eq!(exceptions[1]["mechanism"]["handled"], true);
    frames(&exceptions[1]["stacktrace"]["frames"]);
    let expected = json!({
        "level": null, "environment": "test", "release": "errors-job@1.2.3", "transaction": "errors-job",
        "user": { "id": "ada" },
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&event[key], value, "{key}: {event:#}");
    }
    for (name, value) in [
        ("operation", "parse_row"),
        ("error_type", "bad_row"),
        ("command", "errors-job"),
        ("format", "csv"),
        ("team", "growth"),
        ("seen_last", "yes"),
    ] {
        assert_eq!(event["tags"][name], value, "{name}: {:#}", event["tags"]);
    }
    assert!(event["tags"]["correlation_id"].as_str().is_some_and(|id| !id.is_empty()));
    let contexts = &event["contexts"];
    // Sentry's client marks custom contexts with the type `unknown`.
    assert_eq!(contexts["parse_row"], json!({ "row": 9, "format": "csv", "type": "unknown" }));
    assert_eq!(contexts["load_file"]["file"], "users.csv");
    assert_eq!(contexts["load_day"]["day"], "monday");
    assert_eq!(contexts["scope"]["region"], "eu");
    let crumbs: Vec<_> = event["breadcrumbs"]["values"].as_array().unwrap().iter().collect();
    let messages: Vec<_> = crumbs.iter().map(|crumb| crumb["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["the manifest is read", "GET /users.csv"]);
    assert_eq!((&crumbs[0]["data"]["rows"], &crumbs[1]["category"]), (&json!(3), &json!("http")));
    assert!(event["server_name"].as_str().is_some_and(|name| !name.is_empty()), "{event:#}");
    assert!(event["logger"].as_str().is_some_and(|logger| logger.starts_with("errors_job")), "{}", event["logger"]);
}

/// The program's own frames are marked `in_app`; those of obs are not.
fn frames(frames: &Value) {
    let frames = frames.as_array().unwrap();
    let name = |frame: &Value| frame["function"].as_str().unwrap_or_default().to_owned();
    let top = frames.last().unwrap();
    assert!(name(top).contains("errors_job::parse_row") && top["in_app"] == true, "{:#?}", &frames[frames.len() - 4..]);
    assert!(top["lineno"].as_u64().is_some() && top["filename"] == "errors-job.rs", "{top:#}");
    let path = |frame: &Value| frame["abs_path"].as_str().unwrap_or_default().to_owned();
    let own: Vec<_> = frames.iter().filter(|frame| frame["in_app"] == true).collect();
    assert!(own.len() >= 4 && own.iter().all(|frame| path(frame).ends_with("errors-job.rs")), "{frames:#?}");
    let ours: Vec<_> = frames.iter().filter(|frame| path(frame).contains("/obs-runtime/")).collect();
    assert!(ours.len() > 2 && ours.iter().all(|frame| frame["in_app"] == false), "{frames:#?}");
}

fn message_event(event: &Value) {
    assert_eq!(event["logentry"]["message"], "the feed of 2026-11-26 is empty");
    assert_eq!((&event["level"], &event["tags"]["operation"]), (&json!("warning"), &json!("errors-job")));
    assert_eq!(event["fingerprint"], json!(["message", "the feed of # is empty"]));
    let crumbs = event["breadcrumbs"]["values"].as_array().unwrap();
    assert!(
        crumbs.iter().any(|crumb| crumb["message"] == "a day is left out" && crumb["level"] == "error"),
        "{crumbs:#?}"
    );
}
