//! Requests without TLS by way of a proxy. The client that everything else uses asks a proxy for a tunnel (`CONNECT`), which most proxies
//! allow for TLS only; without it, a request names the whole URL.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ureq::{Proxy, ProxyProtocol};

/// The most bytes of the head of an answer that are read.
const MAX_HEAD: usize = 64 * 1024;

/// A proxy for requests without TLS.
pub struct PlainProxy {
    address: (String, u16),
    /// The value of `Proxy-Authorization`.
    authorization: Option<String>,
}

/// What a server answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

impl PlainProxy {
    /// The proxy for a URL, if it is one without TLS that goes by a proxy of HTTP.
    pub fn of(url: &str, proxy: Option<&Proxy>) -> Option<Self> {
        let proxy = proxy.filter(|proxy| url.starts_with("http://") && proxy.protocol() == ProxyProtocol::Http)?;
        let password = || proxy.password().unwrap_or_default();
        let authorization = proxy.username().map(|name| BASE64_STANDARD.encode(format!("{name}:{}", password())));
        let authorization = authorization.map(|credentials| format!("Basic {credentials}"));
        Some(Self { address: (proxy.host().to_owned(), proxy.port()), authorization })
    }

    /// Sends a request, and reads the head of the answer until the deadline.
    ///
    /// # Errors
    /// If there is no connection, or no answer in time.
    pub fn post(&self, url: &str, headers: &[(&str, &str)], body: &[u8], deadline: Instant) -> io::Result<Answer> {
        let rest = || {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() { Err(io::Error::from(ErrorKind::TimedOut)) } else { Ok(rest) }
        };
        let mut stream = self.connect(rest()?)?;
        let host = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let mut head =
            format!("POST {url} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
        let authorization = self.authorization.as_deref().map(|value| ("Proxy-Authorization", value));
        for (name, value) in headers.iter().copied().chain(authorization) {
            // Writing to memory does not fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        stream.set_write_timeout(Some(rest()?))?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut part = [0; 4096];
            stream.set_read_timeout(Some(rest()?))?;
            let read = stream.read(&mut part)?;
            if read == 0 || answer.len() > MAX_HEAD {
                return Err(io::Error::new(ErrorKind::InvalidData, "the proxy does not answer by HTTP"));
            }
            answer.extend(part.iter().take(read));
        }
        parse(&String::from_utf8_lossy(&answer))
    }

    fn connect(&self, timeout: Duration) -> io::Result<TcpStream> {
        let mut last = None;
        for address in (&*self.address.0, self.address.1).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| ErrorKind::NotFound.into()))
    }
}

fn parse(answer: &str) -> io::Result<Answer> {
    let mut lines = answer.split("\r\n").take_while(|line| !line.is_empty());
    let status =
        lines.next().filter(|line| line.starts_with("HTTP/")).and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let status = status.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the proxy does not answer by HTTP"))?;
    let header =
        |line: &str| line.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    Ok(Answer { status, headers: lines.filter_map(header).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_headers() {
        let answer =
            parse("HTTP/1.1 429 Too Many\r\nRetry-After: 60\r\nX-Sentry-Rate-Limits: 60:error:key\r\n\r\n{}").unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("60")));
        assert_eq!(answer.header("x-sentry-rate-limits"), Some("60:error:key"));
        assert!(parse("SSH-2.0-OpenSSH\r\n\r\n").is_err());
    }

    #[test]
    fn only_a_proxy_of_http_for_a_url_without_tls_is_one() {
        let proxy = Proxy::new("http://user:word@proxy.example.com:3128").unwrap();
        let plain = PlainProxy::of("http://sentry.example.com/api/1/envelope/", Some(&proxy)).unwrap();
        assert_eq!(plain.address, ("proxy.example.com".to_owned(), 3128));
        assert_eq!(plain.authorization.as_deref(), Some("Basic dXNlcjp3b3Jk"));
        assert!(PlainProxy::of("https://sentry.example.com/api/1/envelope/", Some(&proxy)).is_none());
        assert!(PlainProxy::of("http://sentry.example.com/api/1/envelope/", None).is_none());
    }
}
