//! A job to start from: a command, functions that are measured, an error with labels, a metric and a data-quality check.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use obs_runtime::{ErrorKind, JoinSet, dq_check, track_performance, tracked_command, with_error_tracking};

/// Why a file could not be loaded.
#[derive(Debug, thiserror::Error, ErrorKind)]
pub enum LoadError {
    /// `operation.error{error_type="unreadable"}`
    #[error("{file}: {source}", file = file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `operation.error{error_type="no_header"}`
    #[error("{file}: there is no header", file = file.display())]
    NoHeader {
        /// The file.
        file: PathBuf,
    },
}

static EMPTY_ROWS: AtomicU64 = AtomicU64::new(0);

/// Loads the CSV files of a folder, all at once. Returns the number of rows.
///
/// # Errors
/// The first file that cannot be loaded.
#[tracked_command(cron = "0 3 * * *", timezone = "Europe/Berlin", max_runtime = "30m")]
pub async fn load(folder: &Path, dry_run: bool) -> Result<u64, LoadError> {
    // Its tasks have the context of the command; those of tokio's JoinSet have none.
    let mut files = JoinSet::new();
    for file in csv_files(folder)? {
        files.spawn_blocking(move || load_file(&file, dry_run));
    }
    files.join_all().await.into_iter().sum()
}

#[with_error_tracking(context(folder = folder.display()))]
fn csv_files(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |source| LoadError::Unreadable { file: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(files.filter(|file| file.extension().is_some_and(|extension| extension == "csv")).collect())
}

#[track_performance]
#[with_error_tracking(context(file = file.display()))]
fn load_file(file: &Path, dry_run: bool) -> Result<u64, LoadError> {
    let unreadable = |source| LoadError::Unreadable { file: file.to_owned(), source };
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let mut lines = text.lines();
    if lines.next().is_none() {
        return Err(LoadError::NoHeader { file: file.to_owned() });
    }
    let (empty, rows): (Vec<_>, Vec<_>) = lines.partition(|line| line.trim().is_empty());
    tracing::info!(rows = rows.len(), dry_run, "loaded");
    let rows = rows.len() as u64;
    if !dry_run {
        EMPTY_ROWS.fetch_add(empty.len() as u64, Ordering::Relaxed);
        metrics::counter!("rows.loaded").increment(rows);
    }
    Ok(rows)
}

/// Rows without a value. `nightly dq run` and `run_dq_checks()` run it.
#[dq_check(dataset = "files", owner = "data@example.com", fail_above = 0)]
pub fn empty_rows() -> u64 {
    EMPTY_ROWS.load(Ordering::Relaxed)
}
