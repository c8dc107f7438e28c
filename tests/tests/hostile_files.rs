//! What another user of a folder can put in the place of obs' files: nothing outside the folder is written, and nothing hangs.
#![cfg(unix)]

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use obs_tests::line_writer::LineWriter;
use obs_tests::process::{Finished, Process};
use obs_tests::wait;

const LOG: &str = "job.jsonl";
const TEXTFILE: &str = "job.prom";
const LOCK: &str = "job.prom.lock";
const TOUCHED: &str = "job.prom.touched";
const PENDING: &str = "job.prom.00000000000000000001-1-0.pending";
const BUDGETS: &str = "budgets.sqlite3";
const FILES: [&str; 6] = [LOG, TEXTFILE, LOCK, TOUCHED, PENDING, BUDGETS];

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Symlink,
    DanglingSymlink,
    HardLink,
    Pipe,
    PipeWithReader,
    Folder,
    Socket,
    OtherOwner,
}

const STATES: [State; 8] = [
    State::Symlink,
    State::DanglingSymlink,
    State::HardLink,
    State::Pipe,
    State::PipeWithReader,
    State::Folder,
    State::Socket,
    State::OtherOwner,
];

/// A folder of files that are not obs', and one that is shared with another user.
struct Folders {
    root: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("outside")).unwrap();
        fs::create_dir(root.path().join("shared")).unwrap();
        fs::write(root.path().join("outside/target"), "kept").unwrap();
        fs::set_permissions(root.path().join("outside/target"), Permissions::from_mode(0o640)).unwrap();
        Self { root }
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.root.path().join("outside").join(name)
    }

    fn shared(&self, name: &str) -> PathBuf {
        self.root.path().join("shared").join(name)
    }

    fn job(&self) -> Process {
        job(&self.shared(LOG), &self.root.path().join("shared"))
    }

    /// Puts something in the place of a file. Returns what must live as long as it is tried.
    fn plant(&self, state: State, name: &str) -> Option<File> {
        let path = self.shared(name);
        let pipe = || {
            let made = Process::new("/usr/bin/mkfifo").args(&[&path.display().to_string()]).run();
            assert_eq!(made.code(), Some(0), "{made:?}");
        };
        match state {
            State::Symlink => symlink(self.outside("target"), path).unwrap(),
            State::DanglingSymlink => symlink(self.outside("missing"), path).unwrap(),
            State::HardLink => fs::hard_link(self.outside("target"), path).unwrap(),
            State::Pipe => pipe(),
            State::PipeWithReader => {
                pipe();
                return Some(File::options().read(true).write(true).open(path).unwrap());
            }
            State::Folder => fs::create_dir(path).unwrap(),
            State::Socket => drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
            State::OtherOwner => {
                fs::write(&path, "").unwrap();
                fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
                // Only the superuser can give a file away; to others a file that they cannot open looks the same.
                if std::os::unix::fs::chown(&path, Some(65534), None).is_err() {
                    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
                }
            }
        }
        None
    }

    #[track_caller]
    fn assert_nothing_outside_has_changed(&self, what: &str) {
        let target = self.outside("target");
        assert_eq!(fs::read_to_string(&target).unwrap(), "kept", "{what}");
        assert_eq!(target.metadata().unwrap().mode() & 0o7777, 0o640, "{what}");
        assert_eq!(fs::read_dir(self.outside("")).unwrap().count(), 1, "{what}");
    }
}

fn job(log: &Path, folder: &Path) -> Process {
    configured(Process::new(env!("CARGO_BIN_EXE_folder-writer")), log, folder)
}

/// A shell command whose `$0` is the job.
fn in_shell(script: &str, log: &str, folder: &Path) -> Process {
    let shell = Process::new("/bin/bash").args(&["-c", script, env!("CARGO_BIN_EXE_folder-writer")]);
    configured(shell, Path::new(log), folder)
}

fn configured(process: Process, log: &Path, folder: &Path) -> Process {
    process
        .env("SERVICE_NAME", "job")
        .env("LOG_FILE", log)
        .env("METRICS_ENABLED", "true")
        .env("PROMETHEUS_PORT", "0")
        .env("PROMETHEUS_TEXTFILE_DIR", folder)
        .env("OBS_STATE_DIR", folder)
        .env("OBS_BUDGETS", "shared=50USD/month")
        .env("BIGQUERY_USD_PER_TIB", "6.25")
}

/// Runs the command twice, with something between.
fn run_twice(job: Process, between: impl FnOnce()) -> Finished {
    let mut running = job.start();
    for (round, between) in [Some(between), None].into_iter().enumerate() {
        // A job that was not initialised has ended.
        let _ = writeln!(running.stdin.as_mut().unwrap(), "run");
        running.wait_for_outputs("the command ends", |output| {
            output.contains("not initialised") || output.lines().filter(|line| *line == "done").count() > round
        });
        if let Some(between) = between {
            between();
        }
    }
    let ended = running.finish();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    ended
}

