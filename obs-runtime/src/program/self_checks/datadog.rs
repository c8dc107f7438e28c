//! Does a Datadog agent take what is sent to it?

use std::io;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use crate::config::agent_address::AgentAddress;

/// How long the system is given to tell that nobody listens.
const REFUSAL: Duration = Duration::from_millis(20);

/// Asks as far as can be asked: over UDP only the refusal of a host that answers can be seen, so no news is good news.
pub fn agent(address: &AgentAddress) -> Result<(), String> {
    let said = match address {
        AgentAddress::Udp { host, port } => udp(host, *port),
        AgentAddress::UnixDatagram(path) => datagram(path),
        AgentAddress::UnixStream(path) => stream(path),
        AgentAddress::Unix(path) => datagram(path).or_else(|_| stream(path)),
    };
    said.map_err(|error| format!("no Datadog agent listens at {address}: {error}"))
}

fn udp(host: &str, port: u16) -> io::Result<()> {
    let address = (host, port);
    let local = if std::net::ToSocketAddrs::to_socket_addrs(&address)?.next().is_some_and(|found| found.is_ipv6()) {
        "[::]:0"
    } else {
        "0.0.0.0:0"
    };
    let socket = UdpSocket::bind(local)?;
    socket.connect(address)?;
    // Nothing is sent duplicate_names: the second time, the system tells what became of the first.
    socket.send(&[])?;
    std::thread::sleep(REFUSAL);
    socket.send(&[]).map(drop)
}

#[cfg(unix)]
fn datagram(path: &Path) -> io::Result<()> {
    std::os::unix::net::UnixDatagram::unbound()?.connect(path)
}

#[cfg(unix)]
fn stream(path: &Path) -> io::Result<()> {
    std::os::unix::net::UnixStream::connect(path).map(drop)
}

#[cfg(not(unix))]
fn datagram(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn stream(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
