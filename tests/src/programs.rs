//! Builds the programs of this workspace on demand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The path of a program or example of any package of this workspace. The first call builds all of them, as `cargo test` does,
/// so that nothing is compiled a second time: with the features of dev-dependencies, which `--examples` asks for, and without
/// the variables that cargo sets for a test, by which build scripts run again.
#[must_use]
#[track_caller]
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let programs = BUILT.get_or_init(build);
    let known = || programs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    programs.get(name).unwrap_or_else(|| panic!("there is no program {name}, but {}", known())).clone()
}

fn build() -> BTreeMap<String, PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut command = Command::new(cargo);
    let of_this_test = ["CARGO_BIN_EXE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];
    for (name, _) in std::env::vars_os() {
        if of_this_test.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    let output = command
        .args(["build", "--quiet", "--workspace", "--bins", "--examples", "--message-format=json"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "the programs do not build");
    let messages = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    messages
        .filter_map(|message: Value| {
            let program = message["executable"].as_str()?;
            Some((message["target"]["name"].as_str()?.to_owned(), program.into()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_all_packages_are_found() {
        for name in ["short-job", "nightly-load"] {
            assert!(program(name).is_file(), "{name}");
        }
    }

    #[test]
    #[should_panic(expected = "there is no program nightly, but ")]
    fn the_error_for_an_unknown_program_names_it() {
        let _ = program("nightly");
    }
}
