//! The layout of the crates: imports point one way, no files import each other in a circle, files stay short, and unsafe
//! code stays in one place.

mod graph;
mod planted;
mod resolve;
mod rules;
mod scan;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::graph::{describe_cycles, imports};
use crate::rules::{against_order, code_in_mod_file};
use crate::source::Crate;

const SOURCES: [&str; 3] = ["obs-runtime/src", "obs-macros/src", "examples/src"];

/// The folders of obs-runtime, from the bottom up.
const RUNTIME: &[&[&str]] = &[
    &["base"],
    &["metrics"],
    &["events"],
    &["redact"],
    &["config"],
    &["context"],
    &["exporters"],
    &["pipeline"],
    &["instrument"],
    &["bigquery"],
    &["checks"],
    &["program"],
    &["private"],
    &["lib.rs"],
];

/// The folders and files of obs-macros, from the bottom up; macros do not import each other.
const MACROS: &[&[&str]] = &[
    &["grammar"],
    &["item"],
    &["expand"],
    &[
        "bq_cost.rs",
        "dq_check.rs",
        "error_kind.rs",
        "health_check.rs",
        "track_performance.rs",
        "tracked_command.rs",
        "with_error_tracking.rs",
    ],
    &["driver.rs"],
    &["lib.rs"],
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The Rust files in a folder of the repository, relative to its root.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if root().join(&path).is_dir() {
            if !path.ends_with("target") {
                found.extend(rust_files(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All crates in [`SOURCES`], read once.
static CRATES: LazyLock<Vec<Crate>> = LazyLock::new(|| {
    let libraries = SOURCES.iter().map(|source| Path::new(source).join("lib.rs"));
    let examples =
        rust_files(Path::new("examples")).into_iter().filter(|file| file.parent() == Some("examples".as_ref()));
    let roots = libraries.chain(examples);
    roots.map(|file| Crate::read(&file, &|path| std::fs::read_to_string(root().join(path)).ok())).collect()
});

/// What is imported against an order of the folders and files in `source`.
fn imports_against(order: &[&[&str]], source: &str) -> Vec<String> {
    let library = Path::new(source).join("lib.rs");
    let found = CRATES.iter().find(|found| found.modules[0].file == library).unwrap();
    let graph = imports(found);
    assert!(graph.values().map(BTreeMap::len).sum::<usize>() > 100, "{source} has few imports: {graph:#?}");
    against_order(&graph, Path::new(source), order)
}

#[test]
fn every_file_belongs_to_a_crate_whose_imports_are_read() {
    let read: BTreeSet<&PathBuf> = CRATES.iter().flat_map(|found| &found.modules).map(|module| &module.file).collect();
    let files = SOURCES.iter().flat_map(|source| rust_files(Path::new(source)));
    let unread: Vec<PathBuf> = files.filter(|file| !read.contains(file)).collect();
    assert!(unread.is_empty(), "{unread:?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let cycles: String = CRATES.iter().map(|found| describe_cycles(&imports(found))).collect();
    assert!(cycles.is_empty(), "\n{cycles}");
}

#[test]
fn a_folder_of_the_runtime_imports_only_folders_below_it() {
    let found = imports_against(RUNTIME, "obs-runtime/src");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn macros_import_only_their_stages_and_not_each_other() {
    let found = imports_against(MACROS, "obs-macros/src");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn mod_files_only_declare_and_re_export() {
    let modules = CRATES.iter().flat_map(|found| &found.modules);
    for module in modules.filter(|module| module.file.ends_with("mod.rs") && !module.for_tests) {
        let code = code_in_mod_file(&read(&module.file));
        assert!(code.is_empty(), "{} holds {code:#?}", module.file.display());
    }
}

#[test]
fn attributes_and_redaction_have_one_table_of_secret_names() {
    let [attributes, redaction] = ["obs-macros/src/grammar", "obs-runtime/src/redact"]
        .map(|folder| read(&Path::new(folder).join("secret_words.rs")));
    assert!(attributes == redaction, "copy obs-macros/src/grammar/secret_words.rs to obs-runtime/src/redact");
}

#[test]
fn unsafe_code_is_in_one_file() {
    let allows_unsafe = |file: &PathBuf| {
        let text = read(file);
        text.lines().any(|line| line.trim_start().starts_with("#![") && line.contains("unsafe_code"))
            || text.contains("#[expect(unsafe_code")
            || text.contains("#[allow(unsafe_code")
    };
    let files = SOURCES.iter().flat_map(|source| rust_files(Path::new(source)));
    assert_eq!(files.filter(allows_unsafe).collect::<Vec<_>>(), [Path::new("obs-runtime/src/base/ffi.rs")]);
}

#[test]
fn users_are_told_of_every_feature() {
    let manifest = read(Path::new("obs-runtime/Cargo.toml"));
    let (_, features) = manifest.split_once("\n[features]\n").unwrap();
    let names =
        features.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| Some(line.split_once(" = [")?.0));
    let names: Vec<_> = names.filter(|name| *name != "default" && !name.starts_with(['_', ' '])).collect();
    assert!(names.contains(&"sentry") && names.contains(&"otlp"), "{names:?}");
    let [readme, rustdoc] = ["README.md", "obs-runtime/src/lib.rs"].map(|file| read(Path::new(file)));
    for name in names {
        assert!(readme.contains(&format!("`{name}`")), "README.md does not name the feature {name}");
        assert!(rustdoc.contains(&format!("//! | `{name}` |")), "the table in lib.rs does not have the feature {name}");
    }
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for folder in ["obs-runtime", "obs-macros", "examples", "tests"] {
        for file in rust_files(Path::new(folder)) {
            let lines = read(&file).lines().count();
            assert!(lines <= 400, "{} has {lines} lines", file.display());
        }
    }
}
