//! The address of a Datadog agent.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::config::parse;
use crate::config::parse::Parsed;

/// The default `DogStatsD` port of an agent.
pub const DEFAULT_PORT: u16 = 8125;

/// The `DogStatsD` address of a Datadog agent.
///
/// ```
/// use obs_runtime::config::AgentAddress;
///
/// let address: AgentAddress = "udp://agent.internal:8125".parse().unwrap();
/// assert_eq!(address, AgentAddress::Udp { host: "agent.internal".to_owned(), port: 8125 });
/// assert_eq!("unix:///run/datadog/dsd.socket".parse(), Ok(AgentAddress::Unix("/run/datadog/dsd.socket".into())));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AgentAddress {
    /// `udp://host:port`; the default port is 8125.
    Udp {
        /// A host name, or an IP address without brackets.
        host: String,
        /// The port; never 0.
        port: u16,
    },
    /// `unix:///path`: a Unix socket, which may be a datagram or a stream socket.
    Unix(PathBuf),
    /// `unixgram:///path`: a Unix datagram socket.
    UnixDatagram(PathBuf),
    /// `unixstream:///path`: a Unix stream socket.
    UnixStream(PathBuf),
}

/// A text is not an [`AgentAddress`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the address of a Datadog agent: expected udp://host:port, unix:///path, unixgram:///path or unixstream:///path"
)]
#[non_exhaustive]
pub struct AgentAddressError {
    /// The valid address that was probably meant.
    pub nearest: Option<String>,
}

const SCHEMES: [&str; 4] = ["udp", "unix", "unixgram", "unixstream"];

impl FromStr for AgentAddress {
    type Err = AgentAddressError;

    fn from_str(text: &str) -> Result<Self, AgentAddressError> {
        let fail = |nearest: Option<String>| Err(AgentAddressError { nearest });
        let Some((scheme, rest)) = text.split_once("://") else {
            let guess = if text.starts_with('/') { format!("unix://{text}") } else { format!("udp://{text}") };
            return fail(guess.parse::<Self>().is_ok().then_some(guess));
        };
        let scheme = scheme.to_ascii_lowercase();
        if scheme == "udp" {
            return udp(rest).map_or_else(|| fail(None), Ok);
        }
        if !SCHEMES.contains(&&*scheme) {
            return fail(parse::nearest(&scheme, SCHEMES).map(|scheme| format!("{scheme}://{rest}")));
        }
        if !rest.starts_with('/') || rest.ends_with('/') {
            let guess = format!("{scheme}:///{rest}");
            return fail((!rest.starts_with('/') && guess.parse::<Self>().is_ok()).then_some(guess));
        }
        let path = PathBuf::from(rest);
        Ok(match &*scheme {
            "unixgram" => Self::UnixDatagram(path),
            "unixstream" => Self::UnixStream(path),
            _ => Self::Unix(path),
        })
    }
}

impl fmt::Display for AgentAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp { host, port } if host.contains(':') => write!(formatter, "udp://[{host}]:{port}"),
            Self::Udp { host, port } => write!(formatter, "udp://{host}:{port}"),
            Self::Unix(path) => write!(formatter, "unix://{}", path.display()),
            Self::UnixDatagram(path) => write!(formatter, "unixgram://{}", path.display()),
            Self::UnixStream(path) => write!(formatter, "unixstream://{}", path.display()),
        }
    }
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn udp(text: &str) -> Option<AgentAddress> {
    let (bare, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => agent_port(port).ok()?,
        None if port.is_empty() => DEFAULT_PORT,
        None => return None,
    };
    Some(AgentAddress::Udp { host: host(bare).ok()?, port })
}

/// Parses a host name or an IP address.
pub fn host(text: &str) -> Parsed<String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<std::net::IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    let is_name = |text: &str| {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&letter);
        !text.is_empty() && text.len() <= 253 && text.chars().all(allowed)
    };
    if is_name(text) {
        return Ok(text.to_owned());
    }
    // Port and URL have variables of their own.
    let without_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let name = without_scheme.split([':', '/']).next().unwrap_or_default();
    Err(Some(name.to_owned()).filter(|name| is_name(name)))
}

/// Parses a port other than 0.
pub fn agent_port(text: &str) -> Parsed<u16> {
    parse::port(text).and_then(|port| if port == 0 { Err(Some(DEFAULT_PORT.to_string())) } else { Ok(port) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nearest(text: &str) -> Option<String> {
        text.parse::<AgentAddress>().expect_err(text).nearest
    }

    #[test]
    fn addresses_round_trip() {
        for text in [
            "udp://agent:8125",
            "udp://10.0.0.7:9125",
            "udp://[::1]:8125",
            "unix:///run/dsd.socket",
            "unixgram:///run/dsd.socket",
            "unixstream:///run/dsd.socket",
        ] {
            assert_eq!(text.parse::<AgentAddress>().unwrap().to_string(), text);
        }
        assert_eq!("UDP://[::1]".parse::<AgentAddress>().unwrap().to_string(), "udp://[::1]:8125");
    }

    #[test]
    fn an_invalid_address_is_rejected_with_a_suggestion() {
        for (wrong, meant) in [
            ("/run/dsd.socket", Some("unix:///run/dsd.socket")),
            ("agent:8125", Some("udp://agent:8125")),
            ("unix://run/dsd.socket", Some("unix:///run/dsd.socket")),
            ("unixsteam:///a", Some("unixstream:///a")),
            ("http://agent:8125", None),
            ("udp://agent:0", None),
            ("udp://agent:99999", None),
            ("udp://agent/x", None),
            ("udp://", None),
            ("unix:///", None),
            ("udp://[::1", None),
            ("udp://[::1]8125", None),
        ] {
            assert_eq!(nearest(wrong).as_deref(), meant, "{wrong}");
        }
    }

    #[test]
    fn a_host_has_no_port_and_no_scheme() {
        assert_eq!(host("agent.internal").as_deref(), Ok("agent.internal"));
        assert_eq!(host("[::1]").as_deref(), Ok("::1"));
        assert_eq!(host("http://agent:8125/x"), Err(Some("agent".to_owned())));
        assert_eq!(host("a b"), Err(None));
        assert_eq!((agent_port("0"), agent_port("8126")), (Err(Some("8125".to_owned())), Ok(8126)));
    }
}
