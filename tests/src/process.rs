//! Processes: their output, their exit status, and a deadline for their end.

use std::io::{ErrorKind, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{logs, wait};

/// How long a process may run.
const DEADLINE: Duration = Duration::from_mins(2);

/// A process to start, with an environment of `PATH` and what [`env`](Self::env) adds.
#[derive(Debug)]
pub struct Process(Command);

/// A process that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// How long it ran.
    pub duration: Duration,
}

impl Finished {
    /// Its exit code; none when it was ended by a signal.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The lines of its log on standard error. Panics when a line of standard error is not JSON.
    #[must_use]
    #[track_caller]
    pub fn log(&self) -> Vec<Value> {
        logs::parse(&self.stderr)
    }

    /// Its standard output as JSON. Panics when it is not JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Process {
    /// Runs a program.
    #[must_use]
    pub fn new(program: impl AsRef<Path>) -> Self {
        let mut command = Command::new(program.as_ref());
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    /// Runs a shell command on a terminal of its own.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn on_a_terminal(command: &str) -> Self {
        let terminal = Self::new("/usr/bin/script").args(&["-q", "-e", "-c", command, "/dev/null"]);
        terminal.env("TERM", "xterm-256color")
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.0.args(arguments);
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Redirects standard error, which is not collected then.
    #[must_use]
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.0.stderr(stderr);
        self
    }

    /// Starts it.
    #[must_use]
    #[track_caller]
    pub fn start(mut self) -> Running {
        let begun = Instant::now();
        let mut child = self.0.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.0.get_program().display()));
        let output = child.stdout.take().map(Collected::new).expect("its output is piped");
        let errors = child.stderr.take().map_or_else(|| Collected::new(std::io::empty()), Collected::new);
        Running { stdin: child.stdin.take(), child: KilledOnDrop(child), output, errors, begun }
    }

    /// Runs it to its end with an empty standard input.
    #[must_use]
    #[track_caller]
    pub fn run(self) -> Finished {
        self.start().finish()
    }
}

/// The output of a process, read by a thread.
#[derive(Debug)]
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Collected {
    fn new(source: impl Read + Send + 'static) -> Self {
        let bytes = Arc::<Mutex<Vec<u8>>>::default();
        let shared = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut source = source;
            let mut chunk = [0; 8192];
            loop {
                match source.read(&mut chunk) {
                    Ok(length @ 1..) => lock(&shared).extend_from_slice(&chunk[..length]),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Ok(0) | Err(_) => return,
                }
            }
        });
        Self { bytes, reader }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&lock(&self.bytes)).into_owned()
    }

    fn whole(self) -> String {
        self.reader.join().expect("reading does not panic");
        String::from_utf8_lossy(&lock(&self.bytes)).into_owned()
    }
}

fn lock(bytes: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running process, killed on drop.
#[derive(Debug)]
pub struct Running {
    /// Its standard input, open until it is taken or [`finish`](Self::finish) is called.
    pub stdin: Option<ChildStdin>,
    child: KilledOnDrop,
    output: Collected,
    errors: Collected,
    begun: Instant,
}

#[derive(Debug)]
struct KilledOnDrop(Child);

impl Drop for KilledOnDrop {
    fn drop(&mut self) {
        // It has usually ended by then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Waits for a line of standard output for which `find` returns a value.
    #[track_caller]
    pub fn wait_for_output<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        self.wait_for(what, || whole_lines(&self.output.so_far()).find_map(&find))
    }

    /// Waits until the condition holds for the whole standard output so far.
    #[track_caller]
    pub fn wait_for_outputs(&self, what: &str, holds: impl Fn(&str) -> bool) {
        self.wait_for(what, || holds(&self.output.so_far()).then_some(()));
    }

    /// Waits for a line of standard error for which `find` returns a value.
    #[track_caller]
    pub fn wait_for_error<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        self.wait_for(what, || whole_lines(&self.errors.so_far()).find_map(&find))
    }

    /// Whether its standard error contains this so far.
    #[must_use]
    pub fn has_said(&self, text: &str) -> bool {
        self.errors.so_far().contains(text)
    }

    #[track_caller]
    fn wait_for<T>(&self, what: &str, ask: impl FnMut() -> Option<T>) -> T {
        wait::poll(DEADLINE, ask)
            .unwrap_or_else(|| panic!("timed out after {DEADLINE:?}: {what}\n{}", self.output_so_far()))
    }

    /// Writes a line to its standard input.
    #[track_caller]
    pub fn write_line(&mut self, line: &str) {
        let written = self.stdin.as_mut().map(|stdin| writeln!(stdin, "{line}").and_then(|()| stdin.flush()));
        assert!(matches!(written, Some(Ok(()))), "its standard input is closed: {}", self.output_so_far());
    }

    /// Sends a signal, named without `SIG`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{name} could not be sent");
    }

    /// Closes its standard input and waits for its end.
    #[must_use]
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        drop(self.stdin.take());
        let mut child = self.child;
        let status = wait::poll(DEADLINE, || child.0.try_wait().ok().flatten());
        let duration = self.begun.elapsed();
        drop(child);
        let (stdout, stderr) = (self.output.whole(), self.errors.whole());
        let status = status.unwrap_or_else(|| panic!("still running after {DEADLINE:?}\n{stdout}\n{stderr}"));
        Finished { status, stdout, stderr, duration }
    }

    fn output_so_far(&self) -> String {
        format!("{}\n{}", self.output.so_far(), self.errors.so_far())
    }
}

/// The lines that are terminated.
fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    text[..end].lines()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::new("/bin/sh").args(&["-c", script])
    }

    #[test]
    fn output_exit_code_and_environment_are_its_own() {
        let ended = shell("echo $A; echo $CARGO >&2; exit 3").env("A", "b").run();
        assert_eq!((ended.code(), &*ended.stdout, &*ended.stderr), (Some(3), "b\n", "\n"));
    }

    #[test]
    fn wait_for_output_finds_a_line_and_signal_ends_the_process() {
        let running = shell("echo port 7; exec cat").start();
        let port = running.wait_for_output("the port", |line| line.strip_prefix("port ")?.parse::<u16>().ok());
        assert_eq!(port, 7);
        running.signal("TERM");
        assert_eq!(running.finish().code(), None);
    }

    #[test]
    fn finish_closes_standard_input() {
        assert_eq!(shell("cat; echo done").start().finish().stdout, "done\n");
    }
}
