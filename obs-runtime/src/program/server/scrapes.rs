//! Scrapes: rendered on a thread of their own, one text for all that wait, and refused when there are too many.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use tokio::sync::{Semaphore, oneshot};

use crate::exporters::prometheus::format::Format;
use crate::program::server::response::Response;

/// How many scrapes are answered at a time, from the request to the last byte.
const MAX_SCRAPES: usize = 128;

/// How many bytes of texts are kept for clients that read slowly.
const MAX_KEPT: usize = 32 << 20;

/// The scrapes of a server.
pub struct Scrapes {
    render: Box<dyn Fn(Format) -> String + Send + Sync>,
    slots: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    /// The bytes of texts that are still being sent.
    kept: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Waiting {
    scrapes: Vec<Scrape>,
    /// Whether a thread renders.
    is_rendering: bool,
}

struct Scrape {
    wanted: Wanted,
    answer: oneshot::Sender<Response>,
}

/// What a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The format.
    pub format: Format,
    /// Whether it accepts compression.
    pub gzip: bool,
}

impl Scrapes {
    pub fn new(render: impl Fn(Format) -> String + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            render: Box::new(render),
            slots: Arc::new(Semaphore::new(MAX_SCRAPES)),
            waiting: Mutex::default(),
            kept: Arc::default(),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a scrape by a text that is rendered from now on.
    pub async fn answer(self: Arc<Self>, wanted: Wanted) -> Response {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else { return Response::busy() };
        // The sender is gone when there is no thread or no room for another text.
        self.submit(wanted).await.unwrap_or_else(|_| Response::busy()).holding(slot)
    }

    /// Makes a scrape wait, and starts the thread that renders unless it runs.
    fn submit(self: Arc<Self>, wanted: Wanted) -> oneshot::Receiver<Response> {
        let (answer, answered) = oneshot::channel();
        let mut waiting = self.waiting();
        waiting.scrapes.push(Scrape { wanted, answer });
        let is_rendering = std::mem::replace(&mut waiting.is_rendering, true);
        drop(waiting);
        if !is_rendering {
            let scrapes = Arc::clone(&self);
            let rendering =
                std::thread::Builder::new().name("obs-scrape".to_owned()).spawn(move || scrapes.render_all());
            if rendering.is_err() {
                *self.waiting() = Waiting::default();
            }
        }
        answered
    }

    /// Answers all that wait, and those that come meanwhile.
    fn render_all(&self) {
        loop {
            let mut waiting = self.waiting();
            let mut scrapes = std::mem::take(&mut waiting.scrapes);
            waiting.is_rendering = !scrapes.is_empty();
            drop(waiting);
            if scrapes.is_empty() {
                return;
            }
            if self.kept.load(Ordering::Relaxed) >= MAX_KEPT {
                // Their senders are dropped.
                continue;
            }
            while let Some(Scrape { wanted, .. }) = scrapes.first() {
                let wanted = *wanted;
                let response = self.rendered(wanted);
                let (same, others): (Vec<_>, _) = scrapes.into_iter().partition(|scrape| scrape.wanted == wanted);
                for scrape in same {
                    // Fails when the client has gone.
                    let _ = scrape.answer.send(response.clone());
                }
                scrapes = others;
            }
        }
    }

    fn rendered(&self, wanted: Wanted) -> Response {
        let Ok(text) = catch_unwind(AssertUnwindSafe(|| (self.render)(wanted.format))) else {
            return Response::text("the handler panicked\n").status(500);
        };
        let length = text.len();
        let text = Response::text(Bytes::from(text)).content_type(wanted.format.content_type());
        let text = if wanted.gzip { text.compressed() } else { text };
        self.kept.fetch_add(length, Ordering::Relaxed);
        text.holding(Kept { bytes: length, of: Arc::clone(&self.kept) })
    }
}

/// Counts the bytes of a text until it is dropped.
struct Kept {
    bytes: usize,
    of: Arc<AtomicUsize>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
