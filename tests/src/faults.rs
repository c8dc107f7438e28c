//! Backends that fail, the same for every exporter: servers, sockets, paths and host names.
//!
//! Servers listen on a free port of loopback and end when they are dropped.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::ports;

/// What a server does with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Connections are refused.
    Refuse,
    /// Connections are accepted and requests read, but never answered.
    Hang,
    /// Connections are accepted, but nothing is read from them.
    NeverRead,
    /// Every request is answered with this status, these headers (each `name: value`) and this body.
    Answer(u16, Vec<String>, String),
    /// Every request is answered with bytes that are not HTTP.
    Garbage,
    /// Every request is answered correctly, after this time.
    Slow(Duration),
    /// Every request is answered correctly, at one byte a second.
    Trickle,
    /// Connections are closed after the request was read.
    Close,
}

impl Fault {
    /// Status 500.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::Answer(500, Vec::new(), "something went wrong".to_owned())
    }

    /// Status 429 with `Retry-After` in seconds.
    #[must_use]
    pub fn too_many_requests(retry_after: u32) -> Self {
        Self::Answer(429, vec![format!("Retry-After: {retry_after}")], "slow down".to_owned())
    }

    /// A page as of a proxy or a login, with status 200.
    #[must_use]
    pub fn web_page() -> Self {
        Self::Answer(200, vec!["Content-Type: text/html".to_owned()], "<html>log in</html>".to_owned())
    }

    /// All of them, but [`Slow`](Self::Slow), which is no failure.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::Refuse,
            Self::Hang,
            Self::NeverRead,
            Self::internal_error(),
            Self::too_many_requests(30),
            Self::Garbage,
            Self::Trickle,
            Self::Close,
        ]
    }

    /// Whether only a deadline of its own ends a client's wait for this server.
    #[must_use]
    pub fn hangs(&self) -> bool {
        matches!(self, Self::Hang | Self::NeverRead | Self::Trickle)
    }
}

/// A TCP server with a fault. `Answer(200, …)` is a healthy one.
#[derive(Debug)]
pub struct FaultyServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    ended: AtomicBool,
    connections: AtomicUsize,
    requests: Mutex<Vec<Vec<u8>>>,
    open: Mutex<Vec<TcpStream>>,
}

impl FaultyServer {
    /// Starts one.
    #[must_use]
    pub fn start(fault: Fault) -> Self {
        let shared = Arc::<Shared>::default();
        if fault == Fault::Refuse {
            return Self { address: ([127, 0, 0, 1], ports::free()).into(), shared };
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if server.ended.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                server.connections.fetch_add(1, Ordering::SeqCst);
                let kept = stream.try_clone().expect("a connection can be shared");
                server.open.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
                let (fault, server) = (fault.clone(), Arc::clone(&server));
                thread::spawn(move || serve(stream, &fault, &server));
            }
        });
        Self { address, shared }
    }

    /// Its address, on which nothing listens for `Refuse`.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections it accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Every request as it was read: head and body.
    #[must_use]
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for FaultyServer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        for stream in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // The client may have gone first.
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the listener, if there is one.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

/// Answers the requests of one connection.
fn serve(mut stream: TcpStream, fault: &Fault, server: &Shared) {
    if *fault == Fault::NeverRead {
        return;
    }
    while let Some(request) = read_request(&mut stream) {
        server.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let answered = match fault {
            Fault::Refuse | Fault::NeverRead | Fault::Hang => Ok(()),
            Fault::Close => {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
            Fault::Answer(status, headers, body) => {
                let (status, length) =
                    (format!("HTTP/1.1 {status} Scripted"), format!("Content-Length: {}", body.len()));
                let lines = [std::slice::from_ref(&status), headers, &[length, String::new(), body.clone()]];
                stream.write_all(lines.concat().join("\r\n").as_bytes())
            }
            Fault::Slow(delay) => {
                thread::sleep(*delay);
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            }
            Fault::Garbage => stream.write_all(b"\x00\xff\xfe garbage \r\n\r\n\x16\x03\x01").map(|()| {
                let _ = stream.shutdown(Shutdown::Both);
            }),
            Fault::Trickle => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".iter().try_for_each(|byte| {
                stream.write_all(&[*byte])?;
                thread::sleep(Duration::from_secs(1));
                if server.ended.load(Ordering::SeqCst) { Err(std::io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
            }),
        };
        if answered.is_err() {
            return;
        }
    }
}

/// The head and body of the next request; none when the connection ends first.
pub(crate) fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
            let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let whole = match header("content-length").and_then(|length| length.trim().parse::<usize>().ok()) {
                Some(length) => request.len() >= end + 4 + length,
                None if header("transfer-encoding").is_some() => request.ends_with(b"0\r\n\r\n"),
                None => true,
            };
            if whole {
                return Some(request);
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(length) => request.extend_from_slice(&buffer[..length]),
        }
    }
}

/// A file whose writes fail because the disk is full.
#[must_use]
pub fn full_disk() -> &'static Path {
    Path::new("/dev/full")
}

/// A folder in which not even the superuser can create a file.
#[must_use]
pub fn read_only_folder() -> &'static Path {
    Path::new("/proc/self/fdinfo")
}

/// A host name that does not resolve (RFC 2606 reserves it).
pub const UNKNOWN_HOST: &str = "no-such-host.invalid";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;

    fn ask(server: &FaultyServer, timeout: Duration) -> Result<String, std::io::Error> {
        let mut stream = TcpStream::connect(server.address())?;
        stream.set_read_timeout(Some(timeout))?;
        stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody")?;
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    #[test]
    fn each_fault_behaves_as_documented() {
        for fault in Fault::all() {
            let server = FaultyServer::start(fault.clone());
            let never_answers = matches!(fault, Fault::Hang | Fault::NeverRead);
            let answer = ask(&server, if never_answers { Duration::from_millis(100) } else { wait::LONG });
            match fault {
                Fault::Refuse => assert_eq!(answer.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused),
                Fault::Hang | Fault::NeverRead => {
                    assert_eq!(answer.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "{fault:?}");
                }
                Fault::Answer(status, ..) => assert!(answer.unwrap().starts_with(&format!("HTTP/1.1 {status} "))),
                Fault::Slow(_) => assert!(answer.unwrap().starts_with("HTTP/1.1 200 ")),
                Fault::Garbage => assert!(!answer.unwrap().starts_with("HTTP")),
                Fault::Trickle => assert_eq!(answer.unwrap(), "H"),
                Fault::Close => assert!(answer.is_ok_and(|answer| answer.is_empty())),
            }
        }
    }

    #[test]
    fn whole_requests_are_kept() {
        let server = FaultyServer::start(Fault::internal_error());
        ask(&server, wait::LONG).unwrap();
        let requests = server.requests();
        assert!(requests.len() == 1 && requests[0].ends_with(b"\r\n\r\nbody"), "{requests:?}");
        assert_eq!(server.connections(), 1);
    }

    #[test]
    fn writes_to_a_full_disk_and_a_read_only_folder_fail() {
        let full = std::fs::OpenOptions::new().write(true).open(full_disk()).and_then(|mut file| file.write_all(b"x"));
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        assert!(std::fs::File::create(read_only_folder().join("file")).is_err());
    }
}
