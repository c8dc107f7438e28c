//! Lines written to a file descriptor with a bounded wait for its reader.

use std::borrow::Cow;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open};
use rustix::io::Errno;

use crate::base::clock;

/// How long a line waits for room in a pipe, socket or terminal.
const WRITE_TIMEOUT: Duration = Duration::from_millis(100);

/// The lines written to one descriptor.
#[derive(Debug)]
pub struct BoundedWriter {
    /// The last line timed out.
    in_backoff: bool,
    /// The last line was written in part.
    is_torn: bool,
    reopened: Option<Reopened>,
}

/// A pipe or terminal that was opened a second time, for writes that do not block. `O_NONBLOCK` cannot be set on the first
/// descriptor: it would also hold for the rest of the program and for other processes.
#[derive(Debug)]
struct Reopened {
    /// Of the first descriptor at that time. The program can put another file in its place.
    stat: Stat,
    /// `None` if it cannot be opened again.
    descriptor: Option<OwnedFd>,
}

impl BoundedWriter {
    pub const fn new() -> Self {
        Self { in_backoff: false, is_torn: false, reopened: None }
    }

    /// Writes a line, its end of line included, with one `write` if there is room for it. Waits for room for
    /// [`WRITE_TIMEOUT`]; after a timeout not at all, until there is room again.
    ///
    /// # Errors
    /// [`TimedOut`](io::ErrorKind::TimedOut) when there was no room in time, else that of the system. A part of the line may
    /// have been written; the next line begins with an end of line then.
    pub fn write_line(&mut self, descriptor: BorrowedFd<'_>, line: &[u8]) -> io::Result<()> {
        let line = if self.is_torn { Cow::Owned([b"\n", line].concat()) } else { Cow::Borrowed(line) };
        let mut rest = &*line;
        let timeout = if self.in_backoff { Duration::ZERO } else { WRITE_TIMEOUT };
        let written = write_all(self.nonblocking(descriptor)?, &mut rest, timeout);
        if rest.len() < line.len() {
            self.is_torn = !rest.is_empty();
        }
        self.in_backoff = written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        written
    }

    /// The same file, to be written to without blocking where that is possible.
    fn nonblocking<'a>(&'a mut self, descriptor: BorrowedFd<'a>) -> io::Result<BorrowedFd<'a>> {
        let stat = fstat(descriptor)?;
        let is_same = |reopened: &Reopened| (reopened.stat.st_dev, reopened.stat.st_ino) == (stat.st_dev, stat.st_ino);
        if !self.reopened.as_ref().is_some_and(is_same) {
            self.reopened = Some(Reopened { stat, descriptor: reopen(descriptor, &stat) });
        }
        let reopened = self.reopened.as_ref().and_then(|reopened| reopened.descriptor.as_ref());
        Ok(reopened.map_or(descriptor, OwnedFd::as_fd))
    }
}

