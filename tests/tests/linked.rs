//! The checks of all linked crates of a workspace are registered, with any linker options.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A copy of `tests/linked`, with a target folder that is kept between runs.
struct Workspace {
    folder: PathBuf,
    target: PathBuf,
}

/// The output of the program and of its build.
#[derive(Debug)]
struct Listed {
    compiler: String,
    code: Option<i32>,
    /// The name, module and location of each.
    checks: Vec<String>,
    problems: String,
}

impl Workspace {
    fn new() -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        // This test is in `deps` of the profile's folder in the target folder.
        let build = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
        let target = build.join("linked");
        let folder = target.join("workspace");
        copy(&tests.join("linked"), &folder);
        let runtime = tests.parent().unwrap().join("obs-runtime");
        write(&folder.join("Cargo.toml"), |manifest| manifest.replace("../../obs-runtime", runtime.to_str().unwrap()));
        copy(&tests.parent().unwrap().join("Cargo.lock"), &folder.join("Cargo.lock"));
        Self { folder, target }
    }

    fn cargo(&self, arguments: &[&str]) -> Output {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
        for flags in ["CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
            cargo.env_remove(flags);
        }
        // Needed for link-time optimisation; set for all builds, so that dependencies are compiled once.
        cargo.env("RUSTFLAGS", "-Cembed-bitcode=yes");
        cargo.args(arguments).current_dir(&self.folder).env("CARGO_TARGET_DIR", &self.target).output().unwrap()
    }

    /// Builds the program with these features and compiler options, and runs it.
    fn list(&self, features: &str, compiler: &[&str]) -> Listed {
        let package = ["rustc", "--offline", "--package", "app", "--release", "--features", features, "--"];
        let built = self.cargo(&[&package, compiler].concat());
        let messages = String::from_utf8(built.stderr).unwrap();
        assert!(built.status.success(), "{messages}");
        let output = Command::new(self.target.join("release").join("app")).output().unwrap();
        Listed {
            compiler: messages,
            code: output.status.code(),
            checks: String::from_utf8(output.stdout).unwrap().lines().skip(1).map(str::to_owned).collect(),
            problems: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Copies a file or a folder, without touching equal files, so that nothing is rebuilt.
fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        return write(to, |_| std::fs::read_to_string(from).unwrap());
    }
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        copy(&from, &to.join(from.file_name().unwrap()));
    }
}

fn write(file: &Path, text: impl FnOnce(String) -> String) {
    let there = std::fs::read_to_string(file).unwrap_or_default();
    let text = text(there.clone());
    if text != there {
        std::fs::write(file, text).unwrap();
    }
}

const CHECKS_OF_THREE_CRATES: [&str; 7] = [
    "carrier returns returns/src/lib.rs:8",
    "of_the_program app app/src/main.rs:12",
    "in_a_generic_function orders orders/src/lib.rs:9",
    "late returns returns/src/lib.rs:3",
    "lines_has_rows orders::lines orders/src/lib.rs:43",
    "null_ids orders::private orders/src/lib.rs:17",
    "payments_has_rows orders::payments orders/src/lib.rs:43",
];

// One test, because all builds share a folder.
#[test]
fn checks_of_all_linked_crates_are_registered() {
    let workspace = Workspace::new();
    for compiler in [
        &[][..],
        &["-Ccodegen-units=1", "-Clink-dead-code=no"],
        &["-Clto=fat", "-Ccodegen-units=1", "-Clink-dead-code=no"],
    ] {
        let listed = workspace.list("", compiler);
        assert_eq!(listed.checks, CHECKS_OF_THREE_CRATES, "{listed:?}");
        assert_eq!(listed.code, Some(0), "{listed:?}");
        // An unused crate is not linked. The compiler warns and suggests a fix.
        assert!(listed.compiler.contains("extern crate `billing` is unused in crate `app`"), "{listed:?}");
        assert!(listed.compiler.contains("`use billing as _;`"), "{listed:?}");
    }

    let more = workspace.list("with-billing, orders/more", &[]);
    assert!(!more.compiler.contains("unused"), "{more:?}");
    assert!(more.checks.contains(&"unpaid billing billing/src/lib.rs:3".to_owned()), "{more:?}");
    assert!(more.checks.iter().any(|check| check.starts_with("behind_a_feature orders::")), "{more:?}");
    assert_eq!(more.checks.len(), CHECKS_OF_THREE_CRATES.len() + 2, "{more:?}");

    let twice = workspace.list("returns/more", &[]);
    assert_eq!(twice.code, Some(3));
    let places = "named `null_ids`: orders/src/lib.rs:17, returns/src/lib.rs:15; give each its own `name`";
    assert!(twice.problems.contains(places), "{twice:?}");

    let tests = workspace.cargo(&["test", "--offline", "--release", "--package", "orders", "--lib"]);
    let output = String::from_utf8(tests.stdout).unwrap();
    assert!(tests.status.success() && output.contains("1 passed"), "{output}");
}
