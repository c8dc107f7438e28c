//! The program `line-writer`, which executes one command at a time.

use std::io::Write as _;

use serde_json::Value;

use crate::process::{Finished, Process, Running};

/// A running `line-writer`.
#[derive(Debug)]
pub struct LineWriter {
    running: Running,
    commands: usize,
}

impl LineWriter {
    /// Starts one.
    #[must_use]
    #[track_caller]
    pub fn start(process: Process) -> Self {
        Self { running: process.start(), commands: 0 }
    }

    /// Sends a command and waits until it is done.
    #[track_caller]
    pub fn run(&mut self, command: &str) {
        let stdin = self.running.stdin.as_mut().expect("it is piped");
        writeln!(stdin, "{command}").unwrap();
        self.commands += 1;
        let commands = self.commands;
        self.running
            .wait_for_outputs(command, |output| output.lines().filter(|line| *line == "done").count() == commands);
    }

    /// The status of its log exporter, as JSON. Only once.
    #[must_use]
    #[track_caller]
    pub fn status(&mut self) -> Value {
        self.run("status");
        self.running.wait_for_output("the status", |line| serde_json::from_str(line.strip_prefix("status ")?).ok())
    }

    /// Whether its standard error contains this so far.
    #[must_use]
    pub fn has_said(&self, text: &str) -> bool {
        self.running.has_said(text)
    }

    /// Sends a signal, by its name without `SIG`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        self.running.signal(name);
    }

    /// Sends a signal and waits for the end of the process. Its input stays open.
    #[must_use]
    #[track_caller]
    pub fn end_by(mut self, signal: &str) -> Finished {
        let _stdin = self.running.stdin.take();
        self.running.signal(signal);
        self.running.finish()
    }

    /// Closes its input and waits for its end.
    #[must_use]
    #[track_caller]
    pub fn finish(self) -> Finished {
        self.running.finish()
    }
}
