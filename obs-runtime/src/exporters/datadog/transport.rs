//! The socket to the agent: opened when something is to be sent, opened again when the agent was away.

use std::io::{self, ErrorKind, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::agent_address::AgentAddress;
use crate::exporters::datadog::names::EXPORTER;
use crate::metrics::drop_counters;

/// What fits into one packet of the Internet without being cut, and what the agent reads at once from a UNIX socket.
const UDP_PACKET: usize = 1432;
const UNIX_PACKET: usize = 8192;

/// How long one attempt waits for room. A flush that comes meanwhile need not wait any longer.
const PATIENCE: Duration = Duration::from_millis(50);

/// So many packets of UDP fit into what a receiver has buffered; then it gets the time to read them. Nothing else would
/// hold the sender back.
const BURST: u32 = 16;
const BREATH: Duration = Duration::from_millis(2);

/// How long a name is taken to be at the same address.
const NAME_HOLDS: Duration = Duration::from_mins(1);

/// The way to the agent.
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
    /// The way to that address; nothing is opened yet.
    pub fn new(address: AgentAddress) -> Self {
        Self { address, socket: None, opened: Instant::now(), burst: 0 }
    }

    /// How many bytes a packet may have.
    pub const fn packet_size(&self) -> usize {
        match self.address {
            AgentAddress::Udp { .. } => UDP_PACKET,
            AgentAddress::Unix(_) | AgentAddress::UnixDatagram(_) | AgentAddress::UnixStream(_) => UNIX_PACKET,
        }
    }

    /// How many bytes a line may have that does not fit into a packet with others.
    pub const fn longest_line() -> usize {
        UNIX_PACKET
    }

    /// Where the agent is.
    pub const fn address(&self) -> &AgentAddress {
        &self.address
    }

    /// Sends a packet until the deadline at most, or until `interrupted`.
    ///
    /// # Errors
    /// When it was not sent, as far as the system says so.
    pub fn send(&mut self, packet: &[u8], deadline: Instant, interrupted: &dyn Fn() -> bool) -> io::Result<()> {
        let names_an_address =
            matches!(&self.address, AgentAddress::Udp { host, .. } if host.parse::<IpAddr>().is_err());
        if names_an_address && self.opened.elapsed() > NAME_HOLDS {
            self.socket = None;
        }
        let was_open = self.socket.is_some();
        match self.try_send(packet, deadline, interrupted) {
            // The agent may have been restarted since the socket was opened.
            Err(error) if was_open && !is_late(&error) && error.kind() != ErrorKind::Interrupted => {
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
            left => Ok(left.min(PATIENCE)),
        };
        match socket {
            Socket::Udp(socket) => {
                if self.burst >= BURST {
                    self.burst = 0;
                    thread::sleep(BREATH);
                }
                self.burst += 1;
                if socket.take_error()?.is_some() {
                    // The word of another host that it refused an earlier packet.
                    drop_counters::count(EXPORTER, "refused", 1);
                }
                patiently(wait, |patience| {
                    socket.set_write_timeout(Some(patience))?;
                    socket.send(packet)
                })?;
                // On the same host, a port at which nobody listens is told of at once.
                socket.take_error()?.map_or(Ok(()), Err)
            }
            #[cfg(unix)]
            Socket::Datagram(socket) => patiently(wait, |patience| {
                socket.set_write_timeout(Some(patience))?;
                socket.send(packet)
            })
            .map(drop),
            #[cfg(unix)]
            Socket::Stream(socket) => {
                let length = u32::try_from(packet.len()).map_err(io::Error::other)?.to_le_bytes();
                let mut left = &[&length[..], packet].concat()[..];
                while !left.is_empty() {
                    // A part that was sent of a packet that was not is dropped with the connection.
                    let sent = patiently(wait, |patience| {
                        socket.set_write_timeout(Some(patience))?;
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

/// Tries until there is room or no time left.
fn patiently(
    wait: impl Fn() -> io::Result<Duration>,
    mut attempt: impl FnMut(Duration) -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        match attempt(wait()?) {
            Err(error) if is_late(&error) || error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

fn is_late(error: &io::Error) -> bool {
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
            // No socket, or none that lets us: a stream would not be there either.
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
