//! Crates of strangers: what cargo says of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A crate outside of this workspace that depends on obs-runtime, as a user's does.
#[derive(Debug)]
pub struct Stranger {
    folder: PathBuf,
}

/// What the compiler says about a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Source file, within the crate.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// What is underlined of the line.
    pub marked: String,
    /// `error` or `warning`.
    pub level: String,
    /// The lint or error code, or nothing.
    pub code: String,
    /// Its words.
    pub message: String,
}

/// The folder of this workspace.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a workspace")
}

/// Where all crates of strangers are built.
#[must_use]
pub fn target() -> PathBuf {
    let own = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    own.join("strangers")
}

impl Stranger {
    /// A crate of that name, made anew. `manifest` is what stands behind the package's name and version in
    /// `Cargo.toml`, with `{obs}` for the path of obs-runtime; `sources` are files below `src`.
    ///
    /// # Panics
    /// When its files cannot be written.
    #[must_use]
    pub fn new(name: &str, manifest: &str, sources: &[(&str, &str)]) -> Self {
        let folder = target().join("crates").join(name);
        let _ = fs::remove_dir_all(folder.join("src"));
        fs::create_dir_all(folder.join("src")).expect("the folder can be made");
        let manifest = manifest.replace("{obs}", &workspace().join("obs-runtime").display().to_string());
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n{manifest}\n[workspace]\n");
        let write = |file: &str, text: &str| fs::write(folder.join(file), text).expect("the file can be written");
        write("Cargo.toml", &manifest);
        for (file, text) in sources {
            if let Some((inner, _)) = file.rsplit_once('/') {
                fs::create_dir_all(folder.join("src").join(inner)).expect("the folder can be made");
            }
            write(&format!("src/{file}"), text);
        }
        // What is locked here is what is there without a network.
        fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file can be copied");
        Self { folder }
    }

    /// What `cargo check` says.
    #[must_use]
    pub fn check(&self) -> Vec<Diagnostic> {
        self.cargo(&["check", "--quiet", "--all-targets"])
    }

    /// What `cargo clippy` says.
    #[must_use]
    pub fn clippy(&self) -> Vec<Diagnostic> {
        self.cargo(&["clippy", "--quiet", "--all-targets"])
    }

    /// Builds it and gives the path of one of its programs.
    ///
    /// # Panics
    /// When it does not build.
    #[must_use]
    pub fn build(&self, program: &str) -> PathBuf {
        said(self.command(&["build", "--quiet"]));
        target().join("debug").join(program)
    }

    /// Builds it and runs one of its programs, and gives what that wrote to standard output.
    ///
    /// # Panics
    /// When it does not build or the program ends badly.
    #[must_use]
    pub fn run(&self, program: &str) -> String {
        said(Command::new(self.build(program)))
    }

    fn cargo(&self, arguments: &[&str]) -> Vec<Diagnostic> {
        let output = self.command(arguments).arg("--message-format=json").output().expect("cargo starts");
        let messages = output.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        let mut found: Vec<Diagnostic> = messages.filter_map(|message: Value| diagnostic(&message)).collect();
        found.sort();
        found.dedup();
        let finished = output.status.success() || found.iter().any(|diagnostic| diagnostic.level == "error");
        assert!(finished, "cargo failed: {}", String::from_utf8_lossy(&output.stderr));
        found
    }
}

impl Stranger {
    /// Writes one of its sources anew.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join("src").join(file), text).expect("the file can be written");
    }

    /// Cargo, to be run in it, without the network.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_online(arguments);
        command.arg("--offline");
        command
    }

    /// Cargo, to be run in it: it may fetch crates that this workspace's lock file does not have.
    #[must_use]
    pub fn command_online(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.env("CARGO_TARGET_DIR", target()).env_remove("RUSTFLAGS");
        command
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What a program that ends well writes to standard output.
fn said(mut command: Command) -> String {
    let output = command.output().expect("it starts");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {said}\n{errors}", output.status);
    said.into_owned()
}

fn diagnostic(message: &Value) -> Option<Diagnostic> {
    let message = message.get("message")?;
    let span = message["spans"].as_array()?.iter().find(|span| span["is_primary"] == true)?;
    let line = &span["text"][0];
    let column = |name: &str| line[name].as_u64().and_then(|column| usize::try_from(column).ok()).unwrap_or(1) - 1;
    let text: Vec<char> = line["text"].as_str()?.chars().collect();
    let marked = text.get(column("highlight_start")..column("highlight_end")).unwrap_or_default();
    Some(Diagnostic {
        file: span["file_name"].as_str()?.to_owned(),
        line: span["line_start"].as_u64()?,
        marked: marked.iter().collect(),
        level: message["level"].as_str()?.to_owned(),
        code: message["code"]["code"].as_str().unwrap_or_default().to_owned(),
        message: message["message"].as_str()?.to_owned(),
    })
}
