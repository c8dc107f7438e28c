//! The error of starting the HTTP endpoint.

use std::io;
use std::net::SocketAddr;

/// The server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// It cannot listen on the address.
    #[error("PROMETHEUS_BIND, PROMETHEUS_PORT: cannot listen on {address}: {}", advice(*address, source))]
    Bind {
        /// The configured address.
        address: SocketAddr,
        /// The error.
        source: io::Error,
    },
    /// Its thread cannot be started.
    #[error("cannot start the thread of the metrics endpoint: {0}")]
    Start(#[source] io::Error),
}

fn advice(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is in use: set PROMETHEUS_PORT=0 for any free port or stop the process that uses it".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => format!(
            "this machine does not have the address {}: set PROMETHEUS_BIND to one that it has, 127.0.0.1 for local \
             access or 0.0.0.0 for all interfaces",
            address.ip()
        ),
        io::ErrorKind::PermissionDenied => format!(
            "this user may not listen on port {}: set PROMETHEUS_PORT to one from 1024 on, or 0 for any free port",
            address.port()
        ),
        _ => format!("{error}: set PROMETHEUS_BIND and PROMETHEUS_PORT to an address that this machine can listen on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_names_the_variable_the_address_and_a_remedy() {
        for kind in [
            io::ErrorKind::AddrInUse,
            io::ErrorKind::AddrNotAvailable,
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::Other,
        ] {
            let text = ServerError::Bind { address: ([127, 0, 0, 1], 80).into(), source: kind.into() }.to_string();
            assert!(text.contains("PROMETHEUS_PORT") && text.contains("127.0.0.1:80"), "{text}");
            assert!(text.contains("set PROMETHEUS_"), "{text}");
        }
    }
}
