//! `config` and `status`

use std::time::{Instant, SystemTime};

use console::Style;

use crate::checks::runner::details::timestamp;
use crate::config::settings::Setting;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::program::cli::arguments::Format;
use crate::program::cli::output::{OutputFailed, UNKNOWN, json, print, print_error, print_problems};
use crate::program::cli::table::{Cell, table};
use crate::program::doctor::diagnosis::current;
use crate::program::status::{SinkStatus, status};

/// Arguments of `config`.
#[derive(Clone, Debug, clap::Args)]
pub struct ConfigArguments {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print the allowed values and a description of each variable.
    #[arg(long)]
    help_values: bool,
}

impl ConfigArguments {
    pub(super) fn run(&self) -> Result<u8, OutputFailed> {
        let (_, settings, problems) = current();
        print(&match self.format {
            Format::Json => json(&settings, true),
            Format::Text if self.help_values => {
                let row = |setting: &Setting| {
                    [setting.name, setting.allowed, setting.default, setting.help].map(Cell::new).to_vec()
                };
                table(&["variable", "allowed", "default", "description"], &settings.iter().map(row).collect::<Vec<_>>())
            }
            Format::Text => {
                let row = |setting: &Setting| {
                    let value = Cell::new(setting.value.as_deref().unwrap_or_default());
                    vec![Cell::new(setting.name), value, Cell::new(setting.origin.as_str())]
                };
                table(&["variable", "value", "source"], &settings.iter().map(row).collect::<Vec<_>>())
            }
        })?;
        Ok(if print_problems(&problems) { UNKNOWN } else { 0 })
    }
}

/// Arguments of `status`.
#[derive(Clone, Debug, clap::Args)]
pub struct StatusArguments {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl StatusArguments {
    pub(super) fn run(&self) -> Result<u8, OutputFailed> {
        // An exporter that has not flushed has no status yet.
        global::flush(FlushMode::Ongoing(Instant::now()));
        let status = status();
        print(&match self.format {
            Format::Json => json(&status, true),
            Format::Text => {
                let rows: Vec<Vec<Cell>> = status.sinks.iter().map(row).collect();
                let sinks = table(&["sink", "last success", "queued", "dropped", "failure"], &rows);
                let full: Vec<Vec<Cell>> = status.full_metrics.iter().map(|name| vec![Cell::new(name)]).collect();
                if full.is_empty() { sinks } else { sinks + "\n" + &table(&["metrics at OBS_MAX_SERIES"], &full) }
            }
        })?;
        if status.initialised {
            return Ok(0);
        }
        print_error("obs is not initialised");
        Ok(UNKNOWN)
    }
}

fn row(sink: &SinkStatus) -> Vec<Cell> {
    let dropped: Vec<String> = sink.dropped.iter().map(|(reason, number)| format!("{number} {reason}")).collect();
    let last = |at: SystemTime| timestamp(at);
    vec![
        Cell::new(&sink.name),
        Cell::new(sink.last_success.map(last).unwrap_or_default()),
        Cell::number(sink.queued.to_string()),
        Cell::new(dropped.join(", ")).style(Style::new().yellow()),
        Cell::new(sink.failure.as_deref().unwrap_or_default()).style(Style::new().red()),
    ]
}
