//! Copies of published crates with attributes on every function, in one workspace for each set of attributes, so that what they
//! depend on is compiled once. Files are written only if they change: cargo does not check again what it has checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;

use crate::published::{Published, cargo, folder};
use crate::rewriting::annotated;

const ATTRIBUTES: [&str; 4] = ["tracked_command", "bq_cost", "with_error_tracking", "track_performance"];

/// The attribute that writes a byte for each function, as the compiler expands it. Functions that `cfg` leaves out are not
/// counted.
const COUNTED: &str = "#[::obs_counted::counted] ";

/// Comparisons with a number of an inferred type. They are ambiguous in every crate that has `serde_json` among its dependencies, as it
/// compares numbers with JSON values: the crate and the file, what is there, and what replaces it.
const AMBIGUOUS: [(&str, &str, &str, &str); 3] = [
    ("object", "src/read/coff/section.rs", "number == u16::MAX.into()", "number == usize::from(u16::MAX)"),
    (
        "wasmparser",
        "src/validator/func.rs",
        "pop_count != params.into() || push_count != results.into()",
        "pop_count != u64::from(params) || push_count != u64::from(results)",
    ),
    ("rustix", "src/backend/linux_raw/process/syscalls.rs", "c::F_UNLCK as _", "c::F_UNLCK as i16"),
];

/// What the compiler reports about a crate.
#[derive(Clone, Debug, Default)]
pub struct Reports {
    /// The errors.
    pub errors: Vec<String>,
    /// The warnings, by the name of their lint.
    pub warnings: BTreeMap<String, Vec<String>>,
    /// Whether it was checked to its end.
    pub checked: bool,
}

/// A workspace of copies with the same attributes.
#[derive(Clone, Debug)]
pub struct Copies {
    /// What the attributes are called together.
    pub name: String,
    attributes: String,
}

impl Copies {
    /// Without attributes, with all of them, and with each alone.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let named = |name: &str, attributes: String| Self { name: name.to_owned(), attributes };
        let attribute = |name: &str| format!("#[::obs_runtime::{name}] ");
        let together = ATTRIBUTES.map(attribute).concat();
        let alone = ATTRIBUTES.iter().map(|name| named(name, attribute(name)));
        [named("bare", String::new()), named("together", COUNTED.to_owned() + &together)]
            .into_iter()
            .chain(alone)
            .collect()
    }

    /// Its folder.
    fn folder(&self) -> PathBuf {
        folder().join("copies").join(&self.name)
    }

    /// The folder of a crate, within [`folder`](Self::folder). cargo tells copies of a crate in workspaces apart by this path only.
    fn member(&self, published: &Published) -> String {
        format!("{}/{}", self.name, versioned(published))
    }

    /// Writes the copies of these crates.
    ///
    /// # Panics
    /// When that fails.
    pub fn write(&self, crates: &[Published], sources: &[PathBuf]) {
        let mut members = String::new();
        for (published, source) in crates.iter().zip(sources) {
            self.copy_crate(published, source).unwrap_or_else(|error| panic!("{}: {error}", published.name));
            members.extend(["    \"", &self.member(published), "\",\n"]);
        }
        let workspace = format!("[workspace]\nresolver = \"2\"\nmembers = [\n{members}]\n");
        write(&self.folder().join("Cargo.toml"), workspace.as_bytes()).expect("the manifest can be written");
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        if !self.folder().join("Cargo.lock").exists() {
            fs::copy(lock, self.folder().join("Cargo.lock")).expect("the lock file can be copied");
        }
    }

    fn copy_crate(&self, published: &Published, source: &Path) -> io::Result<()> {
        let to = self.folder().join(self.member(published));
        for entry in fs::read_dir(source)? {
            let name = entry?.file_name();
            let left_out = ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock"].iter().any(|other| name == *other);
            if !left_out && (name != "tests" || published.has_tests) {
                let has_functions = name == "src" || name == "tests";
                copy(&source.join(&name), &to.join(&name), if has_functions { &self.attributes } else { "" })?;
            }
        }
        let manifest = manifest(published, &fs::read_to_string(source.join("Cargo.toml"))?);
        write(&to.join("Cargo.toml"), manifest.as_bytes())
    }

    /// What `cargo check` reports about the libraries of these crates, by their names.
    ///
    /// # Panics
    /// When cargo itself fails.
    #[must_use]
    pub fn check(&self, crates: &[Published]) -> BTreeMap<String, Reports> {
        let features = features(crates);
        let check = ["check", "--quiet", "--workspace", "--lib", "--keep-going", "--message-format=json", &features];
        let (_, messages, other) = cargo(&check, &self.folder(), &[("COUNTED", &counts())]);
        let mut reports: BTreeMap<String, Reports> = BTreeMap::new();
        for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let of = message["manifest_path"].as_str().map(Path::new);
            let Some(published) = of
                .and_then(|of| crates.iter().find(|one| of == self.folder().join(self.member(one)).join("Cargo.toml")))
            else {
                continue;
            };
            let reports = reports.entry(published.name.clone()).or_default();
            reports.checked |= message["reason"] == "compiler-artifact" && message["target"]["kind"] != "custom-build";
            let (message, lint) = (&message["message"], &message["message"]["code"]["code"]);
            let text = || message["rendered"].as_str().unwrap_or_default().to_owned();
            match (message["level"].as_str(), lint.as_str()) {
                (Some("error"), _) => reports.errors.push(text()),
                (Some("warning"), Some(lint)) => reports.warnings.entry(lint.to_owned()).or_default().push(text()),
                _ => {}
            }
        }
        for published in crates {
            let reports = reports.entry(published.name.clone()).or_default();
            if !reports.checked && reports.errors.is_empty() {
                reports.errors.push(format!("{} was not checked: {other}", published.name));
            }
        }
        reports
    }

    /// Runs the crates' own tests: how many pass, and what cargo wrote if one fails.
    pub fn test(&self, crates: &[Published]) -> (usize, Option<String>) {
        let folder = self.folder();
        let package = |one: &Published| {
            format!("--package=path+file://{}/{}#{}@{}", folder.display(), self.member(one), one.name, one.version)
        };
        let names: Vec<String> = crates.iter().filter(|published| published.has_tests).map(package).collect();
        let arguments =
            ["test", "--lib", "--tests", "--no-fail-fast"].into_iter().chain(names.iter().map(String::as_str));
        let (pass, output, errors) = cargo(&arguments.collect::<Vec<_>>(), &folder, &[]);
        let passed = output
            .lines()
            .filter_map(|line| line.strip_prefix("test result: ok. ")?.split_once(" passed")?.0.parse::<usize>().ok());
        (passed.sum(), (!pass).then(|| output.clone() + &errors))
    }

    /// How many functions of a crate were expanded when it was last checked with all attributes.
    #[must_use]
    pub fn functions(published: &Published) -> usize {
        let files = fs::read_dir(counts().join(versioned(published))).into_iter().flatten().flatten();
        let counted = files.filter_map(|file| file.metadata().ok());
        let last = counted.max_by_key(|file| file.modified().expect("files have times"));
        last.map_or(0, |file| usize::try_from(file.len()).expect("a number of functions"))
    }
}

