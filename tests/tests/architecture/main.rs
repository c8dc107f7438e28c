//! The house keeps its order: imports point one way, no module needs itself, no file is long.

mod graph;
mod planted;
mod resolve;
mod rules;
mod scan;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::source::Crate;

/// From the bottom up: a module of obs-runtime imports only from modules that stand before it.
const ORDER: &[&str] = &[
    "base",
    "metrics",
    "events",
    "redact",
    "config",
    "context",
    "exporters",
    "pipeline",
    "instrument",
    "bigquery",
    "checks",
    "program",
    "private",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Each module of a crate, by path (`sinks::log`), with its source without tests and comments.
fn modules(source: &Path) -> BTreeMap<String, String> {
    let files = rust_files(source).into_iter().filter(|file| !file.to_string_lossy().contains("tests"));
    let module = |file: PathBuf| {
        let path = file.strip_prefix(source).unwrap().with_extension("");
        let names: Vec<_> = path.iter().map(|name| name.to_str().unwrap()).filter(|name| *name != "mod").collect();
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        (names.join("::"), lines.collect::<Vec<_>>().join("\n"))
    };
    files.map(module).filter(|(name, _)| name != "lib").collect()
}

/// The modules that a module names by `crate::…`; a module that re-exports its own parts names these as well.
fn imports(name: &str, code: &str, all: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut add = |path: &str| {
        let segments: Vec<&str> = path.split("::").collect();
        let longest = (1..=segments.len()).rev().map(|length| segments[..length].join("::"));
        if let Some(module) = longest.into_iter().find(|candidate| all.contains_key(candidate)) {
            found.insert(module);
        }
    };
    let is_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        add(rest.split(|letter| !is_path(letter)).next().unwrap_or_default());
    }
    for line in code.lines().map(str::trim) {
        for prefix in ["use ", "pub use ", "pub(crate) use "] {
            if let Some(path) = line.strip_prefix(prefix) {
                let path = path.split(|letter| !is_path(letter)).next().unwrap_or_default();
                add(&format!("{name}::{}", path.trim_end_matches("::")));
            }
        }
    }
    found.remove(name);
    found
}

fn graph(source: &str) -> BTreeMap<String, BTreeSet<String>> {
    let modules = modules(&root().join(source));
    modules.iter().map(|(name, code)| (name.clone(), imports(name, code, &modules))).collect()
}

#[test]
fn the_runtime_imports_one_way_only() {
    let position = |module: &str| {
        let first = module.split("::").next().unwrap_or_default();
        ORDER.iter().position(|known| *known == first).unwrap_or_else(|| panic!("{first} has no place in ORDER"))
    };
    let graph = graph("obs-runtime/src");
    assert!(graph.len() > 20 && graph.values().any(|imports| imports.len() > 5), "{graph:?}");
    for (module, imports) in &graph {
        for import in imports {
            assert!(position(import) <= position(module), "{module} imports {import}, which stands above it");
        }
    }
}

#[test]
fn no_module_needs_itself() {
    for source in ["obs-macros/src", "examples/src"] {
        let mut graph = graph(source);
        // Takes away what imports nothing that is left, until nothing is left, or a cycle.
        loop {
            let free: Vec<String> =
                graph.iter().filter(|(_, imports)| imports.is_empty()).map(|(module, _)| module.clone()).collect();
            if free.is_empty() {
                break;
            }
            for module in free {
                graph.remove(&module);
                for imports in graph.values_mut() {
                    imports.remove(&module);
                }
            }
        }
        assert!(graph.is_empty(), "{source} has a cycle among {graph:#?}");
    }
}

#[test]
fn macros_do_not_import_each_other() {
    let attributes =
        ["tracked_command", "with_error_tracking", "bq_cost", "health_check", "dq_check", "track_performance"];
    for (module, imports) in graph("obs-macros/src") {
        let others = imports.iter().filter(|import| attributes.contains(&import.as_str()));
        assert!(!attributes.contains(&module.as_str()) || others.count() == 0, "{module} imports {imports:?}");
    }
}

/// The crates whose imports are read, by their root files.
fn crate_roots() -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> = ["obs-runtime", "obs-macros", "examples"]
        .iter()
        .map(|package| root().join(package).join("src/lib.rs"))
        .collect();
    roots.extend(rust_files(&root().join("examples/src/bin")));
    roots
}

#[test]
fn every_file_belongs_to_a_crate_whose_imports_are_read() {
    let mut read = BTreeSet::new();
    for file in crate_roots() {
        let found = Crate::read(&file, &|path| std::fs::read_to_string(path).ok());
        read.extend(found.modules.into_iter().map(|module| module.file));
    }
    for folder in ["obs-runtime/src", "obs-macros/src", "examples/src"] {
        for file in rust_files(&root().join(folder)) {
            assert!(read.contains(&file), "{} is in no module tree", file.display());
        }
    }
}

#[test]
fn unsafe_code_stands_in_one_file() {
    let mut found = Vec::new();
    for folder in ["obs-runtime/src", "obs-macros/src", "examples/src"] {
        for file in rust_files(&root().join(folder)) {
            let text = std::fs::read_to_string(&file).unwrap();
            let allows = text.lines().any(|line| line.trim_start().starts_with("#![") && line.contains("unsafe_code"))
                || text.contains("#[expect(unsafe_code")
                || text.contains("#[allow(unsafe_code");
            if allows {
                found.push(file.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    assert_eq!(found, ["obs-runtime/src/base/ffi.rs"]);
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for folder in ["obs-runtime", "obs-macros", "examples", "tests"] {
        // A stranger's program is one file, that each edition compiles.
        let own = |file: &PathBuf| !file.starts_with(root().join("tests/strangers"));
        for file in rust_files(&root().join(folder)).into_iter().filter(own) {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 400, "{} has {lines} lines", file.display());
        }
    }
}
