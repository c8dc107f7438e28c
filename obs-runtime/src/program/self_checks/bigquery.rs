//! Checks of `BigQuery` and of the file of budgets.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::bigquery::budget::lock_deadline::WAIT;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::retry::Retry;
use crate::bigquery::client::tracked_client::Client;
use crate::checks::health::status::Health;
use crate::program::self_checks::disk;

/// Connects and runs `SELECT 1` as a dry run, which is not billed. A failure is not retried: the check says what is wrong
/// now.
pub async fn reachable() -> Result<Health, BigQueryError> {
    let once = Retry { give_up_after: Duration::ZERO, ..Retry::default() };
    let client = Client::builder().retry(once).build().await?;
    client.query("SELECT 1").dry_run().await?;
    Ok(Health::healthy().with_details(&json!({ "project": client.project() })))
}

/// Checks that the folder is writable, and that the file of budgets, if it exists, is intact.
pub fn budgets(folder: &Path, file: &Path) -> Result<Health, String> {
    let of_folder = |error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(of_folder)?;
    if file.exists() {
        let of_file = |error: rusqlite::Error| format!("{}: {error}", file.display());
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(of_file)?;
        connection.busy_timeout(WAIT).map_err(of_file)?;
        let result: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(of_file)?;
        if result != "ok" {
            return Err(format!("{}: {result}", file.display()));
        }
    }
    disk::folder(folder).map_err(of_folder)
}
