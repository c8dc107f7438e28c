//! The programs that `tests/run.sh` installs.

use std::path::PathBuf;

/// Where the first of these programs is.
#[must_use]
pub fn program(names: &[&str]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = names.iter().find_map(|name| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
    });
    found.unwrap_or_else(|| missing(names[0]))
}

/// A program in the Python environment of the tests.
#[must_use]
pub fn python() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let pythons = test.ancestors().map(|folder| folder.join("tools/python/bin/python"));
    pythons.into_iter().find(|candidate| candidate.is_file()).unwrap_or_else(|| missing("prometheus_client for Python"))
}

fn missing(what: &str) -> ! {
    panic!("{what} is missing: run tests/run.sh, which installs it, or tests/run.sh quick, which does without")
}
