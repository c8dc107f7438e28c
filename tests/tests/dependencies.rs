//! Licences, sources and advisories of all dependencies, checked by cargo-deny. `.deny.toml` says what is allowed and was
//! reviewed; anything else fails here, so that it is looked at before it is added.

use std::path::Path;
use std::process::{Command, Output};

use obs_tests::tools;

/// The start of cargo-deny's error when it cannot download the advisories.
const UNREACHABLE: &str = "failed to fetch advisory database";

/// The exit code of `timeout` when the time is over.
const TIMED_OUT: i32 = 124;

fn cargo_deny(folder: &Path, arguments: &[&str]) -> (Output, String) {
    let manifest = folder.join("Cargo.toml");
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.deny.toml");
    let output = Command::new("timeout")
        .arg("60")
        .arg(tools::cargo_deny())
        .args(["--color", "never", "--manifest-path"])
        .arg(manifest)
        .arg("--config")
        .arg(policy)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned();
    (output, text)
}

/// What has a `Cargo.lock`: the workspace, the fuzz targets, and the programs with other servers and layers.
const LOCKED: [&str; 3] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/.."),
    concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/beside"),
];

#[test]
fn every_dependency_has_an_allowed_licence_and_comes_from_the_registry() {
    for folder in LOCKED {
        let checks = ["--locked", "check", "licenses", "sources", "bans"];
        let (output, text) = cargo_deny(Path::new(folder), &checks);
        let is_ok = output.status.success() && text.contains("bans ok, licenses ok, sources ok");
        assert!(is_ok, "{folder}: {text}");
    }
}

#[test]
fn a_dependency_with_another_licence_or_source_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let package = |name: &str, of: &str, rest: &str| {
        std::fs::create_dir_all(folder.path().join(name).join("src")).unwrap();
        std::fs::write(folder.path().join(name).join("src/lib.rs"), "").unwrap();
        let text = format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n{of}\n{rest}");
        std::fs::write(folder.path().join(name).join("Cargo.toml"), text).unwrap();
    };
    for (licence, is_allowed) in [
        ("MIT", true),
        ("MIT OR GPL-3.0-only", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("GPL-3.0-only", false),
        ("MIT AND GPL-2.0-or-later", false),
        ("BUSL-1.1", false),
    ] {
        package("dependency", &format!("license = \"{licence}\""), "");
        package("user", "license = \"MIT\"", "[dependencies]\ndependency = { path = \"../dependency\" }");
        let (output, text) = cargo_deny(&folder.path().join("user"), &["--offline", "check", "licenses"]);
        assert_eq!(output.status.success(), is_allowed, "{licence}: {text}");
    }
}

#[test]
fn no_dependency_has_an_advisory_if_the_database_can_be_reached() {
    for folder in LOCKED {
        let (output, text) = cargo_deny(Path::new(folder), &["--locked", "check", "advisories"]);
        let is_reached = !text.contains(UNREACHABLE) && output.status.code() != Some(TIMED_OUT);
        assert!(output.status.success() || !is_reached, "{folder}: {text}");
        if !is_reached {
            eprintln!("The database of advisories could not be reached: they were not checked.");
            return;
        }
    }
}
