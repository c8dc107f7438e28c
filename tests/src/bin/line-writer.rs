//! Executes the commands on its standard input and confirms each with `done`: `line TEXT`, `many COUNT SIZE`, `level LEVEL`,
//! `noise` (log while another thread writes to standard error), `hold` (hold the lock of standard error), `status` (of the log).
//!
//! With the argument `text-file` it writes text to `LOG_FILE`, with `debug-file` also debug lines.

use std::io::{Write as _, stderr, stdin, stdout};
use std::sync::mpsc;
use std::thread;

use obs_runtime::{Level, LogFilter, LogFormat, Observability};

/// How many lines there are of each kind when there is noise.
const NOISE: u32 = 2_000;

/// Holds the lock of standard error until the process ends.
fn hold() {
    let (held, wait) = mpsc::channel();
    thread::spawn(move || {
        let _lock = stderr().lock();
        let _ = held.send(());
        loop {
            thread::park();
        }
    });
    let _ = wait.recv();
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Observability::builder().metrics_enabled(false);
    for argument in std::env::args().skip(1) {
        builder = match argument.as_str() {
            "text-file" => builder.log_file_format(LogFormat::Text),
            _ => builder.log_file_level(Level::Debug),
        };
    }
    let guard = builder.init()?;
    for command in stdin().lines() {
        let command = command?;
        let (verb, rest) = command.split_once(' ').unwrap_or((&command, ""));
        match verb {
            "line" => {
                tracing::debug!("{rest} in detail");
                tracing::info!("{rest}");
            }
            "many" => {
                let (count, size) = rest.split_once(' ').unwrap_or((rest, "0"));
                let text = "x".repeat(size.parse()?);
                for number in 0..count.parse::<u64>()? {
                    tracing::info!(number, text, "one of many");
                }
            }
            "hold" => hold(),
            "noise" => thread::scope(|scope| {
                scope.spawn(|| (0..NOISE).for_each(|_| eprintln!("noise")));
                (0..NOISE).for_each(|number| tracing::info!(number, "beside noise"));
            }),
            "level" => guard.log_level().set(rest.parse::<LogFilter>()?),
            "status" => writeln!(stdout(), "status {}", serde_json::to_string(&obs_runtime::status().sink("log"))?)?,
            _ => return Err(format!("unknown command `{verb}`").into()),
        }
        writeln!(stdout(), "done")?;
    }
    Ok(())
}
