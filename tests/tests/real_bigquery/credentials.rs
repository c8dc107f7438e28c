//! Google's credentials: a service account's file, the machine's account, and a user's account.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use obs_tests::process::{Finished, Process, Running};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, ScriptedBigQuery};
use obs_tests::tools;

/// A new RSA key.
fn key() -> String {
    let made = Command::new(tools::program(&["openssl"]))
        .args(["genpkey", "-algorithm", "RSA", "-outform", "PEM"])
        .output()
        .unwrap();
    String::from_utf8(made.stdout).unwrap()
}

#[test]
fn a_rejected_token_is_replaced_once() {
    let server = ScriptedBigQuery::start(Behaviour { token: Some("token-1".into()), ..Behaviour::default() });
    let url = |path: &str| format!("http://{}/{path}", server.host());
    let account = serde_json::json!({
        "type": "service_account", "project_id": "of-the-file", "private_key_id": "1", "private_key": key(),
        "client_email": "account@p.iam.gserviceaccount.com", "client_id": "1",
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
        job.wait_for_outputs("an answer", |output| output.lines().count() == answers + 1);
    };
    query(&mut job);
    server.change(|behaviour| behaviour.token = Some("token-2".into()));
    query(&mut job);
    assert_eq!((server.requests(Call::Token).len(), server.jobs()), (2, 2));
    // When every token is rejected, the error is returned after one replacement.
    server.change(|behaviour| behaviour.token = Some("none".into()));
    query(&mut job);
    assert_eq!((server.requests(Call::Token).len(), server.jobs()), (3, 2));
    let stdout = job.finish().stdout;
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!(lines[0], "project of-the-file");
    assert!(lines[1].starts_with("ok ") && lines[2].starts_with("ok "), "{stdout}");
    assert!(lines[3].contains("authError: Invalid Credentials"), "{stdout}");
}

#[test]
fn the_error_for_missing_or_malformed_credentials_is_reported() {
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

/// Runs `account-user` in a network namespace in which the host names of Google's accounts resolve to loopback.
fn in_network_namespace(arguments: &[&str], environment: &[(&str, &Path)], folder: &Path) -> Finished {
    let hosts = folder.join("hosts");
    std::fs::write(&hosts, "127.0.0.1 localhost metadata.google.internal accounts.google.com\n").unwrap();
    let program = env!("CARGO_BIN_EXE_account-user");
    let script = format!(
        "ip link set lo up && mount --bind {} /etc/hosts && exec {program} {}",
        hosts.display(),
        arguments.join(" ")
    );
    let process = Process::new(tools::program(&["unshare"]));
    let process = process.args(&["--map-root-user", "--mount", "--net", "sh", "-c", &script]);
    environment.iter().fold(process, |process, (name, value)| process.env(name, value)).run()
}

#[test]
fn the_token_of_the_machine_comes_from_the_metadata_server() {
    let folder = tempfile::tempdir().unwrap();
    let ended = in_network_namespace(&[], &[("HOME", folder.path())], folder.path());
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "Ok(([0, 1, 2], [0, 1, 2]))", "{ended:?}");
    // One token, and another one when that is rejected.
    assert_eq!(lines.len(), 3, "{ended:?}");
    for line in &lines[1..] {
        let path = "/computeMetadata/v1/instance/service-accounts/default/token?scopes=";
        assert!(line.starts_with(path) && line.contains("Some(\"Google\")"), "{line}");
    }
}

#[test]
fn the_token_of_a_user_is_refreshed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (certificate, key) = (at("certificate.pem"), at("key.pem"));
    let made = Command::new(tools::program(&["openssl"]))
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=accounts.google.com"])
        .args(["-addext", "subjectAltName=DNS:accounts.google.com", "-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-out")
        .arg(&certificate)
        .arg("-keyout")
        .arg(&key)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    // Content and path are those of `gcloud auth application-default login`.
    let user = serde_json::json!({"type": "authorized_user", "client_id": "the-client", "client_secret": "its-secret",
        "refresh_token": "the-refresh-token", "quota_project_id": "p"});
    std::fs::create_dir_all(at(".config/gcloud")).unwrap();
    std::fs::write(at(".config/gcloud/application_default_credentials.json"), user.to_string()).unwrap();
    let arguments = [certificate.to_str().unwrap(), key.to_str().unwrap()];
    let environment = [("HOME", folder.path()), ("SSL_CERT_FILE", certificate.as_path())];
    let ended = in_network_namespace(&arguments, &environment, folder.path());
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "Ok(([0, 1, 2], [0, 1, 2]))", "{ended:?}");
    assert_eq!(lines.len(), 3, "{ended:?}");
    for line in &lines[1..] {
        assert!(line.starts_with("/o/oauth2/token"), "{line}");
        for part in ["grant_type=refresh_token", "refresh_token=the-refresh-token", "client_id=the-client"] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}
