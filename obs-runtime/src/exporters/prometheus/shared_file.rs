//! Files that other users of the machine read or lock, under any umask of this process.

#[cfg(unix)]
use std::fs::Permissions;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use crate::base::shared_folder;
use crate::exporters::prometheus::textfile_error::TextfileError;

/// The end of the names of files that replace others. `node_exporter` ignores them.
const TEMPORARY: &str = ".tmp";

/// After this time a temporary file is one of a process that was killed.
const ABANDONED: Duration = Duration::from_hours(1);

/// Replaces a file atomically, by way of a new one beside it. Every user can read it, as `node_exporter` runs as another one.
/// The text is on the disk before the old file goes.
///
/// # Errors
/// If a file cannot be written in the folder; then `path` is unchanged.
pub fn replace(path: &Path, text: &str) -> Result<(), TextfileError> {
    let mut name = path.as_os_str().to_owned();
    // A name that nothing can be planted at.
    name.push(format!(".{}{TEMPORARY}", Uuid::now_v7().simple()));
    let temporary = PathBuf::from(name);
    let written = write(&temporary, text)
        .map_err(TextfileError::io("write", path))
        .and_then(|()| fs::rename(&temporary, path).map_err(TextfileError::io("replace", path)));
    if written.is_err() {
        // Best effort: the first error is returned.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = shared_folder::create(path, 0o644)?;
    file.write_all(text.as_bytes())?;
    allow(&file, 0o644)?;
    file.sync_data()
}

/// A file's content; `None` if it is missing.
///
/// # Errors
/// If it cannot be read or is not a regular file.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, TextfileError> {
    let mut content = Vec::new();
    match shared_folder::open_to_read(path).and_then(|mut file| file.read_to_end(&mut content)) {
        Ok(_) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TextfileError::io("read", path)(error)),
    }
}

/// Opens a lock file that the processes of all users can lock, and creates it if it is missing.
///
/// # Errors
/// If it can be neither opened nor created.
pub fn open_lock(path: &Path) -> Result<File, TextfileError> {
    let opened = shared_folder::open_or_create(path, 0o666).inspect(|file| {
        // Against the umask. Only the owner can change it.
        let _ = allow(file, 0o666);
    });
    opened.map_err(TextfileError::io("open the lock", path))
}

/// The regular files whose names begin with that of `path` and a dot, and end with `suffix`, sorted. Removes the temporary
/// files that killed processes left.
///
/// # Errors
/// If the folder cannot be read.
pub fn beside(path: &Path, suffix: &str) -> Result<Vec<PathBuf>, TextfileError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(Vec::new());
    };
    let prefix = format!("{}.", name.to_string_lossy());
    let list = || -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !name.starts_with(&prefix) || !entry.file_type()?.is_file() {
                continue;
            }
            if name.ends_with(suffix) {
                found.push(entry.path());
            } else if name.ends_with(TEMPORARY) && is_abandoned(&entry) {
                // Best effort: another user's file can stay.
                let _ = fs::remove_file(entry.path());
            }
        }
        found.sort();
        Ok(found)
    };
    list().map_err(TextfileError::io("list", folder))
}

fn is_abandoned(entry: &fs::DirEntry) -> bool {
    let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|modified| modified.elapsed());
    age.is_ok_and(|age| age.is_ok_and(|age| age > ABANDONED))
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
