//! The compiler of TypeScript, for JSON whose types a package of Node declares.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::tools;

/// Checks a source file by `tsc --strict`. It can import the packages of `tests/node`.
///
/// # Errors
/// What the compiler says.
pub fn check(source: &str) -> Result<(), String> {
    let compiler = tools::node_package("typescript/bin/tsc");
    let packages = compiler.ancestors().nth(3).expect("it is in the folder of packages");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    symlink(packages, folder.path().join("node_modules")).expect("a link can be made");
    fs::write(folder.path().join("source.ts"), source).expect("a file can be written");
    let output = Command::new(tools::node())
        .arg(&compiler)
        .args(["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "source.ts"])
        .current_dir(folder.path())
        .output()
        .expect("node starts");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(()) } else { Err(text) }
}
