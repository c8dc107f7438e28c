//! Time limits for writes that make no progress and for whole responses, and turns for large ones.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How many bytes a connection writes before others have their turn.
const TURN: usize = 256 * 1024;

/// A stream whose writes fail with `TimedOut` when the peer reads nothing for `limit`, or takes longer than `response_limit`
/// for the response to what it sent last.
#[derive(Debug)]
pub struct WriteTimeout {
    stream: TcpStream,
    limit: Duration,
    response_limit: Duration,
    /// Set while a write is pending.
    timer: Option<Pin<Box<Sleep>>>,
    /// Set from the first pending write after a read.
    response_timer: Option<Pin<Box<Sleep>>>,
    /// The bytes of this turn.
    written: usize,
}

impl WriteTimeout {
    pub const fn new(stream: TcpStream, limit: Duration, response_limit: Duration) -> Self {
        Self { stream, limit, response_limit, timer: None, response_timer: None, written: 0 }
    }

    /// Whether others have their turn now. The task is woken again.
    fn yields(&mut self, context: &Context<'_>) -> bool {
        let yields = self.written >= TURN;
        if yields {
            self.written = 0;
            context.waker().wake_by_ref();
        }
        yields
    }

    fn count(&mut self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(Ok(bytes)) => self.written = self.written.saturating_add(*bytes),
            Poll::Ready(Err(_)) | Poll::Pending => self.written = 0,
        }
    }

    /// Turns a write that is pending for too long into an error.
    fn with_timeout<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.limit)));
        let response_timer = self.response_timer.get_or_insert_with(|| Box::pin(sleep(self.response_limit)));
        if timer.as_mut().poll(context).is_pending() {
            ready!(response_timer.as_mut().poll(context));
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for WriteTimeout {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.response_timer = None;
        }
        read
    }
}

impl AsyncWrite for WriteTimeout {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.yields(context) {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.count(&written);
        self.with_timeout(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.yields(context) {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.count(&written);
        self.with_timeout(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
