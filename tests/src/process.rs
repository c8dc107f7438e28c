//! Programs as processes: what they say, how they end, and that they do.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::wait;

/// How long a program may run.
const RUN: Duration = Duration::from_mins(1);

/// A process to start: with no environment but `PATH` and what it is given.
#[derive(Debug)]
pub struct Process(Command);

/// A process that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// With which status.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// How long it ran.
    pub duration: Duration,
}

impl Finished {
    /// Its exit code; none when a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

impl Process {
    /// A process of a program.
    #[must_use]
    pub fn new(program: impl AsRef<Path>) -> Self {
        let mut command = Command::new(program.as_ref());
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command)
    }

    /// A process of a shell that has a terminal of its own, and runs this command there.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn on_a_terminal(command: &str) -> Self {
        let terminal = Self::new("/usr/bin/script").args(&["-q", "-e", "-c", command, "/dev/null"]);
        terminal.env("TERM", "xterm-256color")
    }

    /// With these arguments too.
    #[must_use]
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.0.args(arguments);
        self
    }

    /// With this variable too.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// In that folder.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Starts it.
    #[must_use]
    #[track_caller]
    pub fn start(mut self) -> Running {
        let begun = Instant::now();
        let mut child = self.0.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.0.get_program().display()));
        let output = child.stdout.take().map(Collected::new).expect("its output is piped");
        let errors = child.stderr.take().map(Collected::new).expect("its output is piped");
        Running { stdin: child.stdin.take(), child: KilledOnDrop(child), output, errors, begun }
    }

    /// Runs it to its end, with nothing to read.
    #[must_use]
    #[track_caller]
    pub fn run(self) -> Finished {
        self.start().finish()
    }
}

/// What a process wrote to one of its outputs.
#[derive(Debug)]
struct Collected {
    text: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Collected {
    fn new(source: impl Read + Send + 'static) -> Self {
        let text = Arc::<Mutex<String>>::default();
        let shared = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while matches!(source.read_until(b'\n', &mut line), Ok(1..)) {
                let mut text = shared.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self { text, reader }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn whole(self) -> String {
        self.reader.join().expect("reading does not panic");
        std::mem::take(&mut *self.text.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A process that runs. It is killed when it is dropped before its end.
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
        // Mostly it has ended by itself.
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

    /// Waits for a line on its standard output of which `find` makes something.
    #[track_caller]
    pub fn wait_for_output<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        self.wait_for(what, || self.output.so_far().lines().find_map(&find))
    }

    /// Waits until `holds` for all that it wrote to its standard output.
    #[track_caller]
    pub fn wait_for_outputs(&self, what: &str, holds: impl Fn(&str) -> bool) {
        self.wait_for(what, || holds(&self.output.so_far()).then_some(()));
    }

    /// Waits for a line on its standard error of which `find` makes something.
    #[track_caller]
    pub fn wait_for_error<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        self.wait_for(what, || self.errors.so_far().lines().find_map(&find))
    }

    #[track_caller]
    fn wait_for<T>(&self, what: &str, ask: impl FnMut() -> Option<T>) -> T {
        wait::poll(RUN, ask).unwrap_or_else(|| panic!("waited {RUN:?} in vain: {what}\n{}", self.said()))
    }

    /// Sends it a signal, by its name without `SIG`.
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
        let status = wait::poll(RUN, || child.0.try_wait().ok().flatten());
        let duration = self.begun.elapsed();
        drop(child);
        let (stdout, stderr) = (self.output.whole(), self.errors.whole());
        let status = status.unwrap_or_else(|| panic!("still running after {RUN:?}\n{stdout}\n{stderr}"));
        Finished { status, stdout, stderr, duration }
    }

    fn said(&self) -> String {
        format!("{}\n{}", self.output.so_far(), self.errors.so_far())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::new("/bin/sh").args(&["-c", script])
    }

    #[test]
    fn output_exit_code_and_environment_are_those_of_the_process() {
        let ended = shell("echo $A; echo $CARGO >&2; exit 3").env("A", "b").run();
        assert_eq!((ended.code(), &*ended.stdout, &*ended.stderr), (Some(3), "b\n", "\n"));
    }

    #[test]
    fn a_line_can_be_waited_for_and_a_signal_sent() {
        let running = shell("echo port 7; exec cat").start();
        let port = running.wait_for_output("the port", |line| line.strip_prefix("port ")?.parse::<u16>().ok());
        assert_eq!(port, 7);
        running.signal("TERM");
        assert_eq!(running.finish().code(), None);
    }

    #[test]
    fn its_input_ends_when_it_is_to_finish() {
        assert_eq!(shell("cat; echo done").start().finish().stdout, "done\n");
    }
}
