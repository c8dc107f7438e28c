//! HTTP requests to backends.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::config::ConfigBuilder;
use ureq::http::Uri;
#[cfg(any(feature = "otlp", feature = "sentry"))]
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::AgentScope;
use ureq::{Agent, Proxy};

#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "prometheus"))]
use crate::base::secret::{MASK, Secret};
#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "prometheus"))]
use crate::base::text;

/// The longest delay that a server can ask for.
#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "prometheus"))]
pub const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);

/// The most bytes of what a server says.
#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "prometheus"))]
const MAX_SAID: usize = 200;

/// A client for this URL that follows no redirects, so that credentials go to the configured host only, and that returns error statuses as
/// responses.
#[cfg(any(feature = "datadog-agentless", feature = "prometheus"))]
pub fn agent(url: &str, timeout: Option<Duration>, connect_timeout: Option<Duration>) -> Agent {
    config(url, timeout, connect_timeout).build().into()
}

/// Whether a response is a web page, as of a proxy or of a login, and not the answer of a backend. Some servers call an empty answer
/// HTML.
#[cfg(any(feature = "datadog-agentless", feature = "prometheus", feature = "sentry"))]
pub fn is_page<'h>(header: impl Fn(&str) -> Option<&'h str>) -> bool {
    let is_html = header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    is_html && header("content-length") != Some("0")
}

/// What a server says, on one line, cut after 200 bytes. The secrets that were sent to it are masked: some servers repeat them.
#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "prometheus"))]
pub fn said<'s>(body: &[u8], secrets: impl IntoIterator<Item = &'s Secret<String>>) -> String {
    let said = String::from_utf8_lossy(body);
    let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
    let said = secrets.fold(said.into_owned(), |said, secret| said.replace(secret.expose(), MASK));
    let said: String = said.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    text::until(said.trim(), MAX_SAID).to_owned()
}

/// The delay that a `Retry-After` asks for: seconds, or a date. At most [`MAX_RETRY_AFTER`].
#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "prometheus"))]
pub fn delay(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let seconds = value.parse().ok().map(Duration::from_secs);
    let until_date = || {
        let date = jiff::fmt::rfc2822::parse(value).ok()?;
        let at = Duration::from_secs(u64::try_from(date.timestamp().as_second()).unwrap_or_default());
        Some(at.saturating_sub(now.duration_since(UNIX_EPOCH).unwrap_or_default()))
    };
    seconds.or_else(until_date).map(|delay| delay.min(MAX_RETRY_AFTER))
}

/// The value of a header, if it is text.
pub fn header<'h>(headers: &'h ureq::http::HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// How many seconds the clock of this machine is ahead of that of a server, by the date of a response; negative if it is behind.
#[cfg(any(feature = "datadog-agentless", feature = "prometheus", feature = "sentry"))]
pub fn clock_offset(headers: &ureq::http::HeaderMap) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(header(headers, "date")?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(i64::try_from(now.as_secs()).ok()?.saturating_sub(date.timestamp().as_second()))
}

/// The configuration of such a client.
pub fn config(url: &str, timeout: Option<Duration>, connect_timeout: Option<Duration>) -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .timeout_global(timeout)
        .timeout_connect(connect_timeout)
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(proxy(url))
        .user_agent(concat!("obs/", env!("CARGO_PKG_VERSION")))
}

/// Trusts these certificates in PEM instead of the public ones.
///
/// # Errors
/// If there is none in it, or it is not in PEM.
#[cfg(any(feature = "otlp", feature = "sentry"))]
pub fn trusting(pem: &[u8]) -> Result<TlsConfig, String> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    if certificates.is_empty() {
        return Err("it contains no certificate in PEM".to_owned());
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build())
}

/// The proxy for a URL, from `HTTP_PROXY` or `HTTPS_PROXY`, by the URL's scheme, or `ALL_PROXY`. None for hosts in `NO_PROXY`, and
/// for those of this machine and of private networks, which a proxy could not reach or should not see the credentials of.
pub fn proxy(url: &str) -> Option<Proxy> {
    let url: Uri = url.parse().ok()?;
    if url.host().is_none_or(is_near) {
        return None;
    }
    let by_scheme =
        if url.scheme_str() == Some("https") { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    let mut variables = by_scheme.into_iter().chain(["ALL_PROXY", "all_proxy"]);
    let proxy = variables.find_map(|name| Proxy::new(&std::env::var(name).ok()?).ok())?;
    // The one that `NO_PROXY` is read for; which proxy it takes does not matter.
    let is_excluded = Proxy::try_from_env().is_some_and(|any| any.is_no_proxy(&url));
    (!is_excluded).then_some(proxy)
}

fn is_near(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => {
            address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_unspecified()
        }
        Err(_) => host == "localhost" || host.strip_suffix(".localhost").is_some(),
    }
}

