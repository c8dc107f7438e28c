//! Published crates whose functions get attributes: the table of them, and their sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::strangers::target;

/// The table, with a row for each crate.
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/strangers/real_crates/README.md");

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Published {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its features that are compiled, beside the default ones.
    pub features: String,
    /// Whether it is tried by every run.
    pub in_sample: bool,
    /// Whether its own tests run too.
    pub has_tests: bool,
    /// How many annotated functions the compiler saw when the table was written.
    pub functions: usize,
}

impl Published {
    /// The crates of the table.
    ///
    /// # Panics
    /// When a row is malformed.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let table = fs::read_to_string(TABLE).expect("the table can be read");
        let rows = table.lines().filter(|line| line.starts_with("| ")).skip(2);
        rows.map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, version, features, _, sample, tests, functions] = cells[..] else { panic!("a row: {row}") };
            Self {
                name: name.to_owned(),
                version: version.to_owned(),
                features: features.to_owned(),
                in_sample: sample == "yes",
                has_tests: tests == "yes",
                functions: functions.parse().expect("a number of functions"),
            }
        })
        .collect()
    }

    /// Writes another number of functions into the table.
    ///
    /// # Panics
    /// When the table cannot be written.
    pub fn record(&self, functions: usize) {
        let table = fs::read_to_string(TABLE).expect("the table can be read");
        let begin = format!("| {} | {} |", self.name, self.version);
        let rows = table.lines().map(|line| match line.strip_suffix(&format!("| {} |", self.functions)) {
            Some(row) if line.starts_with(&begin) => format!("{row}| {functions} |\n"),
            _ => format!("{line}\n"),
        });
        fs::write(TABLE, rows.collect::<String>()).expect("the table can be written");
    }

    /// Its features, as cargo takes them in a workspace.
    pub fn qualified_features(&self) -> impl Iterator<Item = String> {
        self.features.split_whitespace().map(|feature| format!("{}/{feature}", self.name))
    }
}

/// The folder of what belongs to these crates.
#[must_use]
pub fn folder() -> PathBuf {
    target().join("real")
}

/// Cargo, run in a folder, with the target folder that all copies share: whether it succeeded, and what it wrote on standard
/// output and standard error.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn cargo(arguments: &[&str], folder: &Path, environment: &[(&str, &Path)]) -> (bool, String, String) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
    command.args(arguments).current_dir(folder).env_remove("RUSTFLAGS").stdin(Stdio::null());
    command.env("CARGO_TARGET_DIR", target()).env("CARGO_INCREMENTAL", "0").envs(environment.iter().copied());
    let output = command.output().expect("cargo starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// Has cargo download the sources of these crates. Returns where each one's are.
///
/// # Panics
/// When that fails.
#[must_use]
pub fn sources(crates: &[Published]) -> Vec<PathBuf> {
    let folder = folder().join("sources");
    fs::create_dir_all(folder.join("src")).expect("the folder can be made");
    fs::write(folder.join("src/lib.rs"), "").expect("the source can be written");
    let mut manifest = "[package]\nname = \"sources\"\nversion = \"0.1.0\"\n[workspace]\n[dependencies]\n".to_owned();
    for Published { name, version, .. } in crates {
        manifest.extend([name, " = { version = \"=", version, "\", default-features = false }\n"]);
    }
    fs::write(folder.join("Cargo.toml"), manifest).expect("the manifest can be written");
    let (fetched, _, errors) = cargo(&["fetch", "--quiet"], &folder, &[]);
    assert!(fetched, "{errors}");
    let (listed, metadata, errors) = cargo(&["metadata", "--offline", "--format-version=1", "--quiet"], &folder, &[]);
    assert!(listed, "{errors}");
    let metadata: Value = serde_json::from_str(&metadata).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let manifest_of = |published: &Published| {
        let is_it = |package: &&Value| package["name"] == *published.name && package["version"] == *published.version;
        let package = packages.iter().find(is_it).expect("the package was fetched");
        PathBuf::from(package["manifest_path"].as_str().expect("it has a manifest"))
    };
    crates
        .iter()
        .map(|published| manifest_of(published).parent().expect("a manifest is in a folder").to_owned())
        .collect()
}
