//! Log lines as JSON, read from text or collected in memory.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use obs_runtime::LogOutput;
use serde_json::Value;

/// The lines of `text`. Panics when one of them is not JSON.
#[must_use]
#[track_caller]
pub fn parse(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The lines that begin with `{`: a panic message may be between them. Panics when one of them is not JSON.
#[must_use]
#[track_caller]
pub fn parse_json_lines(text: &str) -> Vec<Value> {
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with('{')).collect();
    parse(&lines.join("\n"))
}

/// The lines of a log file. Panics when one of them is not JSON or the last one is not terminated.
#[must_use]
#[track_caller]
pub fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text.is_empty() || text.ends_with('\n'), "the last line of {} is not terminated", path.display());
    parse(&text)
}

/// The message of each line, as obs or `tracing-subscriber` writes it.
#[must_use]
#[track_caller]
pub fn messages(lines: &[Value]) -> Vec<&str> {
    let message = |line| message(line).unwrap_or_else(|| panic!("a line without a message: {line}"));
    lines.iter().map(message).collect()
}

fn message(line: &Value) -> Option<&str> {
    line["message"].as_str().or(line["fields"]["message"].as_str())
}

/// Log lines that are kept in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryLog(Arc<Mutex<Vec<u8>>>);

impl MemoryLog {
    /// An output for `Observability::builder().log_output(…)`.
    #[must_use]
    pub fn output(&self) -> LogOutput {
        let log = self.clone();
        LogOutput::new(move |line| io::Write::write_all(&mut log.clone(), line))
    }

    /// The lines so far, which are forgotten.
    #[must_use]
    #[track_caller]
    pub fn take(&self) -> Vec<Value> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        parse(std::str::from_utf8(&bytes).expect("log lines are UTF-8"))
    }
}

impl io::Write for MemoryLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
