//! Verifies that this process answers at an address: every response has a header with an id of the process.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::base::clock;

/// The header with the id of the process.
pub const HEADER: &str = "obs-instance";

/// The largest response head that is read.
const MAX_HEAD: usize = 16 * 1024;

/// An id of this process.
pub fn instance() -> &'static str {
    static INSTANCE: OnceLock<String> = OnceLock::new();
    INSTANCE.get_or_init(|| Uuid::now_v7().simple().to_string())
}

/// This process does not answer at the address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotOurs {
    /// No response arrived in time.
    #[error("no response from {address}: {source}")]
    NoAnswer {
        /// The address.
        address: SocketAddr,
        /// The error.
        source: io::Error,
    },
    /// Another process answers: the port is its.
    #[error("another process answers at {address}: set PROMETHEUS_PORT=0 for any free port or stop it")]
    Another {
        /// The address.
        address: SocketAddr,
    },
}

/// Verifies that this process answers at an address.
///
/// # Errors
/// If another process answers, or no response arrives in time.
pub fn verify(address: SocketAddr, timeout: Duration) -> Result<(), NotOurs> {
    let head = request(address, timeout).map_err(|source| NotOurs::NoAnswer { address, source })?;
    let is_ours = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(HEADER).then(|| value.trim() == instance())
    };
    match String::from_utf8_lossy(&head).lines().find_map(is_ours) {
        Some(true) => Ok(()),
        _ => Err(NotOurs::Another { address }),
    }
}

/// Whether a process with obs answers at an address in time.
#[cfg(feature = "cli")]
pub fn is_obs(address: SocketAddr, timeout: Duration) -> bool {
    let head = request(address, timeout).unwrap_or_default();
    let has_name = |line: &str| line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case(HEADER));
    String::from_utf8_lossy(&head).lines().any(has_name)
}

/// Sends a request that is cheap for the server, and returns the head of its response.
fn request(address: SocketAddr, timeout: Duration) -> io::Result<Vec<u8>> {
    let deadline = clock::deadline(Instant::now(), timeout);
    let left = || match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
        left => Ok::<_, io::Error>(left),
    };
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(format!("HEAD / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while head.len() < MAX_HEAD && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut buffer)? {
            0 => break,
            length => head.extend_from_slice(&buffer[..length]),
        }
    }
    if head.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(head) }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::program::server::listener::Server;
    use crate::program::server::routes::Routes;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn our_own_server_is_recognised() {
        let server = Server::start(([127, 0, 0, 1], 0).into(), Routes::new()).unwrap();
        assert!(verify(server.local_addr(), SOON).is_ok());
        let gone = server.local_addr();
        drop(server);
        assert!(matches!(verify(gone, SOON), Err(NotOurs::NoAnswer { .. })));
    }

    #[test]
    fn another_server_is_recognised() {
        for answer in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nObs-Instance: 0\r\n\r\n", "hello"] {
            let other = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = other.local_addr().unwrap();
            let serve = std::thread::spawn(move || {
                let (mut stream, _) = other.accept().unwrap();
                let _ = stream.read(&mut [0; 1024]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            });
            assert!(matches!(verify(address, SOON), Err(NotOurs::Another { .. })), "{answer}");
            serve.join().unwrap();
        }
    }

    #[test]
    fn a_silent_server_times_out() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        assert!(matches!(verify(address, Duration::from_millis(50)), Err(NotOurs::NoAnswer { .. })));
    }
}
