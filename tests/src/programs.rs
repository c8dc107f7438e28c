//! Programs of this workspace, built when they are needed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// A program of any package of this workspace, as `examples/` has them. When the first is asked for, all are built, with
/// the features that the tests are built with, so that nothing is compiled twice.
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
        .args(["build", "--quiet", "--workspace", "--bins", "--message-format=json"])
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
    fn the_programs_of_all_packages_are_found() {
        for name in ["short-job", "nightly-load"] {
            assert!(program(name).is_file(), "{name}");
        }
    }

    #[test]
    #[should_panic(expected = "there is no program nightly, but ")]
    fn a_program_that_is_not_there_is_named() {
        let _ = program("nightly");
    }
}
