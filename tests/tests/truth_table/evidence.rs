//! What is seen of one case.

use obs_tests::exposition::Samples;
use obs_tests::logs;
use obs_tests::process::{Finished, Process};
use serde_json::Value;

use super::backends::{Backends, Received, State};
use super::endings::Ending;

/// Everything that one run left.
pub struct Evidence {
    /// On a terminal: its output is everything that a person sees.
    pub finished: Finished,
    /// The lines of the log file.
    pub log: Vec<Value>,
    pub textfile: Option<Samples>,
    pub received: Received,
    /// What the program says of its exporters after the command has ended.
    pub status: Option<Value>,
    /// What the program itself sees in its metrics.
    pub measured: Option<Value>,
}

impl Evidence {
    /// Runs the program on a terminal.
    pub fn of(ending: &Ending, state: State) -> Self {
        let (backends, folder) = (Backends::start(state), tempfile::tempdir().unwrap());
        let command = format!("exec '{}' {}", env!("CARGO_BIN_EXE_ending"), ending.way);
        let process = Process::on_a_terminal(&command)
            .env("NO_COLOR", "1")
            .env("SERVICE_NAME", "ending")
            .env("LOG_FILE", folder.path().join("log"))
            .env("PROMETHEUS_PORT", "0")
            .env("PROMETHEUS_TEXTFILE_DIR", folder.path())
            .env("OBS_FLUSH_TIMEOUT", format!("{}s", state.deadline().as_secs()));
        let finished = backends.configure(process).run();
        let textfile = folder.path().join("ending.prom");
        let told = |name: &str| {
            let line = finished.stdout.lines().find_map(|line| line.strip_prefix(name));
            line.map(|json| serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}")))
        };
        let (status, measured) = (told("status "), told("measured "));
        let log = logs::read(&folder.path().join("log"));
        let textfile = textfile.exists().then(|| Samples::read(&textfile));
        Self { finished, log, textfile, received: backends.received(), status, measured }
    }

    /// The lines about the command: without an outcome for its start, else its ends.
    pub fn command_lines(&self, is_end: bool) -> Vec<&Value> {
        let is_it = |line: &&Value| line["call"] == "ending" && line["outcome"].is_string() == is_end;
        self.log.iter().filter(is_it).collect()
    }

    /// The line for a person.
    pub fn summary(&self) -> Option<&str> {
        self.finished.stdout.lines().find(|line| line.starts_with("error: "))
    }
}
