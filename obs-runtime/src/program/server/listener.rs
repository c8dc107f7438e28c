//! The endpoint that others ask: `/metrics` and health, on a thread of its own.
//!
//! Whatever a client does, it harms neither the program nor other clients: it has a time in which to ask and one in which
//! to take its answer, and when there are too many the one that was idle longest has to leave.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::program::server::connections::Connections;
use crate::program::server::error::ServerError;
use crate::program::server::routes::Routes;
use crate::program::server::write_timeout::WriteTimeout;

/// How long the end of the server is waited for: a handler that is running cannot be interrupted.
const END: Duration = Duration::from_secs(1);

/// How long is waited after a connection could not be accepted, for instance because there are too many open files.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// The largest head of a request.
const HEAD: usize = 16 * 1024;

/// What clients are granted.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Connections at a time.
    connections: usize,
    /// In which the head of a request has to come, from the connection's start or the answer before.
    asking: Duration,
    /// For which the client may take nothing of its answer.
    taking: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 128, asking: Duration::from_secs(20), taking: Duration::from_secs(10) }
    }
}

/// An HTTP server on a thread named `obs-server`. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Dropped to end it.
    stop: Option<oneshot::Sender<Infallible>>,
    /// Closed when it has ended.
    ended: Mutex<Receiver<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on the address (port 0: any free port) and answers by these routes. When this returns, connections are
    /// accepted.
    ///
    /// # Errors
    /// When it cannot listen there: says which variables to change and how. When the thread cannot be started.
    pub fn start(address: SocketAddr, routes: Routes) -> Result<Self, ServerError> {
        Self::start_with(address, routes, Limits::default())
    }

    fn start_with(address: SocketAddr, routes: Routes, limits: Limits) -> Result<Self, ServerError> {
        let bind = |source| ServerError::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(ServerError::Start)?;
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(ServerError::Start)?
        };
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = channel();
        let thread = std::thread::Builder::new()
            .name("obs-server".to_owned())
            .spawn(move || run(&runtime, listener, routes, limits, stopped, end))
            .map_err(ServerError::Start)?;
        Ok(Self { address, stop: Some(stop), ended: Mutex::new(ended), thread: Some(thread) })
    }

    /// Where it listens, with the port that was found for port 0.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(END) == Err(RecvTimeoutError::Disconnected)
            && let Some(thread) = self.thread.take()
        {
            // It caught every panic of a handler; there is nothing else to learn from its result.
            let _ = thread.join();
        }
    }
}

fn run(
    runtime: &Runtime,
    listener: tokio::net::TcpListener,
    routes: Routes,
    limits: Limits,
    stopped: oneshot::Receiver<Infallible>,
    _end: Sender<Infallible>,
) {
    runtime.spawn(accept(listener, Arc::new(routes), limits));
    // An error means that the sender was dropped, which is how it is told to stop.
    let _ = runtime.block_on(stopped);
}

async fn accept(listener: tokio::net::TcpListener, routes: Arc<Routes>, limits: Limits) {
    let connections = Arc::new(Connections::new(limits.connections));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => serve(stream, &routes, &connections, limits),
            Err(_) => tokio::time::sleep(AFTER_REFUSAL).await,
        }
    }
}

fn serve(stream: TcpStream, routes: &Arc<Routes>, connections: &Arc<Connections>, limits: Limits) {
    let place = connections.enter();
    let number = place.number();
    let routes = Arc::clone(routes);
    let service = service_fn(move |request| {
        let response = routes.answer(&request);
        place.was_active();
        async move { Ok::<_, Infallible>(response.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.asking)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(WriteTimeout::new(stream, limits.taking)), service);
    let task = tokio::spawn(async move {
        // What goes wrong on a connection is the client's affair.
        let _ = connection.await;
    });
    connections.attach(number, task.abort_handle());
}

#[cfg(test)]
mod tests;
