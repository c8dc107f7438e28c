//! The drop of the guard flushes, in any context.

use obs_runtime::testing::capture;
use obs_runtime::{Observability, track_feature, track_performance};

#[test]
fn a_guard_dropped_within_a_capture_flushes_its_own_exporters() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Observability::builder().without_environment().prometheus_port(0).service_name("guarded");
    let guard = builder.prometheus_textfile_dir(folder.path()).init().unwrap();
    track_feature("export");
    let address = "ann@example.com";
    track_performance(format!("mail to {address}"), || ());
    let _ = obs_runtime::track_cli_command(format!("mail {address}"), || Err::<(), _>("no answer"));
    capture(move || drop(guard));
    let text = std::fs::read_to_string(folder.path().join("guarded.prom")).unwrap();
    assert!(text.contains(r#"cli_feature_usage_total{feature="export""#), "{text}");
    assert!(text.contains("operation_success_total") && text.contains("cli_command_failure_total"), "{text}");
    assert!(!text.contains(address), "{text}");
    assert!(!format!("{:?}", obs_runtime::catalogue()).contains(address));
}
