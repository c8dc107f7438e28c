//! What a cost alert says: the truth, with its reason and the name of its budget.

use std::path::Path;

use obs_tests::process::Process;
use serde_json::Value;

use crate::support::{TIB, server_with_bytes};

/// The cost alert of a process that runs one query under the budget `shared`.
fn alert(budgets: &str, state: &Path) -> Value {
    let server = server_with_bytes(TIB);
    let mut running = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .env("BIGQUERY_EMULATOR_HOST", server.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("OBS_BUDGETS", budgets)
        .env("OBS_STATE_DIR", state)
        .env("PROMETHEUS_PORT", "0")
        .start();
    std::io::Write::write_all(running.stdin.as_mut().unwrap(), b"limited\n").unwrap();
    let ended = running.finish();
    assert!(ended.stdout.contains("refused "), "{ended:?}");
    let log = ended.log();
    let mut alerts = log.iter().filter(|line| line["threshold_usd"].is_number() || line["reason"].is_string());
    let alert = alerts.next().unwrap_or_else(|| panic!("no alert: {log:#?}")).clone();
    assert_eq!(alerts.next(), None);
    alert
}

#[test]
fn an_alert_of_a_budget_names_it_and_says_what_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let alert = alert("shared=5USD/day", folder.path());
    let message = alert["message"].as_str().unwrap();
    assert!(message.starts_with("limited would cost 6.250000 USD, which is over what is left of the budget `shared`"));
    assert!(message.ends_with(": $0.000000 of $5 are used"), "{message}");
    assert_eq!(
        (&alert["reason"], &alert["budget"], &alert["threshold_usd"]),
        (&"budget".into(), &"shared".into(), &5.0.into())
    );
}

#[test]
fn an_undefined_budget_is_not_reported_as_passed() {
    let folder = tempfile::tempdir().unwrap();
    let alert = alert("other=5USD/day", folder.path());
    let message = alert["message"].as_str().unwrap();
    assert!(
        message.ends_with("there is no budget `shared`: define it, as OBS_BUDGETS=\"shared=50USD/day\""),
        "{message}"
    );
    assert_eq!((&alert["reason"], &alert["budget"]), (&"budget_undefined".into(), &"shared".into()));
    assert!(alert["threshold_usd"].is_null(), "{alert}");
}

#[test]
fn a_state_folder_that_cannot_be_written_is_not_reported_as_a_passed_budget() {
    let alert = alert("shared=5USD/day", obs_tests::faults::read_only_folder());
    let message = alert["message"].as_str().unwrap();
    assert!(message.contains("the budget `shared` cannot be read or written: /proc/self/fdinfo"), "{message}");
    assert_eq!((&alert["reason"], &alert["budget"]), (&"budget_unavailable".into(), &"shared".into()));
    assert!(alert["threshold_usd"].is_null(), "{alert}");
}
