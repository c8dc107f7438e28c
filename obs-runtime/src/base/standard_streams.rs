//! Standard output and standard error, written to under the locks that the whole program shares, but not at any price.
//!
//! Whoever hangs with such a lock in its hands makes everybody wait who writes there. A thread in a [`Hurry`] waits for
//! [`PATIENCE`] only. From then on, and until the lock is free again, what any thread writes here goes past it.

use std::cell::Cell;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a thread in a hurry waits for a lock.
const PATIENCE: Duration = Duration::from_millis(100);

static OUTPUT: Queue = Queue::new();
static ERROR: Queue = Queue::new();

thread_local! {
    static HURRIES: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, its thread waits for neither stream's lock for long.
#[derive(Debug)]
pub struct Hurry {
    before: bool,
    /// It is its thread's.
    _here: PhantomData<*const ()>,
}

impl Hurry {
    /// Puts this thread in a hurry.
    pub fn begin() -> Self {
        Self { before: HURRIES.replace(true), _here: PhantomData }
    }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        HURRIES.set(self.before);
    }
}

/// One of the two streams.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Those who wait for a stream's lock and are in a hurry.
struct Queue {
    /// Whether somebody holds the lock for too long.
    is_stuck: AtomicBool,
    /// The thread that waits in their place.
    waiter: Mutex<Option<Sender<Turn>>>,
}

impl Queue {
    const fn new() -> Self {
        Self { is_stuck: AtomicBool::new(false), waiter: Mutex::new(None) }
    }
}

/// Something to be written when the lock is free. Whoever writes it takes it.
struct Turn {
    bytes: Arc<Mutex<Option<Vec<u8>>>>,
    done: SyncSender<io::Result<()>>,
}

impl Stream {
    const fn queue(self) -> &'static Queue {
        match self {
            Self::Output => &OUTPUT,
            Self::Error => &ERROR,
        }
    }

    /// Writes all of it at once.
    pub fn write(self, bytes: &[u8]) -> io::Result<()> {
        if self.queue().is_stuck.load(Ordering::Relaxed) {
            self.write_past(bytes)
        } else if HURRIES.try_with(Cell::get).unwrap_or(false) {
            self.write_in_turn(bytes)
        } else {
            self.locked(|stream| write(stream, bytes))
        }
    }

    fn locked<R>(self, with: impl FnOnce(&mut dyn Write) -> R) -> R {
        match self {
            Self::Output => with(&mut io::stdout().lock()),
            Self::Error => with(&mut io::stderr().lock()),
        }
    }

    /// Has it written by a thread that waits for the lock as long as it takes, unless that takes too long.
    fn write_in_turn(self, bytes: &[u8]) -> io::Result<()> {
        let (done, end) = mpsc::sync_channel(1);
        let waiting = Arc::new(Mutex::new(Some(bytes.to_vec())));
        if !self.queue_up(Turn { bytes: Arc::clone(&waiting), done }) {
            return self.locked(|stream| write(stream, bytes));
        }
        if let Ok(written) = end.recv_timeout(PATIENCE) {
            return written;
        }
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let late = waiting.take();
        if late.is_some() {
            self.queue().is_stuck.store(true, Ordering::Relaxed);
        }
        drop(waiting);
        match late {
            Some(bytes) => self.write_past(&bytes),
            // It is being written at this moment.
            None => end.recv().unwrap_or(Ok(())),
        }
    }

    /// Gives it to the thread that waits, and begins that if need be; whether there is one.
    fn queue_up(self, turn: Turn) -> bool {
        let mut waiter = self.queue().waiter.lock().unwrap_or_else(PoisonError::into_inner);
        if waiter.is_none() {
            let (sender, turns) = mpsc::channel::<Turn>();
            let wait = move || turns.into_iter().for_each(|turn| self.take(&turn));
            let begun = thread::Builder::new().name("obs-standard".to_owned()).spawn(wait);
            *waiter = begun.is_ok().then_some(sender);
        }
        waiter.as_ref().is_some_and(|waiter| waiter.send(turn).is_ok())
    }

    /// Waits for the lock and then writes what nobody has written meanwhile.
    fn take(self, turn: &Turn) {
        self.locked(|stream| {
            let mut waiting = turn.bytes.lock().unwrap_or_else(PoisonError::into_inner);
            let bytes = waiting.take();
            // Under both locks: whoever is late sees that its bytes are gone and says nothing of a lock that is held.
            self.queue().is_stuck.store(false, Ordering::Relaxed);
            drop(waiting);
            if let Some(bytes) = bytes {
                // Nobody listens any more when it was late.
                let _ = turn.done.send(write(stream, &bytes));
            }
        });
    }

    /// Writes it without the lock, by another handle of the same file.
    #[cfg(unix)]
    fn write_past(self, bytes: &[u8]) -> io::Result<()> {
        use std::os::fd::AsFd;
        let handle = match self {
            Self::Output => io::stdout().as_fd().try_clone_to_owned()?,
            Self::Error => io::stderr().as_fd().try_clone_to_owned()?,
        };
        std::fs::File::from(handle).write_all(bytes)
    }

    /// Where a stream has no second handle, there is no way past its lock.
    #[cfg(not(unix))]
    fn write_past(self, bytes: &[u8]) -> io::Result<()> {
        self.locked(|stream| write(stream, bytes))
    }
}

fn write(stream: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    // Standard output is buffered by lines on a terminal, and by more than that elsewhere.
    stream.flush()
}
