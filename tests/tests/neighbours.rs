//! Programs whose other dependencies share a crate with obs-runtime, or bring a second obs-runtime.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use obs_tests::strangers::Stranger;

/// Runs cargo in the crate, with the network: what these crates need is not in this workspace's lock file.
fn cargo(stranger: &Stranger, arguments: &[&str]) -> Output {
    let mut cargo: Command = stranger.command_online(arguments);
    cargo.output().expect("cargo starts")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The version of a package in the crate's lock file. Each name is expected once.
fn locked(stranger: &Stranger, package: &str) -> Vec<String> {
    let lock = fs::read_to_string(stranger.folder().join("Cargo.lock")).unwrap();
    let of_package = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    let mut versions = Vec::new();
    while lines.any(|line| line == of_package) {
        versions.extend(
            lines.next().and_then(|line| line.strip_prefix("version = ")).map(|v| v.trim_matches('"').to_owned()),
        );
    }
    versions
}

const LISTS_CALLSITES: &str = r#"
#[linkme::distributed_slice]
pub static OWN: [u32];

#[linkme::distributed_slice(OWN)]
static ONE: u32 = 1;

#[obs_runtime::track_performance]
fn load() {}

#[obs_runtime::health_check]
fn database() -> Result<(), String> {
    Ok(())
}

#[obs_runtime::dq_check(fail_below = 1)]
fn rows() -> u64 {
    3
}

fn main() {
    load();
    let catalogue = obs_runtime::catalogue();
    let names = |entries: &[obs_runtime::Entry]| entries.iter().map(|entry| entry.name.to_string()).collect::<Vec<_>>().join(",");
    println!("{} {} {} {}", OWN.len(), names(&catalogue.callsites), names(&catalogue.health_checks), names(&catalogue.dq_checks));
}
"#;

#[test]
fn the_registry_works_beside_any_linkme() {
    for version in ["0.3.25", "0.3.37"] {
        let name = format!("linkme-{}", version.replace('.', "-"));
        let manifest = format!(
            "edition = \"2024\"\n[dependencies]\nlinkme = \"={version}\"\n\
             obs-runtime = {{ path = \"{{obs}}\", default-features = false }}\n"
        );
        let stranger = Stranger::new(&name, &manifest, &[("main.rs", LISTS_CALLSITES)]);
        let output = cargo(&stranger, &["run", "--quiet"]);
        assert!(output.status.success(), "{version}: {}", errors(&output));
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1 load database rows", "{version}");
        assert_eq!(locked(&stranger, "linkme"), [version]);
    }
}

#[test]
fn tables_of_sqlite_are_read_beside_sqlx_and_diesel() {
    let manifest = "edition = \"2024\"\n[dependencies]\n\
                    obs-runtime = { path = \"{obs}\", default-features = false, features = [\"sqlite\"] }\n\
                    sqlx = { version = \"0.8\", default-features = false, features = [\"sqlite\"] }\n\
                    diesel = { version = \"2.2\", default-features = false, features = [\"sqlite\"] }\n";
    let stranger = Stranger::new("beside-sqlx-and-diesel", manifest, &[("main.rs", "fn main() {}\n")]);
    // Only obs-runtime is compiled, against the version of rusqlite that the others leave to it.
    let output = cargo(&stranger, &["check", "--quiet", "--package", "obs-runtime"]);
    assert!(output.status.success(), "{}", errors(&output));
    assert_eq!(locked(&stranger, "libsqlite3-sys").len(), 1);
}

/// Two versions would each have a registry and a pipeline, and half of the program would be measured by either.
#[test]
fn a_second_version_of_obs_runtime_is_refused_when_dependencies_are_resolved() {
    let obs = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("obs-runtime");
    let manifest = fs::read_to_string(obs.join("Cargo.toml")).unwrap();
    let (_, links) = manifest.split_once("\nlinks = ").expect("obs-runtime says which name it links");
    let links = links.lines().next().unwrap();
    let stranger = Stranger::new(
        "two-versions",
        "edition = \"2024\"\n[dependencies]\nobs-runtime = { path = \"{obs}\", default-features = false }\n\
         later = { path = \"later\", package = \"obs-runtime\" }\n",
        &[("main.rs", "fn main() {}\n")],
    );
    let later = stranger.folder().join("later");
    fs::create_dir_all(later.join("src")).unwrap();
    let manifest =
        format!("[package]\nname = \"obs-runtime\"\nversion = \"0.2.0\"\nedition = \"2024\"\nlinks = {links}\n");
    fs::write(later.join("Cargo.toml"), manifest).unwrap();
    fs::write(later.join("build.rs"), "fn main() {}\n").unwrap();
    fs::write(later.join("src/lib.rs"), "").unwrap();
    let output = cargo(&stranger, &["check", "--quiet"]);
    let said = errors(&output);
    assert!(!output.status.success() && said.contains("links to the native library `obs-runtime`"), "{said}");
}
