//! A server that cannot be reached or accepts nothing: one warning, a failure in the status, no event id on the terminal.

use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::process::{Finished, Process};
use obs_tests::servers::SentryServer;
use serde_json::Value;

fn reporting_to(dsn: &str, process: Process) -> Process {
    let process = process.env("PROMETHEUS_PORT", "0").env("SENTRY_ENABLED", "true").env("SENTRY_DSN", dsn);
    process.env("OBS_FLUSH_TIMEOUT", "30s").env("SENTRY_TRACES_SAMPLE_RATE", "0")
}

/// The status of the exporter after the command has flushed.
fn status(ended: &Finished) -> Value {
    let json = ended.stdout.lines().find_map(|line| line.strip_prefix("sentry "));
    serde_json::from_str(json.unwrap_or_else(|| panic!("no status: {ended:?}"))).unwrap()
}

/// What a person reads on the terminal.
fn on_a_terminal(dsn: &str) -> String {
    let command = format!("exec '{}' error", env!("CARGO_BIN_EXE_errors-job"));
    let ended = reporting_to(dsn, Process::on_a_terminal(&command)).env("LOG_LEVEL", "off").run();
    let summary = ended.stdout.lines().find(|line| line.contains("error:") && line.contains("correlation id"));
    summary.unwrap_or_else(|| panic!("no summary: {ended:?}")).to_owned()
}

#[test]
fn a_server_that_is_dead_or_refuses_is_a_failure_everywhere() {
    let answer = |status| Fault::Answer(status, Vec::new(), "{\"detail\":\"no\"}".to_owned());
    let cases = [
        (Fault::Refuse, "cannot be reached", "SENTRY_DSN", "network"),
        (answer(401), "rejects the DSN (401)", "SENTRY_DSN", "refused"),
        (answer(403), "rejects the DSN (403)", "SENTRY_DSN", "refused"),
        (answer(413), "too large (413)", "fields", "refused"),
        (Fault::too_many_requests(60), "limits the rate (429)", "quota", "rate_limited"),
        (answer(500), "answers 500", "the server", "refused"),
        (Fault::web_page(), "answers with a web page", "SENTRY_DSN", "refused"),
    ];
    let check = |(fault, cause, advice, reason): (Fault, &str, &str, &str)| {
        let server = FaultyServer::start(fault.clone());
        let dsn = format!("http://0123456789abcdef@{}/42", server.address());
        let job = Process::new(env!("CARGO_BIN_EXE_errors-job")).args(&["error"]);
        let ended = reporting_to(&dsn, job).env("LOG_LEVEL", "WARNING").run();
        assert_eq!(ended.code(), Some(1), "{fault:?}: {ended:?}");
        let warnings: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("Sentry at")).collect();
        assert!(warnings.len() == 1 && warnings[0].contains(cause) && warnings[0].contains(advice), "{ended:?}");
        let status = status(&ended);
        assert!(status["failure"].as_str().is_some_and(|failure| failure.contains(cause)), "{fault:?}: {status}");
        assert_eq!(status["last_success"], Value::Null, "{fault:?}: {status}");
        let dropped = status["dropped"].as_object().unwrap();
        assert!(dropped.len() == 1 && dropped[reason].as_u64() >= Some(3), "{fault:?}: {status}");
        let line = on_a_terminal(&dsn);
        assert!(line.contains("not sent: ") && line.contains(cause), "{fault:?}: {line}");
        assert!(!line.contains("Sentry event"), "{fault:?}: {line}");
    };
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || check(case));
        }
    });
}

#[test]
fn an_event_that_was_accepted_is_named_on_the_terminal() {
    let server = SentryServer::start();
    let line = on_a_terminal(&server.dsn());
    let id = line.split("Sentry event ").nth(1).map(|rest| rest.trim_end().trim_end_matches(')'));
    let ids: Vec<_> = server.items("event").iter().map(|event| event["event_id"].to_string()).collect();
    assert!(id.is_some_and(|id| ids.iter().any(|sent| sent.replace('-', "").contains(id))), "{line}: {ids:?}");
    let ended = reporting_to(&server.dsn(), Process::new(env!("CARGO_BIN_EXE_errors-job")).args(&["return"])).run();
    let status = status(&ended);
    assert!(status["failure"].is_null() && status["last_success"].is_string(), "{status}");
    assert_eq!(status["dropped"], serde_json::json!({}), "{status}");
}
