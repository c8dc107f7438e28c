//! Checks of free disk space and write access.

use std::io;
use std::path::Path;

use serde_json::json;

use crate::base::shared_folder;
use crate::checks::health::status::Health;

/// Less free space than this is degraded, in bytes.
const LOW: u64 = 64 << 20;

/// Less free space than this is unhealthy, in bytes.
const FULL: u64 = 1 << 20;

/// Checks a file that is appended to; `path` may be a link to it.
pub fn file(path: &Path) -> io::Result<Health> {
    let check = || {
        let path = path.canonicalize()?;
        shared_folder::open_to_append(&path)?;
        free_space(&path)
    };
    check().map_err(|error| naming(path, &error))
}

/// Checks a folder in which files are replaced, and which is made when it is needed.
#[cfg(feature = "prometheus")]
pub fn made_folder(path: &Path) -> io::Result<Health> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(path);
    let health = folder(existing).map_err(|error| naming(existing, &error))?;
    if existing == path {
        return Ok(health);
    }
    Ok(Health::degraded(format!("{} does not exist; it is made when metrics are written", path.display())))
}

/// Checks a folder in which files are replaced.
#[cfg(any(feature = "bigquery", feature = "prometheus"))]
pub fn folder(path: &Path) -> io::Result<Health> {
    // A name that nothing can be planted at.
    let trial = path.join(format!(".obs-health-{}", uuid::Uuid::now_v7().simple()));
    shared_folder::create(&trial, 0o600)?;
    std::fs::remove_file(&trial)?;
    free_space(path)
}

/// The error with the path that it is about.
fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn free_space(path: &Path) -> io::Result<Health> {
    let free = fs4::available_space(path)?;
    let health = match free {
        0..FULL => Health::unhealthy(format!("no disk space left: {free} bytes")),
        FULL..LOW => Health::degraded(format!("low disk space: {} MiB", free >> 20)),
        _ => Health::healthy(),
    };
    Ok(health.with_details(&json!({ "free_bytes": free })))
}
