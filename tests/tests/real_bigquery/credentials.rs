//! Google's credentials: a service account's file, and a token that is no longer taken.

use std::io::Write as _;
use std::process::Command;

use obs_tests::process::{Process, Running};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, ScriptedBigQuery};
use obs_tests::tools;

/// A key that opens nothing, made for one test.
fn key() -> String {
    let made = Command::new(tools::program(&["openssl"]))
        .args(["genpkey", "-algorithm", "RSA", "-outform", "PEM"])
        .output()
        .unwrap();
    String::from_utf8(made.stdout).unwrap()
}

#[test]
fn a_token_that_is_no_longer_taken_is_replaced_once() {
    let server = ScriptedBigQuery::start(Behaviour { token: Some("token-1".into()), ..Behaviour::default() });
    let url = |path: &str| format!("http://{}/{path}", server.host());
    let account = serde_json::json!({
        "type": "service_account", "project_id": "of-the-file", "private_key_id": "1", "private_key": key(),
        "client_email": "nobody@p.iam.gserviceaccount.com", "client_id": "1",
        "auth_uri": url("auth"), "token_uri": url("token"),
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.json");
    std::fs::write(&file, account.to_string()).unwrap();
    let mut job = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .args(&[&url("bigquery/v2")])
        .env("GOOGLE_APPLICATION_CREDENTIALS", &file)
        .env("PROMETHEUS_PORT", "0")
        .start();
    let mut answers = 0;
    let mut query = |job: &mut Running| {
        answers += 1;
        job.stdin.as_mut().unwrap().write_all(b"free\n").unwrap();
        job.wait_for_outputs("an answer", |said| said.lines().count() == answers + 1);
    };
    query(&mut job);
    server.change(|behaviour| behaviour.token = Some("token-2".into()));
    query(&mut job);
    assert_eq!((server.requests(Call::Token).len(), server.jobs()), (2, 2));
    // No token that can be had is taken: that is told, and not asked for ever.
    server.change(|behaviour| behaviour.token = Some("none".into()));
    query(&mut job);
    assert_eq!((server.requests(Call::Token).len(), server.jobs()), (3, 2));
    let said = job.finish().stdout;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "project of-the-file");
    assert!(lines[1].starts_with("ok ") && lines[2].starts_with("ok "), "{said}");
    assert!(lines[3].contains("authError: Invalid Credentials"), "{said}");
}

#[test]
fn credentials_that_are_missing_or_none_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("account.json");
    for content in [None, Some("{}"), Some("no JSON")] {
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let job = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
            .args(&["http://127.0.0.1:9/bigquery/v2"])
            .env("GOOGLE_APPLICATION_CREDENTIALS", &file)
            .env("GOOGLE_CLOUD_PROJECT", "p")
            .env("PROMETHEUS_PORT", "0");
        let ended = job.run();
        assert!(ended.stdout.starts_with("no client: no credentials for BigQuery: "), "{content:?}: {ended:?}");
    }
}
