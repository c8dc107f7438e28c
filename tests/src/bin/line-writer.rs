//! Executes the commands on its standard input and confirms each with `done`: `line TEXT`, `many COUNT SIZE`, `level LEVEL`,
//! `dropped`.
//!
//! With the argument `text-file` it writes text to `LOG_FILE`, with `debug-file` also debug lines.

use std::io::{Write as _, stdin, stdout};

use obs_runtime::{Level, LogFilter, LogFormat, Observability};

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
            "level" => guard.log_level().set(rest.parse::<LogFilter>()?),
            "dropped" => {
                let metrics = obs_runtime::metrics();
                let dropped = metrics.value("obs.dropped", &[("sink", "log"), ("reason", "write")]);
                writeln!(stdout(), "dropped {}", dropped.unwrap_or_default())?;
            }
            _ => return Err(format!("unknown command `{verb}`").into()),
        }
        writeln!(stdout(), "done")?;
    }
    Ok(())
}