#[cfg(test)]
pub mod tests {
    #[cfg(any(feature = "datadog-agentless", feature = "otlp"))]
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    #[cfg(any(feature = "datadog-agentless", feature = "otlp"))]
    use std::net::TcpListener;

    use super::*;

    /// The URL of a server with these answers, one for each connection: statuses with texts. The next answer is taken when its request
    /// has been read.
    #[cfg(any(feature = "datadog-agentless", feature = "otlp"))]
    pub fn serve(answers: impl IntoIterator<Item = (u16, &'static str)> + Send + 'static) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut answers = answers.into_iter();
            loop {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while request.read_line(&mut line).unwrap() > 2 {
                    length =
                        line.strip_prefix("content-length: ").map_or(length, |length| length.trim().parse().unwrap());
                    line.clear();
                }
                request.take(length).read_to_end(&mut Vec::new()).unwrap();
                let Some((status, text)) = answers.next() else { return };
                let head =
                    format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", text.len());
                stream.write_all((head + text).as_bytes()).unwrap();
            }
        });
        url
    }

    #[test]
    #[cfg(any(feature = "datadog-agentless", feature = "prometheus", feature = "sentry"))]
    fn an_empty_answer_is_no_page() {
        let is_page_of = |headers: &[(&str, &'static str)]| {
            is_page(|name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
        };
        let html = ("content-type", "text/html; charset=utf-8");
        assert!(is_page_of(&[html]) && is_page_of(&[html, ("content-length", "70")]));
        assert!(!is_page_of(&[html, ("content-length", "0")]) && !is_page_of(&[("content-type", "application/json")]));
    }

    #[test]
    #[cfg(any(feature = "datadog-agentless", feature = "prometheus", feature = "sentry"))]
    fn the_date_of_a_response_tells_how_far_the_clocks_are_apart() {
        let offset = |date: &str| {
            let mut headers = ureq::http::HeaderMap::new();
            headers.insert("date", date.parse().unwrap());
            clock_offset(&headers)
        };
        assert!(offset("Wed, 21 Oct 2015 07:28:00 GMT").unwrap() > 300_000_000);
        assert!(offset("Wed, 21 Oct 2950 07:28:00 GMT").unwrap() < -20_000_000_000);
        assert_eq!(offset("soon"), None);
    }

    #[test]
    #[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "prometheus"))]
    fn retry_after_is_seconds_or_a_date_and_has_a_limit() {
        let now = UNIX_EPOCH + Duration::from_secs(1_445_412_480 - 30);
        for (value, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(30)),
            ("Tue, 20 Oct 2015 07:28:00 GMT", Some(0)),
            ("86400", Some(300)),
            ("Wed, 21 Oct 2950 07:28:00 GMT", Some(300)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(delay(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    #[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "prometheus"))]
    fn what_a_server_says_is_one_short_line_without_the_secrets_that_it_got() {
        let secrets = ["hunter2", ""].map(|text| Secret::new(text.to_owned()));
        assert_eq!(said(b"no such key:\n\x1b[1mhunter2 \xff\n", &secrets), "no such key:  [1m[REDACTED] \u{fffd}");
        assert_eq!(said(&[b'x'; 1000], &secrets).len(), MAX_SAID);
    }

    #[test]
    fn this_machine_and_private_networks_are_near() {
        for host in
            ["localhost", "LOCALHOST", "push.localhost", "127.0.0.1", "127.8.8.8", "[::1]", "10.0.0.1", "172.16.0.1"]
                .into_iter()
                .chain(["192.168.1.1", "169.254.1.1", "[fd00::1]", "[fe80::1]", "0.0.0.0"])
        {
            assert!(is_near(host), "{host}");
        }
        for host in ["gateway", "localhost.example.com", "172.32.0.1", "8.8.8.8", "[2001:db8::1]", "notlocalhost"] {
            assert!(!is_near(host), "{host}");
        }
    }
}
