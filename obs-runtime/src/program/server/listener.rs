//! The HTTP server for `/metrics` and health, on a thread of its own.
//!
//! A client cannot block the program or other clients: reading a request and writing a response have time limits, a new
//! connection closes an idle one when there are too many, and probes are answered while metrics are rendered and sent.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::program::server::connections::{ConnectionGuard, Connections};
use crate::program::server::error::ServerError;
use crate::program::server::routes::Routes;
use crate::program::server::write_timeout::WriteTimeout;

/// How long a drop waits for the thread. A handler that is running cannot be interrupted.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The pause after a failed accept, for example because of too many open files.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// After how many turns of connections new ones, and new requests, are looked for.
const POLLS: u32 = 8;

/// How many clients may wait to be accepted. The system may allow fewer.
const BACKLOG: u32 = 4096;

/// The largest request head, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// Limits for clients.
#[derive(Clone, Copy, Debug)]
struct Limits {
    connections: usize,
    /// For the first request of a connection, when others wait.
    patience: Duration,
    /// For the head of a request, from the start of the connection or the previous response.
    read_timeout: Duration,
    /// For a write that makes no progress.
    write_timeout: Duration,
    /// For a whole response.
    response_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            patience: Duration::from_millis(500),
            read_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_mins(1),
        }
    }
}

/// An HTTP server on a thread named `obs-server`. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Dropping it ends the server.
    stop: Option<oneshot::Sender<Infallible>>,
    /// Closed when the thread ends.
    ended: Mutex<Receiver<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on the address (port 0: any free port) and accepts connections when it returns.
    ///
    /// # Errors
    /// If it cannot listen there, with the variables to change, or the thread cannot be started.
    pub fn start(address: SocketAddr, routes: Routes) -> Result<Self, ServerError> {
        Self::start_with(address, routes, Limits::default())
    }

    fn start_with(address: SocketAddr, routes: Routes, limits: Limits) -> Result<Self, ServerError> {
        let bind = |source| ServerError::Bind { address, source };
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_io().enable_time().event_interval(POLLS).build().map_err(ServerError::Start)?;
        let listener = {
            let _context = runtime.enter();
            listen(address)
        };
        let runtime = ServerRuntime(Some(runtime));
        let listener = listener.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let routes = routes.on(address.ip());
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = channel();
        let thread = std::thread::Builder::new()
            .name("obs-server".to_owned())
            .spawn(move || run(&runtime, listener, routes, limits, stopped, end))
            .map_err(ServerError::Start)?;
        Ok(Self { address, stop: Some(stop), ended: Mutex::new(ended), thread: Some(thread) })
    }

    /// The address that it listens on, with the actual port.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(SHUTDOWN_TIMEOUT) == Err(RecvTimeoutError::Disconnected)
            && let Some(thread) = self.thread.take()
        {
            // Panics of handlers were caught already.
            let _ = thread.join();
        }
    }
}

/// A runtime that may be dropped anywhere, also in the async `main` of a program, where the drop of a [`Runtime`] panics.
struct ServerRuntime(Option<Runtime>);

impl Drop for ServerRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As the standard library does: on Windows it would let two processes have the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn run(
    runtime: &ServerRuntime,
    listener: TcpListener,
    routes: Routes,
    limits: Limits,
    stopped: oneshot::Receiver<Infallible>,
    _end: Sender<Infallible>,
) {
    let Some(runtime) = &runtime.0 else { return };
    runtime.spawn(accept(listener, Arc::new(routes), limits));
    // Returns when the sender is dropped.
    let _ = runtime.block_on(stopped);
}

async fn accept(listener: TcpListener, routes: Arc<Routes>, limits: Limits) {
    let connections = Arc::new(Connections::new(limits.connections, limits.patience));
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Otherwise the connection is closed.
                if let Some(guard) = connections.add(address.ip()).await {
                    serve(stream, &routes, guard, &connections, limits);
                }
            }
            Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
        }
    }
}

fn serve(stream: TcpStream, routes: &Arc<Routes>, guard: ConnectionGuard, connections: &Connections, limits: Limits) {
    let number = guard.number();
    let routes = Arc::clone(routes);
    let service = service_fn(move |request| {
        let response = routes.respond(&request, guard.begin_request());
        async move { Ok::<_, Infallible>(response.await.map(Full::new)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.read_timeout)
        .max_buf_size(MAX_HEAD)
        .serve_connection(
            TokioIo::new(WriteTimeout::new(stream, limits.write_timeout, limits.response_timeout)),
            service,
        );
    let task = tokio::spawn(async move {
        // An error on a connection concerns its client only.
        let _ = connection.await;
    });
    connections.attach(number, task.abort_handle());
}

#[cfg(test)]
mod tests;
