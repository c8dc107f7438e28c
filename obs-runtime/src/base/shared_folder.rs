//! Opens files in folders in which other users can put links, pipes and devices.
//!
//! Nothing here follows a symbolic link, waits for the other end of a pipe, or writes to a file that has a second name.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Opens an existing regular file for reading.
///
/// # Errors
/// If it is missing, cannot be opened, or is something else.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().read(true))
}

/// Opens an existing regular file for appending.
///
/// # Errors
/// As [`open_to_read`], and if the file has a second name, which may stand in another folder.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    let file = open(path, OpenOptions::new().append(true))?;
    check(&file.metadata()?)?;
    Ok(file)
}

/// Checks that there is a regular file with one name, without opening it.
///
/// # Errors
/// If there is something else or nothing.
#[cfg(feature = "bigquery")]
pub fn check_to_write(path: &Path) -> io::Result<()> {
    check(&path.symlink_metadata()?)
}

fn check(found: &Metadata) -> io::Result<()> {
    if !found.is_file() {
        return Err(refused(kind(found)));
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(found) > 1 {
        return Err(refused("one with several names (hard links)"));
    }
    Ok(())
}

/// Opens a regular file for appending, and creates it with this mode, less the umask, if it is missing.
///
/// # Errors
/// As [`open_to_append`], and if it cannot be created.
pub fn open_or_create(path: &Path, mode: u32) -> io::Result<File> {
    // Two calls: Linux refuses to open another user's file with `O_CREAT` in a folder such as /tmp.
    match open_to_append(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match create(path, mode) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_to_append(path),
            created => created,
        },
        opened => opened,
    }
}

/// Creates a file with this mode, less the umask, and opens it for appending.
///
/// # Errors
/// If there is anything at the path, a link included, or the file cannot be created.
pub fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;

        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    }
    let file = options.open(path).map_err(|error| match path.symlink_metadata() {
        Ok(found) if !found.is_file() => refused(kind(&found)),
        _ => error,
    })?;
    let found = file.metadata()?;
    if found.is_file() { Ok(file) } else { Err(refused(kind(&found))) }
}

/// What is at a path instead of a regular file.
fn kind(found: &Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;

        let kind = found.file_type();
        if kind.is_fifo() {
            return "a named pipe";
        } else if kind.is_socket() {
            return "a socket";
        } else if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    match (found.is_symlink(), found.is_dir()) {
        (true, _) => "a symbolic link, which is not followed",
        (_, true) => "a folder",
        _ => "not a regular file",
    }
}

fn refused(found: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("expected a regular file, found {found}"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::{fs, thread};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn what_is_no_regular_file_of_one_name_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("target"), "kept").unwrap();
        symlink(at("target"), at("link")).unwrap();
        symlink(at("missing"), at("dangling")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        mknodat(CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        mknodat(CWD, at("read"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let _reader = OpenOptions::new().read(true).write(true).open(at("read")).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        for (name, found) in [
            ("link", "a symbolic link"),
            ("dangling", "a symbolic link"),
            ("folder", "a folder"),
            ("pipe", "a named pipe"),
            ("read", "a named pipe"),
            ("socket", "a socket"),
            ("/dev/null", "a device"),
        ] {
            for opened in [open_to_read(&at(name)), open_to_append(&at(name)), open_or_create(&at(name), 0o600)] {
                let error = opened.unwrap_err().to_string();
                assert!(
                    error.starts_with("expected a regular file, found ") && error.contains(found),
                    "{name}: {error}"
                );
            }
            assert_eq!(create(&at(name), 0o600).unwrap_err().kind(), io::ErrorKind::AlreadyExists, "{name}");
        }
        assert!(!at("missing").exists());
        fs::hard_link(at("target"), at("twin")).unwrap();
        let error = open_or_create(&at("twin"), 0o600).unwrap_err().to_string();
        assert!(error.contains("hard links"), "{error}");
        open_to_read(&at("twin")).unwrap();
        assert_eq!(fs::read(at("target")).unwrap(), b"kept");
    }

    #[test]
    fn one_of_several_creators_creates_the_file_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| open_or_create(&path, 0o640).unwrap());
            }
        });
        assert_eq!(path.metadata().unwrap().permissions().mode() & !0o640 & 0o777, 0);
    }
}
