//! Builds the programs of this workspace on demand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The path of a program of any package of this workspace. The first call builds all of them. `--examples`, of which there
/// are none, takes the features of dev-dependencies, so that nothing that the tests have is compiled a second time.
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
    let output = Command::new(cargo)
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
