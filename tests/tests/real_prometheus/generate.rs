//! Runs `generate`.

use std::path::Path;

use obs_tests::process::Process;

/// Writes the files of a target for the service `etl` into a folder, and checks that they fit then.
///
/// `command` is that of the program: `generate prometheus`, or what it has embedded it as, and arguments.
#[track_caller]
pub fn generate(program: &str, command: &[&str], folder: &Path) {
    for how in ["--output", "--check"] {
        let words = [command, &["--service", "etl", how, folder.to_str().unwrap()]].concat();
        let made = Process::new(program).args(&words).run();
        assert_eq!(made.code(), Some(0), "{made:?}");
    }
}
