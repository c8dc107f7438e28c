//! A job that initialises by its attribute alone.

use std::fmt;

use obs_runtime::{track_performance, tracked_command};

#[derive(Debug)]
struct NoRows(String);

impl fmt::Display for NoRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no rows in {}", self.0)
    }
}

impl std::error::Error for NoRows {}

#[track_performance]
fn load(table: &str) -> Result<usize, NoRows> {
    assert_ne!(table, "panic");
    if table == "empty" { Err(NoRows(table.to_owned())) } else { Ok(table.len()) }
}

#[tracked_command(init, tags(kind = "full"))]
fn main() -> Result<(), NoRows> {
    let table = std::env::args().nth(1).unwrap_or_default();
    load(&table)?;
    println!("done");
    Ok(())
}
