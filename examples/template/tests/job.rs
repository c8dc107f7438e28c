//! What the job reports, without a server: `testing::capture` keeps it.

use std::path::Path;

use obs_runtime::testing::{Captured, capture, capture_async, declarations};
use obs_runtime::{Level, Outcome, run_dq_checks};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

async fn load(folder: &Path) -> Captured<Result<u64, nightly::LoadError>> {
    capture_async(nightly::load(folder, false)).await
}

#[tokio::test]
async fn rows_are_counted_and_every_file_has_the_context_of_the_command() {
    let folder = folder(&[("users.csv", "id\n1\n2\n"), ("orders.csv", "id\n3\n"), ("readme.txt", "")]);
    let captured = load(folder.path()).await;
    assert_eq!(captured.value.as_ref().unwrap(), &3);
    captured.counter("rows.loaded").is(3);
    captured.counter("operation.success").with("operation", "load_file").is(2);
    captured.counter("cli.command.success").with("command", "load").is(1);
    captured.logs().level(Level::Info).message("loaded").operation("load").is(2);
    captured.errors().is(0);
}

#[tokio::test]
async fn a_file_without_a_header_is_one_error() {
    let folder = folder(&[("users.csv", "")]);
    let captured = load(folder.path()).await;
    assert!(captured.value.is_err());
    captured.counter("operation.error").with("operation", "load_file").with("error_type", "no_header").is(1);
    captured.errors().of_type("no_header").operation("load_file").message("there is no header").once();
    captured.calls().name("load").outcome(Outcome::Error).once();
}

#[test]
fn the_check_passes_before_anything_is_loaded() {
    let captured = capture(|| run_dq_checks().wait());
    assert!(captured.value.passed());
    captured.checks().name("empty_rows").status("passed").once();
}

#[tokio::test]
async fn everything_as_a_snapshot() {
    let folder = folder(&[("users.csv", "id\n1\n")]);
    // With insta: insta::assert_snapshot!(text).
    let text = load(folder.path()).await.stable_text();
    let calls: Vec<_> = text.lines().filter(|line| line.starts_with("call ") || line.starts_with("rows.")).collect();
    assert_eq!(calls, ["call load_file ok", "call load ok", "rows.loaded 1"]);
}

#[tokio::test]
async fn declarations_are_consistent() {
    let folder = folder(&[("users.csv", "id\n1\n")]);
    let captured = load(folder.path()).await;
    declarations().datasets(["files"]).metrics(["rows.loaded"]).recorded(&captured.metrics).assert();
}
