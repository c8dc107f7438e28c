//! The socket to the agent. Opened by the first packet, and reopened after an error.

use std::io::{self, ErrorKind, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::agent_address::AgentAddress;
use crate::exporters::datadog::names::EXPORTER;
use crate::metrics::drop_counters;

/// The packet sizes that Datadog recommends: UDP without fragmentation, and the agent's read buffer for UNIX sockets.
const UDP_PACKET: usize = 1432;
const UNIX_PACKET: usize = 8192;

/// The timeout of one write, after which an interruption is noticed.
const WRITE_TIMEOUT: Duration = Duration::from_millis(50);

/// UDP has no flow control: after `BURST` packets, which fit into a receiver's buffer, the sender pauses.
const BURST: u32 = 16;
const BURST_PAUSE: Duration = Duration::from_millis(2);

/// How long the address of a host name is used before it is resolved again.
const DNS_TTL: Duration = Duration::from_mins(1);

/// The connection to the agent.
#[derive(Debug)]
pub struct Transport {
    address: AgentAddress,
    socket: Option<Socket>,
    opened: Instant,
    burst: u32,
}

#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    #[cfg(unix)]
    Datagram(UnixDatagram),
    #[cfg(unix)]
    Stream(UnixStream),
}

impl Transport {
    /// A connection to that address, not opened yet.
    pub fn new(address: AgentAddress) -> Self {
        Self { address, socket: None, opened: Instant::now(), burst: 0 }
    }

    /// The most bytes of a packet.
    pub const fn packet_size(&self) -> usize {
        match self.address {
            AgentAddress::Udp { .. } => UDP_PACKET,
            AgentAddress::Unix(_) | AgentAddress::UnixDatagram(_) | AgentAddress::UnixStream(_) => UNIX_PACKET,
        }
    }

    /// The most bytes of a line, which then has a packet of its own.
    pub const fn longest_line() -> usize {
        UNIX_PACKET
    }

    /// The agent's address.
    pub const fn address(&self) -> &AgentAddress {
        &self.address
    }

    /// Sends a packet, until the deadline or until `interrupted`.
    ///
    /// # Errors
    /// If the system reports that the packet was not sent. A lost UDP packet is not reported.
    pub fn send(&mut self, packet: &[u8], deadline: Instant, interrupted: &dyn Fn() -> bool) -> io::Result<()> {
        let names_an_address =
            matches!(&self.address, AgentAddress::Udp { host, .. } if host.parse::<IpAddr>().is_err());
        if names_an_address && self.opened.elapsed() > DNS_TTL {
            self.socket = None;
        }
        let was_open = self.socket.is_some();
        match self.try_send(packet, deadline, interrupted) {
            // The agent may have restarted since the socket was opened.
            Err(error) if was_open && !is_timeout(&error) && error.kind() != ErrorKind::Interrupted => {
                self.socket = None;
                self.try_send(packet, deadline, interrupted)
            }
            other => other,
        }
        .inspect_err(|_| self.socket = None)
    }

    fn try_send(&mut self, packet: &[u8], deadline: Instant, interrupted: &dyn Fn() -> bool) -> io::Result<()> {
        if self.socket.is_none() {
            self.socket = Some(open(&self.address)?);
            self.opened = Instant::now();
        }
        let Some(socket) = &mut self.socket else { return Err(ErrorKind::NotConnected.into()) };
        let wait = || match deadline.saturating_duration_since(Instant::now()) {
            _ if interrupted() => Err(ErrorKind::Interrupted.into()),
            Duration::ZERO => Err(ErrorKind::TimedOut.into()),
            left => Ok(left.min(WRITE_TIMEOUT)),
        };
        match socket {
            Socket::Udp(socket) => {
                if self.burst >= BURST {
                    self.burst = 0;
                    thread::sleep(BURST_PAUSE);
                }
                self.burst += 1;
                if socket.take_error()?.is_some() {
                    // A remote host refused an earlier packet.
                    drop_counters::count(EXPORTER, "refused", 1);
                }
                retry(wait, |timeout| {
                    socket.set_write_timeout(Some(timeout))?;
                    socket.send(packet)
                })?;
                // A closed port on the same host is reported at once.
                socket.take_error()?.map_or(Ok(()), Err)
            }
            #[cfg(unix)]
            Socket::Datagram(socket) => retry(wait, |timeout| {
                socket.set_write_timeout(Some(timeout))?;
                socket.send(packet)
            })
            .map(drop),
            #[cfg(unix)]
            Socket::Stream(socket) => {
                let length = u32::try_from(packet.len()).map_err(io::Error::other)?.to_le_bytes();
                let mut left = &[&length[..], packet].concat()[..];
                while !left.is_empty() {
                    // A partially sent packet is discarded with the connection.
                    let sent = retry(wait, |timeout| {
                        socket.set_write_timeout(Some(timeout))?;
                        socket.write(left)
                    })?;
                    if sent == 0 {
                        return Err(ErrorKind::WriteZero.into());
                    }
                    left = &left[sent..];
                }
                Ok(())
            }
        }
    }
}

/// Retries timed-out writes until `wait` fails.
fn retry(
    wait: impl Fn() -> io::Result<Duration>,
    mut attempt: impl FnMut(Duration) -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        match attempt(wait()?) {
            Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn open(address: &AgentAddress) -> io::Result<Socket> {
    match address {
        AgentAddress::Udp { host, port } => open_udp(host, *port),
        #[cfg(unix)]
        AgentAddress::UnixDatagram(path) => {
            let socket = UnixDatagram::unbound()?;
            socket.connect(path)?;
            Ok(Socket::Datagram(socket))
        }
        #[cfg(unix)]
        AgentAddress::UnixStream(path) => UnixStream::connect(path).map(Socket::Stream),
        #[cfg(unix)]
        AgentAddress::Unix(path) => match open(&AgentAddress::UnixDatagram(path.clone())) {
            // A missing or inaccessible socket fails as a stream too.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => Err(error),
            Err(error) => open(&AgentAddress::UnixStream(path.clone())).map_err(|_| error),
            open => open,
        },
        #[cfg(not(unix))]
        AgentAddress::Unix(_) | AgentAddress::UnixDatagram(_) | AgentAddress::UnixStream(_) => {
            Err(io::Error::new(ErrorKind::Unsupported, "there are no UNIX sockets on this system"))
        }
    }
}

fn open_udp(host: &str, port: u16) -> io::Result<Socket> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        let any: SocketAddr = match address {
            SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        match UdpSocket::bind(any).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => return Ok(Socket::Udp(socket)),
            Err(error) => last = error,
        }
    }
    Err(last)
}