#[test]
fn what_stands_in_the_place_of_a_file_is_refused_or_replaced() {
    for state in STATES {
        for file in FILES {
            // The operator can make the log file a link: see below.
            if file == LOG && matches!(state, State::Symlink | State::DanglingSymlink) {
                continue;
            }
            let what = format!("{state:?} at {file}");
            let folders = Folders::new();
            let _planted = folders.plant(state, file);
            let ended = run_twice(folders.job(), || ());
            folders.assert_nothing_outside_has_changed(&what);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            let replaced = match file {
                TEXTFILE | TOUCHED => matches!(state, State::HardLink | State::OtherOwner),
                PENDING => true,
                _ => state == State::OtherOwner,
            };
            assert!(replaced || said.contains(file), "{what}: {ended:?}");
        }
    }
}

#[test]
fn what_replaces_a_file_while_the_job_runs_is_not_written_to() {
    for state in STATES {
        for file in [LOG, TEXTFILE, LOCK, TOUCHED] {
            let what = format!("{state:?} at {file}");
            let folders = Folders::new();
            let mut planted = None;
            run_twice(folders.job(), || {
                fs::remove_file(folders.shared(file)).unwrap();
                planted = folders.plant(state, file);
            });
            folders.assert_nothing_outside_has_changed(&what);
        }
    }
}

#[test]
fn a_log_file_that_becomes_a_link_is_warned_of_and_lines_go_to_the_old_file() {
    let folders = Folders::new();
    let (path, old) = (folders.shared(LOG), folders.shared("old.jsonl"));
    let mut writer = LineWriter::start(Process::new(env!("CARGO_BIN_EXE_line-writer")).env("LOG_FILE", &path));
    writer.run("line first");
    fs::rename(&path, &old).unwrap();
    symlink(folders.outside("target"), &path).unwrap();
    wait::until_true("the link is found", || {
        writer.run("line more");
        writer.has_said("cannot be opened again")
    });
    let status = writer.status();
    let ended = writer.finish();
    assert!(fs::read_to_string(&old).unwrap().matches("more").count() > 1, "lines go to the old file");
    let warning = "log lines go to the old file: LOG_FILE: cannot be opened again: expected a regular file, found a symbolic link";
    assert_eq!(ended.stderr.matches(warning).count(), 1, "{ended:?}");
    assert!(status["failure"].as_str().unwrap().contains("a symbolic link"), "{status}");
    assert_eq!(status["dropped"], serde_json::json!({}));
    folders.assert_nothing_outside_has_changed("a link");
}

#[test]
fn a_link_of_the_operator_is_resolved_once() {
    let folders = Folders::new();
    let (path, target) = (folders.shared(LOG), folders.shared("of-today.jsonl"));
    symlink("of-today.jsonl", &path).unwrap();
    run_twice(folders.job(), || {
        fs::remove_file(&path).unwrap();
        symlink(folders.outside("target"), &path).unwrap();
    });
    folders.assert_nothing_outside_has_changed("a link");
    assert_eq!(target.metadata().unwrap().mode() & 0o777, 0o600);
    let commands = fs::read_to_string(&target).unwrap().matches("write-all finished").count();
    assert!(commands == 2, "{commands}");
}

#[test]
fn new_files_are_for_this_user_but_the_textfile_is_for_all() {
    let folders = Folders::new();
    run_twice(folders.job(), || ());
    let mode = |name: &str| folders.shared(name).metadata().unwrap().mode() & 0o777;
    assert_eq!([LOG, BUDGETS, TEXTFILE, LOCK].map(mode), [0o600, 0o600, 0o644, 0o666]);
}

#[test]
fn standard_streams_and_devices_are_log_files_by_their_names() {
    for (path, redirection, expected) in [
        ("/dev/stdout", "", true),
        ("/dev/fd/1", "", true),
        ("/dev/null", "", false),
        ("/dev/fd/3", "3>&1", true),
        ("/proc/self/fd/3", "3>&1", true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let script = format!("echo run | exec \"$0\" {redirection}");
        let ended = in_shell(&script, path, folder.path()).run();
        assert_eq!(ended.code(), Some(0), "{path}: {ended:?}");
        assert_eq!(ended.stdout.contains(r#""logger""#), expected, "{path}: {ended:?}");
        assert!(ended.stdout.contains("done") && !ended.stdout.contains("obs.log_file"), "{path}: {ended:?}");
    }
}

#[test]
fn the_log_file_of_a_reader_that_does_not_read_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // More lines than the pipe takes. Its reader is ended once the job is done.
    let script = r#"exec 3> >(exec sleep 600 >/dev/null 2>&1); reader=$!; yes run | head -n 200 | "$0"; ended=$?; kill $reader; exit $ended"#;
    let ended = in_shell(script, "/dev/fd/3", folder.path()).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr.matches("log lines are dropped: LOG_FILE: timed out").count(), 1, "{ended:?}");
}
