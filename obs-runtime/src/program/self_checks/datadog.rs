//! Check of the Datadog agent.

use std::io;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use crate::config::agent_address::AgentAddress;

/// How long to wait for the ICMP response of a closed port.
const REFUSAL: Duration = Duration::from_millis(20);

/// Checks that an agent listens. Over UDP, only the refusal of a reachable host can be detected.
pub fn agent(address: &AgentAddress) -> Result<(), String> {
    let result = match address {
        AgentAddress::Udp { host, port } => udp(host, *port),
        AgentAddress::UnixDatagram(path) => datagram(path),
        AgentAddress::UnixStream(path) => stream(path),
        AgentAddress::Unix(path) => datagram(path).or_else(|_| stream(path)),
    };
    result.map_err(|error| format!("no Datadog agent listens at {address}: {error}"))
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
    // The second send returns the error of the first.
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
