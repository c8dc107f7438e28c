//! A program whose panics abort.

use std::os::unix::process::ExitStatusExt as _;

use obs_tests::exposition::Samples;
use obs_tests::process::Process;
use obs_tests::servers::SentryServer;
use obs_tests::strangers::Stranger;
use serde_json::json;

use super::reporting_to;

#[test]
fn an_aborting_panic_is_reported_before_the_process_ends() {
    let manifest = "edition = \"2024\"\n[profile.dev]\npanic = \"abort\"\n[dependencies]\n\
                    obs-runtime = { path = \"{obs}\", features = [\"prometheus\", \"sentry\"] }";
    let stranger = Stranger::new("aborts", manifest, &[("main.rs", include_str!("../../strangers/aborts.rs"))]);
    let program = stranger.build("aborts");
    for arguments in [&[][..], &["elsewhere"]] {
        let (server, folder) = (SentryServer::start(), tempfile::tempdir().unwrap());
        let process = reporting_to(&server, Process::new(&program).args(arguments));
        let ended = process.env("PROMETHEUS_TEXTFILE_DIR", folder.path()).run();
        assert_eq!(ended.status.signal(), Some(6), "{ended:?}");
        let events = server.items("event");
        assert_eq!(events.len(), 1, "{arguments:?}: {events:#?}");
        let exception = &events[0]["exception"]["values"][0];
        assert_eq!((&exception["type"], &exception["value"]), (&json!("panic"), &json!("asked to panic")));
        assert_eq!(exception["mechanism"]["handled"], false);
        assert_eq!(server.items("check_in").last().unwrap()["status"], "error", "{arguments:?}");
        assert_eq!(server.items("session").last().unwrap()["status"], "crashed", "{arguments:?}");
        let file = std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .find(|file| file.path().extension() == Some("prom".as_ref()));
        let metrics = Samples::read(&file.unwrap().path());
        assert_eq!(metrics.value("cli_command_failure_total", &[("outcome", "panic")]), Some(1.0), "{arguments:?}");
    }
}
