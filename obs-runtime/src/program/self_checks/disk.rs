//! Is there room on the disk, and may it be written?

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use serde_json::json;

use crate::checks::health::status::Health;

/// Less room than this is worth a warning.
const LITTLE: u64 = 64 << 20;

/// Less room than this is none.
const NONE: u64 = 1 << 20;

/// A file that is appended to.
pub fn file(path: &Path) -> io::Result<Health> {
    OpenOptions::new().append(true).open(path)?;
    room(path)
}

/// A folder in which files are replaced.
#[cfg(any(feature = "bigquery", feature = "prometheus"))]
pub fn folder(path: &Path) -> io::Result<Health> {
    let trial = path.join(format!(".obs-health-{}", std::process::id()));
    std::fs::write(&trial, [])?;
    std::fs::remove_file(&trial)?;
    room(path)
}

fn room(path: &Path) -> io::Result<Health> {
    let free = fs4::available_space(path)?;
    let health = match free {
        0..NONE => Health::unhealthy(format!("no room is left: {free} bytes")),
        NONE..LITTLE => Health::degraded(format!("little room is left: {} MiB", free >> 20)),
        _ => Health::healthy(),
    };
    Ok(health.with_details(&json!({ "free_bytes": free })))
}
