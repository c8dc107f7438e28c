//! `catalogue`

use crate::program::cli::arguments::Format;
use crate::program::cli::output::{OutputFailed, UNKNOWN, json, print, print_problems};
use crate::program::cli::table::{Cell, table};
use crate::program::inventory::{Catalogue, Entry, catalogue};

/// Arguments of `catalogue`.
#[derive(Clone, Debug, clap::Args)]
pub struct CatalogueArguments {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl CatalogueArguments {
    pub(super) fn run(&self) -> Result<u8, OutputFailed> {
        let catalogue = catalogue();
        print(&match self.format {
            Format::Json => json(&catalogue, true),
            Format::Text => text(&catalogue),
        })?;
        print_problems(&catalogue.shared_names);
        Ok(if print_problems(&catalogue.problems) { UNKNOWN } else { 0 })
    }
}

fn text(catalogue: &Catalogue) -> String {
    let entries = [&catalogue.callsites, &catalogue.health_checks, &catalogue.dq_checks].into_iter().flatten();
    let rows: Vec<Vec<Cell>> = entries.map(row).collect();
    let heading = ["name", "attribute", "schedule", "thresholds", "owner", "runbook", "description", "module", "place"];
    let families: Vec<Vec<Cell>> = (catalogue.metrics.iter())
        .map(|family| vec![Cell::new(family.name), Cell::new(family.labels.join(", ")), Cell::new(family.help)])
        .collect();
    format!("{}\n{}", table(&heading, &rows), table(&["metric", "labels", "description"], &families))
}

fn row(entry: &Entry) -> Vec<Cell> {
    let place = entry.place;
    vec![
        Cell::new(&entry.name),
        Cell::new(entry.attribute),
        Cell::new(entry.schedule.map(|schedule| schedule.cron).unwrap_or_default()),
        Cell::new(entry.quality.as_ref().map(|quality| quality.thresholds.join(", ")).unwrap_or_default()),
        Cell::new(entry.owner.unwrap_or_default()),
        Cell::new(entry.runbook.unwrap_or_default()),
        Cell::new(entry.description.unwrap_or_default()),
        Cell::new(place.module),
        Cell::new(format!("{}:{}", place.file, place.line)),
    ]
}
