//! Time limits for writes that make no progress and for whole responses, and turns for large ones.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How many bytes a connection writes before others have their turn. The system would take some megabytes at once, and a probe
/// would wait until every scrape has written as much.
const TURN: usize = 64 * 1024;

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
        let left = TURN - self.written;
        let written = Pin::new(&mut self.stream).poll_write(context, &bytes[..bytes.len().min(left)]);
        self.count(&written);
        self.with_timeout(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.yields(context) {
            return Poll::Pending;
        }
        let left = TURN - self.written;
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, &first(bytes, left));
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

/// The first bytes of some slices, at most this many.
fn first<'b>(slices: &'b [IoSlice<'_>], mut most: usize) -> Vec<IoSlice<'b>> {
    let mut first = Vec::with_capacity(slices.len());
    for slice in slices {
        let length = slice.len().min(most);
        first.push(IoSlice::new(&slice[..length]));
        most -= length;
        if most == 0 {
            break;
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_write_takes_one_turn_however_much_the_system_would_take() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(write_turns());
    }

    async fn write_turns() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = WriteTimeout::new(stream, Duration::from_mins(1), Duration::from_mins(1));
        let (head, body) = (vec![0; 300], vec![0; 4 << 20]);
        let slices = [IoSlice::new(&head), IoSlice::new(&body)];
        let written = poll_fn(|context| Pin::new(&mut stream).poll_write_vectored(context, &slices)).await;
        assert!((300..=TURN).contains(&written.unwrap()));
        // The rest of the turn, and one more.
        for _ in 0..2 {
            let written = poll_fn(|context| Pin::new(&mut stream).poll_write(context, &body)).await;
            assert!((1..=TURN).contains(&written.unwrap()));
        }
        drop(peer);
    }

    #[test]
    fn the_first_bytes_of_slices_are_taken() {
        let slices = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        let text = |most| first(&slices, most).iter().flat_map(|slice| slice.to_vec()).collect::<Vec<u8>>();
        assert_eq!([1, 2, 4, 9].map(text), [&b"a"[..], b"ab", b"abcd", b"abcde"].map(<[u8]>::to_vec));
    }
}
