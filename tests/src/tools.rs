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
    in_tools("python/bin/python").unwrap_or_else(|| missing("prometheus_client for Python"))
}

/// A server that is built of `tests/go`.
#[must_use]
pub fn go_server(name: &str) -> PathBuf {
    in_tools(name).unwrap_or_else(|| missing(name))
}

/// A file of the folder `tools` beside the build.
fn in_tools(path: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().map(|folder| folder.join("tools").join(path)).find(|candidate| candidate.is_file())
}

fn missing(what: &str) -> ! {
    panic!("{what} is missing: run tests/run.sh, which installs it, or tests/run.sh quick, which does without")
}