fn versioned(published: &Published) -> String {
    format!("{}-{}", published.name, published.version)
}

fn counts() -> PathBuf {
    folder().join("counts")
}

fn features(crates: &[Published]) -> String {
    let features: Vec<String> = crates.iter().flat_map(Published::qualified_features).collect();
    format!("--features={}", features.join(","))
}

/// The manifest without benchmarks and examples, and without what is for tests only unless they run.
fn manifest(published: &Published, manifest: &str) -> String {
    let left_out = |part: &str| {
        let header = part.split_once(']').map_or(part, |(header, _)| header).trim_start_matches('[');
        let of_tests = header.rsplit_once("dev-dependencies.").map(|(_, name)| name);
        let is_named_by_features = |name: &str| manifest.contains(&format!("\"{name}/"));
        ["bench", "example"].contains(&header)
            || of_tests == Some("criterion")
            || !published.has_tests && (header == "test" || of_tests.is_some_and(|name| !is_named_by_features(name)))
    };
    let parts = manifest.split("\n[").enumerate().filter(|(place, part)| *place == 0 || !left_out(part));
    let manifest = parts.map(|(_, part)| part).collect::<Vec<_>>().join("\n[");
    let runtime = concat!(env!("CARGO_MANIFEST_DIR"), "/../obs-runtime");
    let counted = counting_attribute();
    format!(
        "{manifest}\n[dependencies.obs-runtime]\npath = {runtime:?}\ndefault-features = false\n\
         [dependencies.obs-counted]\npath = \"{}\"\n",
        counted.display()
    )
}

/// The crate of [`COUNTED`]. Each run of the compiler writes a file of its own.
fn counting_attribute() -> PathBuf {
    const SOURCE: &str = r#"use std::io::Write;
#[proc_macro_attribute]
pub fn counted(_: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let of_crate = || Some((std::env::var("CARGO_PKG_NAME").ok()?, std::env::var("CARGO_PKG_VERSION").ok()?));
    if let (Some(folder), Some((name, version))) = (std::env::var_os("COUNTED"), of_crate()) {
        let folder = std::path::Path::new(&folder).join(format!("{name}-{version}"));
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        let path = folder.join(std::process::id().to_string());
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(b".")).expect("the count can be written");
    }
    item
}
"#;
    let to = folder().join("counted");
    let manifest =
        "[package]\nname = \"obs-counted\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nproc-macro = true\n";
    write(&to.join("Cargo.toml"), manifest.as_bytes()).expect("the manifest can be written");
    write(&to.join("src/lib.rs"), SOURCE.as_bytes()).expect("the source can be written");
    to
}

/// Copies a file or folder, with attributes on the functions of Rust files.
fn copy(from: &Path, to: &Path, attributes: &str) -> io::Result<()> {
    if from.is_dir() {
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy(&from.join(&name), &to.join(&name), attributes)?;
        }
        return Ok(());
    }
    if from.extension().is_none_or(|extension| extension != "rs") {
        return write(to, &fs::read(from)?);
    }
    let text = unambiguous(from, fs::read_to_string(from)?);
    let text = if is_deep(from) { format!("#![recursion_limit = \"512\"]\n{text}") } else { text };
    let text = if attributes.is_empty() { text } else { annotated(&text, attributes).map_err(io::Error::other)?.0 };
    write(to, text.as_bytes())
}

/// Whether it is the root of tokio: with four attributes on each function, futures in futures reach the compiler's limit.
fn is_deep(path: &Path) -> bool {
    path.ends_with("src/lib.rs") && is_in(path, "tokio")
}

fn is_in(path: &Path, name: &str) -> bool {
    let begin = format!("{name}-");
    path.iter().any(|folder| {
        let version = folder.to_str().and_then(|folder| folder.strip_prefix(&begin));
        version.is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
    })
}

fn unambiguous(path: &Path, text: String) -> String {
    let changes = AMBIGUOUS.iter().filter(|(name, file, ..)| path.ends_with(file) && is_in(path, name));
    changes.fold(text, |text, (_, file, ambiguous, replaced)| {
        assert!(text.contains(ambiguous), "{file} has no {ambiguous:?}");
        text.replace(ambiguous, replaced)
    })
}

/// Writes a file unless it is so already.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, content)
}
