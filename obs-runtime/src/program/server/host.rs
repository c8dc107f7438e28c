//! The `Host` header of a request, which protects a server on a loopback address from pages in a browser: a page whose host
//! name resolves to `127.0.0.1` (DNS rebinding) sends its own name.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::HOST;
use hyper::http::uri::Authority;

use crate::program::server::response::Response;

/// The refusal of a request whose `Host` headers are wrong: several, or, on a loopback address, another host's.
pub fn refusal(headers: &HeaderMap, is_loopback: bool) -> Option<Response> {
    let mut hosts = headers.get_all(HOST).iter();
    // A request of HTTP/1.0 needs none.
    let host = hosts.next()?;
    if hosts.next().is_some() {
        return Some(Response::text("more than one Host header\n").status(400).closing());
    }
    let is_ours = || host.to_str().is_ok_and(is_loopback_name);
    (is_loopback && !is_ours()).then(|| {
        let advice = "the Host header names another host; this server listens on a loopback address: use localhost, or set \
                      PROMETHEUS_BIND\n";
        Response::text(advice).status(403).closing()
    })
}

/// Whether a host, with or without a port, is this machine's loopback interface.
fn is_loopback_name(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_end_matches('.');
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_localhost = |name: &str| name.eq_ignore_ascii_case("localhost");
    // RFC 6761: names below `localhost` are the loopback interface, too.
    let is_below_localhost = name.rsplit_once('.').is_some_and(|(_, last)| is_localhost(last));
    address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) || is_localhost(name) || is_below_localhost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_loopback_interface_are_ours() {
        for host in
            ["localhost", "LOCALHOST:8000", "localhost.", "a.localhost:1", "127.0.0.1", "127.8.0.1:9", "[::1]:8000"]
        {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in
            ["", "example.com", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1:8000", "[::2]", "a b"]
        {
            assert!(!is_loopback_name(host), "{host}");
        }
    }

    #[test]
    fn several_hosts_are_refused_everywhere_and_another_host_on_loopback_only() {
        let status = |hosts: &[&str], is_loopback: bool| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, host.parse().unwrap());
            }
            refusal(&headers, is_loopback).map(|response| response.into_http().status().as_u16())
        };
        assert_eq!((status(&[], true), status(&["localhost:8000"], true)), (None, None));
        assert_eq!((status(&["obs.example:8000"], false), status(&["obs.example:8000"], true)), (None, Some(403)));
        assert_eq!((status(&["localhost"; 2], true), status(&["a", "b"], false)), (Some(400), Some(400)));
    }
}
