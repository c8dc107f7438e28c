//! Crates that everybody knows, with an attribute on each of their functions, pass their own tests.
//!
//! Their sources come from the registry by cargo, of the very versions named here, and are changed in a copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use obs_tests::rewriting::annotate_folder;
use serde_json::Value;

/// Name, version, and how many functions are annotated at least.
const CRATES: [(&str, &str, usize); 5] = [
    ("either", "1.19.0", 100),
    ("heck", "0.5.0", 20),
    ("percent-encoding", "2.3.2", 20),
    ("semver", "1.0.28", 80),
    ("csv-core", "0.1.13", 100),
];

const ATTRIBUTES: &str = "#[::obs_runtime::track_performance] #[::obs_runtime::with_error_tracking]";

fn folder() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from);
    target.join("strangers/real")
}

fn cargo(arguments: &[&str], folder: &Path) -> String {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
    command.args(arguments).current_dir(folder).env_remove("RUSTFLAGS").stdin(Stdio::null());
    let output = command.env("CARGO_TARGET_DIR", self::folder().parent().unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "cargo {arguments:?}: {said}\n{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Has cargo bring the sources, and says where each crate's are.
fn sources() -> Vec<PathBuf> {
    let folder = folder().join("sources");
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::write(folder.join("src/lib.rs"), "").unwrap();
    let mut manifest = "[package]\nname = \"sources\"\nversion = \"0.1.0\"\n[workspace]\n[dependencies]\n".to_owned();
    manifest.extend(CRATES.map(|(name, version, _)| format!("{name} = \"={version}\"\n")));
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    cargo(&["fetch", "--quiet"], &folder);
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--offline", "--format-version=1"], &folder)).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let manifest_of = |name: &str| {
        let package = packages.iter().find(|package| package["name"] == name).unwrap();
        PathBuf::from(package["manifest_path"].as_str().unwrap())
    };
    CRATES.map(|(name, ..)| manifest_of(name).parent().unwrap().to_owned()).into()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::write(to, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

#[test]
fn five_crates_pass_their_own_tests_with_attributes_on_every_function() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let copies = folder().join("copies");
    let _ = fs::remove_dir_all(&copies);
    for ((name, _, least), source) in CRATES.into_iter().zip(sources()) {
        let to = copies.join(name);
        for part in ["src", "tests"].iter().filter(|part| source.join(part).is_dir()) {
            copy(&source.join(part), &to.join(part));
        }
        let count = annotate_folder(&to, ATTRIBUTES).unwrap();
        assert!(count >= least, "{name}: {count} functions");
        // Benchmarks are not copied, so what is said of them goes too.
        let manifest = fs::read_to_string(source.join("Cargo.toml")).unwrap();
        let parts = manifest
            .split("\n[")
            .filter(|part| !part.starts_with("[bench]]") && !part.contains("dev-dependencies.criterion]"));
        let mut manifest = parts.collect::<Vec<_>>().join("\n[");
        let runtime = workspace.join("obs-runtime").display().to_string();
        manifest.extend(["\n[dependencies.obs-runtime]\npath = \"", &runtime, "\"\n"]);
        fs::write(to.join("Cargo.toml"), manifest).unwrap();
    }
    fs::write(copies.join("Cargo.toml"), "[workspace]\nresolver = \"2\"\nmembers = [\"*\"]\n").unwrap();
    fs::copy(workspace.join("Cargo.lock"), copies.join("Cargo.lock")).unwrap();
    let said = cargo(&["test", "--workspace", "--lib", "--tests"], &copies);
    let passed: usize = said
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed")?.0.parse::<usize>().ok())
        .sum();
    assert!(passed > 130, "{passed} tests of theirs passed: {said}");
}