/// Opens a pipe or a terminal again. Not a regular file, whose position would be another one, nor a socket, which cannot be
/// opened.
fn reopen(descriptor: BorrowedFd<'_>, stat: &Stat) -> Option<OwnedFd> {
    if !matches!(FileType::from_raw_mode(stat.st_mode), FileType::Fifo | FileType::CharacterDevice) {
        return None;
    }
    let path = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
    open(path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// Writes `rest`, and takes from it what was written.
fn write_all(descriptor: BorrowedFd<'_>, rest: &mut &[u8], timeout: Duration) -> io::Result<()> {
    let deadline = clock::deadline(Instant::now(), timeout);
    while !rest.is_empty() {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let remaining = Timespec::try_from(remaining).unwrap_or_default();
        // Before every write, as a descriptor that was not opened again blocks.
        match poll(&mut [PollFd::from_borrowed_fd(descriptor, PollFlags::OUT)], Some(&remaining)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        match rustix::io::write(descriptor, rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => *rest = &rest[written..],
            Err(Errno::AGAIN) if Instant::now() >= deadline => return Err(io::ErrorKind::TimedOut.into()),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, PipeReader, Read as _, pipe};

    use rustix::fs::fcntl_getfl;

    use super::*;

    const LINE: &[u8] = b"a line that no write may divide\n";

    /// Writes lines until the pipe is full, and says how many there are in it.
    fn fill(writer: &mut BoundedWriter, descriptor: BorrowedFd<'_>) -> usize {
        (0..100_000).find(|_| writer.write_line(descriptor, LINE).is_err()).unwrap()
    }

    fn read(reader: &mut PipeReader, bytes: usize) -> Vec<u8> {
        let mut read = vec![0; bytes];
        reader.read_exact(&mut read).unwrap();
        read
    }

    #[test]
    fn a_pipe_that_is_not_read_is_waited_for_once_and_takes_lines_again_when_there_is_room() {
        let (mut reader, pipe) = pipe().unwrap();
        let mut writer = BoundedWriter::new();
        let lines = fill(&mut writer, pipe.as_fd());
        let begun = Instant::now();
        for _ in 0..10_000 {
            assert_eq!(writer.write_line(pipe.as_fd(), LINE).unwrap_err().kind(), ErrorKind::TimedOut);
        }
        assert!(begun.elapsed() < WRITE_TIMEOUT * 1_000, "no more waiting");
        assert_eq!(read(&mut reader, lines * LINE.len()), LINE.repeat(lines));
        writer.write_line(pipe.as_fd(), b"again\n").unwrap();
        assert_eq!(read(&mut reader, 6), b"again\n");
        assert!(!fcntl_getfl(&pipe).unwrap().contains(OFlags::NONBLOCK), "the program's own writes block as before");
    }

    #[test]
    fn a_line_that_fits_into_the_pipe_is_whole_and_one_that_does_not_ends_where_the_next_one_begins() {
        let (mut reader, pipe) = pipe().unwrap();
        let mut writer = BoundedWriter::new();
        let line = [&*vec![b'x'; 6_000], b"\n"].concat();
        writer.write_line(pipe.as_fd(), &line).unwrap();
        assert_eq!(read(&mut reader, line.len()), line);

        let huge = vec![b'y'; 4 << 20];
        assert_eq!(writer.write_line(pipe.as_fd(), &huge).unwrap_err().kind(), ErrorKind::TimedOut);
        let mut part = vec![0; 4 << 20];
        let length = reader.read(&mut part).unwrap();
        assert!(length > 0 && part[..length].iter().all(|byte| *byte == b'y'));
        writer.write_line(pipe.as_fd(), b"next\n").unwrap();
        writer.write_line(pipe.as_fd(), b"last\n").unwrap();
        drop((writer, pipe));
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert_eq!(rest.trim_start_matches('y'), "\nnext\nlast\n");
    }

    #[test]
    fn a_file_in_the_place_of_another_is_written_to() {
        let ((mut first_reader, first), (mut second_reader, second)) = (pipe().unwrap(), pipe().unwrap());
        let mut writer = BoundedWriter::new();
        writer.write_line(first.as_fd(), b"1\n").unwrap();
        writer.write_line(second.as_fd(), b"2\n").unwrap();
        assert_eq!((read(&mut first_reader, 2), read(&mut second_reader, 2)), (b"1\n".into(), b"2\n".into()));
        drop(first);
        assert_eq!(first_reader.read(&mut [0]).unwrap(), 0, "nothing keeps the first one open");
    }

    #[test]
    fn errors_are_those_of_the_system() {
        let (reader, pipe) = pipe().unwrap();
        drop(reader);
        assert_eq!(BoundedWriter::new().write_line(pipe.as_fd(), LINE).unwrap_err().kind(), ErrorKind::BrokenPipe);
        let full = std::fs::File::options().write(true).open("/dev/full");
        if let Ok(full) = full {
            assert_eq!(BoundedWriter::new().write_line(full.as_fd(), LINE).unwrap_err().kind(), ErrorKind::StorageFull);
        }
    }
}
