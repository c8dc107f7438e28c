//! Ways in which a backend can be dead or half dead, for every sink the same.
//!
//! Servers listen on a free port of loopback and end when they are dropped; what cannot be had from a server is a path.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::ports;

/// What a server does with whoever connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens: connections are refused.
    Refuse,
    /// Connections are accepted, requests read, and nothing is ever answered.
    Hang,
    /// Connections are accepted, and nothing is read of them.
    NeverRead,
    /// Every request is answered with this status, these headers (each `name: value`) and this body.
    Answer(u16, Vec<String>, String),
    /// Every request is answered with what is no HTTP.
    Garbage,
    /// An answer that would be right comes at one byte a second.
    Trickle,
    /// Connections are closed as soon as something was read.
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

    /// Each of them, for a loop over all.
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

    /// Whether a client is left waiting by it, so that only a deadline of its own ends the wait.
    #[must_use]
    pub fn lasts(&self) -> bool {
        matches!(self, Self::Hang | Self::NeverRead | Self::Trickle)
    }
}

/// A server over TCP with a fault, or one that is well: `Answer(200, …)`.
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

    /// Where it listens, or does not.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// What was read of every request: head and body.
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
        // Wakes the listener, should there be one.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

/// Answers one connection's requests until it ends.
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
                    (format!("HTTP/1.1 {status} As Told"), format!("Content-Length: {}", body.len()));
                let lines = [std::slice::from_ref(&status), headers, &[length, String::new(), body.clone()]];
                stream.write_all(lines.concat().join("\r\n").as_bytes())
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

/// Head and body of a request, as far as they come; none when the connection ended before one.
fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
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

/// A file to which nothing can be written, because its disk is full.
#[must_use]
pub fn full_disk() -> &'static Path {
    Path::new("/dev/full")
}

/// A folder in which nobody can make a file, the superuser included.
#[must_use]
pub fn read_only_folder() -> &'static Path {
    Path::new("/proc/self/fdinfo")
}

/// A host name that does not resolve: the name is reserved for that.
pub const UNKNOWN_HOST: &str = "no-such-host.invalid";

/// A UNIX datagram socket that can disappear and come back at the same path.
#[derive(Debug)]
pub struct VanishingSocket {
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

impl VanishingSocket {
    /// One that is there.
    #[must_use]
    pub fn bind(path: impl Into<PathBuf>) -> Self {
        let mut socket = Self { path: path.into(), socket: None };
        socket.come_back();
        socket
    }

    /// Where.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes it and removes its path, as an agent that ends does.
    pub fn vanish(&mut self) {
        self.socket = None;
        // It may never have been there.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Binds it anew, as an agent that starts does.
    pub fn come_back(&mut self) {
        self.vanish();
        let socket = UnixDatagram::bind(&self.path).expect("the path is free");
        socket.set_nonblocking(true).expect("a socket can be asked without waiting");
        self.socket = Some(socket);
    }

    /// What has come and was not received yet.
    #[must_use]
    pub fn received(&self) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; 64 * 1024];
        let socket = self.socket.iter();
        let mut packets = Vec::new();
        for socket in socket {
            while let Ok(length) = socket.recv(&mut buffer) {
                packets.push(buffer[..length].to_vec());
            }
        }
        packets
    }
}

impl Drop for VanishingSocket {
    fn drop(&mut self) {
        self.vanish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &FaultyServer) -> Result<String, std::io::Error> {
        let mut stream = TcpStream::connect(server.address())?;
        stream.set_read_timeout(Some(Duration::from_millis(100)))?;
        stream.write_all(b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody")?;
        let mut answer = [0; 1024];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    #[test]
    fn each_fault_is_what_it_says() {
        for fault in Fault::all() {
            let server = FaultyServer::start(fault.clone());
            let answer = ask(&server);
            match fault {
                Fault::Refuse => assert_eq!(answer.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused),
                Fault::Hang | Fault::NeverRead => {
                    assert_eq!(answer.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "{fault:?}");
                }
                Fault::Answer(status, ..) => assert!(answer.unwrap().starts_with(&format!("HTTP/1.1 {status} "))),
                Fault::Garbage => assert!(!answer.unwrap().starts_with("HTTP")),
                Fault::Trickle => assert_eq!(answer.unwrap(), "H"),
                Fault::Close => assert!(answer.is_ok_and(|answer| answer.is_empty())),
            }
        }
    }

    #[test]
    fn requests_are_kept_whole() {
        let server = FaultyServer::start(Fault::internal_error());
        ask(&server).unwrap();
        let requests = server.requests();
        assert!(requests.len() == 1 && requests[0].ends_with(b"\r\n\r\nbody"), "{requests:?}");
        assert_eq!(server.connections(), 1);
    }

    #[test]
    fn a_socket_comes_back_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut socket = VanishingSocket::bind(folder.path().join("socket"));
        let client = UnixDatagram::unbound().unwrap();
        client.send_to(b"one", socket.path()).unwrap();
        assert_eq!(socket.received(), [b"one"]);
        socket.vanish();
        assert!(client.send_to(b"two", socket.path()).is_err());
        socket.come_back();
        client.send_to(b"three", socket.path()).unwrap();
        assert_eq!(socket.received(), [b"three"]);
    }

    #[test]
    fn nothing_can_be_written_to_what_is_full_or_read_only() {
        let full = std::fs::OpenOptions::new().write(true).open(full_disk()).and_then(|mut file| file.write_all(b"x"));
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        assert!(std::fs::File::create(read_only_folder().join("file")).is_err());
    }
}
