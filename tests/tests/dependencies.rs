//! Licences, sources and advisories of all dependencies, checked by cargo-deny. `.deny.toml` says what is allowed and was
//! reviewed; anything else fails here, so that it is looked at before it is added.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::process::{Command, Output};

use obs_tests::tools;
use serde_json::Value;

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

/// What has a `Cargo.lock`: the workspace, the folder to start from, the fuzz targets, and the programs with other servers and
/// layers.
const LOCKED: [&str; 4] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/template"),
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

/// The crates that are published.
const PUBLISHED: [&str; 2] = ["obs-macros", "obs-runtime"];

/// What cargo knows of the workspace and its dependencies, with all features.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--all-features", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// The packages that a program with the published crates compiles: no dev-dependencies.
fn compiled(metadata: &Value) -> Vec<&Value> {
    let package = |id: &Value| list(&metadata["packages"]).find(|package| package["id"] == *id).unwrap();
    let is_published = |package: &&Value| PUBLISHED.contains(&package["name"].as_str().unwrap());
    let mut waiting: VecDeque<_> = list(&metadata["packages"]).filter(is_published).map(|found| &found["id"]).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop_front() {
        if seen.insert(id.as_str().unwrap()) {
            let node = list(&metadata["resolve"]["nodes"]).find(|node| node["id"] == *id).unwrap();
            let needed = list(&node["deps"]).filter(|of| list(&of["dep_kinds"]).any(|kind| kind["kind"] != "dev"));
            waiting.extend(needed.map(|dependency| &dependency["pkg"]));
        }
    }
    seen.into_iter().map(|id| package(&Value::from(id))).collect()
}

/// Those that need a later Rust, with the version that they need.
fn need_later_than(packages: &[&Value], oldest: (u32, u32)) -> Vec<String> {
    let version = |package: &Value| {
        let mut parts = package["rust_version"].as_str()?.split('.').map(|part| part.parse().unwrap());
        Some((parts.next()?, parts.next()?))
    };
    let later = packages.iter().filter(|package| version(package).is_some_and(|needed| needed > oldest));
    later
        .map(|package| format!("{} {} needs {}", package["name"], package["version"], package["rust_version"]))
        .collect()
}

#[test]
fn no_dependency_needs_a_later_rust_than_obs() {
    let metadata = metadata();
    let packages = compiled(&metadata);
    assert!(packages.len() > 150, "{}", packages.len());
    let runtime = packages.iter().find(|package| package["name"] == "obs-runtime").unwrap();
    let (major, minor) = runtime["rust_version"].as_str().unwrap().split_once('.').unwrap();
    let oldest = (major.parse().unwrap(), minor.parse().unwrap());
    assert_eq!(need_later_than(&packages, oldest), Vec::<String>::new());
    assert!(!need_later_than(&packages, (1, 56)).is_empty(), "some need a later one than 1.56");
}
