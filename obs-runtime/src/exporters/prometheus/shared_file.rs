//! Files that other users of the machine read or lock, under any umask of this process.

#[cfg(unix)]
use std::fs::Permissions;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::exporters::prometheus::textfile_error::TextfileError;

/// Replaces a file atomically, by way of `temporary` in the same folder. Every user can read it, as `node_exporter` runs as
/// another one.
///
/// # Errors
/// If one of the files cannot be written; then `path` is unchanged.
pub fn replace(path: &Path, temporary: &Path, text: &str) -> Result<(), TextfileError> {
    let written = write(temporary, text)
        .map_err(TextfileError::io("write", temporary))
        .and_then(|()| fs::rename(temporary, path).map_err(TextfileError::io("replace", path)));
    if written.is_err() {
        // Best effort: the first error is returned.
        let _ = fs::remove_file(temporary);
    }
    written
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = match File::create(path) {
        // Left behind by another user's process that was killed.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs::remove_file(path)?;
            File::create(path)?
        }
        created => created?,
    };
    file.write_all(text.as_bytes())?;
    allow(&file, 0o644)
}

/// Opens a lock file that the processes of all users can lock, and creates it if it is missing.
///
/// # Errors
/// If it can be neither opened nor created.
pub fn open_lock(path: &Path) -> Result<File, TextfileError> {
    let open = |create: bool| OpenOptions::new().create_new(create).append(true).open(path);
    // Not both in one call: Linux refuses to open another user's file with `O_CREAT` in a folder such as /tmp.
    let opened = match open(false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match open(true) {
            Ok(file) => allow(&file, 0o666).map(|()| file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open(false),
            Err(error) => Err(error),
        },
        Ok(file) => {
            // An earlier version left the mode to the umask. Only the owner can change it.
            let _ = allow(&file, 0o666);
            Ok(file)
        }
        failed => failed,
    };
    opened.map_err(TextfileError::io("open the lock", path))
}

#[cfg(unix)]
fn allow(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn allow(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}
