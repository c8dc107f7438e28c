//! Where a Pushgateway is.

use std::fmt;
use std::str::FromStr;

use crate::base::secret::{MASK, Secret};
use crate::config::parse;
use crate::config::parse::Parsed;

/// The URL of a Pushgateway: `http://host:9091`, with a path in front of its own where it has one, and `user:password@`
/// before the host where it asks for basic authentication. A password is never shown.
///
/// ```
/// use obs_runtime::config::PushgatewayUrl;
///
/// let url = PushgatewayUrl::new("http://ada:hunter2@push.internal:9091");
/// assert_eq!(url.to_string(), "http://ada:[REDACTED]@push.internal:9091");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PushgatewayUrl(Secret<String>);

/// What a URL consists of.
#[derive(Clone, PartialEq, Eq)]
pub struct Parts<'u> {
    /// `http` or `https`.
    pub scheme: &'u str,
    /// What stands before the `@`, as it is written there.
    pub user: Option<&'u str>,
    /// Host, port and path, without a `/` at the end.
    pub place: &'u str,
}

impl PushgatewayUrl {
    /// A URL as it is; whether it can be one is found out when obs is initialised.
    pub fn new(url: impl Into<String>) -> Self {
        Self(Secret::new(url.into()))
    }

    /// Its parts; none when it is no URL that something can be pushed to.
    pub(crate) fn parts(&self) -> Option<Parts<'_>> {
        let (scheme, rest) = self.0.expose().split_once("://")?;
        let authority = rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end]);
        let (user, place) = match authority.rfind('@') {
            Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
            None => (None, rest),
        };
        let place = place.trim_end_matches('/');
        let host = place.split('/').next().unwrap_or_default();
        let port = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map(|(_, port)| port);
        let well = ["http", "https"].contains(&scheme)
            && !host.trim_start_matches('[').is_empty()
            && !host.starts_with(':')
            && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
            && place.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte))
            && !place.contains("/metrics/job");
        well.then_some(Parts { scheme, user, place })
    }
}

impl FromStr for PushgatewayUrl {
    type Err = Option<String>;

    fn from_str(text: &str) -> Parsed<Self> {
        let url = Self::new(text);
        if url.parts().is_some() {
            return Ok(url);
        }
        let is_one = |guess: &String| Self::new(guess.clone()).parts().is_some();
        let guess = match (text.split_once("://"), text.split_once("/metrics/job")) {
            (_, Some((base, _))) => base.to_owned(),
            (Some((scheme, rest)), _) => {
                let scheme = parse::nearest(scheme, ["http", "https"]).unwrap_or_else(|| "http".to_owned());
                format!("{scheme}://{rest}")
            }
            (None, _) => format!("http://{text}"),
        };
        Err(Some(guess).filter(is_one))
    }
}

impl fmt::Display for PushgatewayUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            None => formatter.write_str(MASK),
            Some(Parts { scheme, user: None, place }) => write!(formatter, "{scheme}://{place}"),
            Some(Parts { scheme, user: Some(user), place }) => {
                let name = user.split_once(':').map_or(user, |(name, _)| name);
                write!(formatter, "{scheme}://{name}:{MASK}@{place}")
            }
        }
    }
}

impl fmt::Debug for PushgatewayUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_place_are_told_apart() {
        for (text, user, place) in [
            ("http://host", None, "host"),
            ("https://host:9091/", None, "host:9091"),
            ("http://a:b@c@host:1/push/gateway/", Some("a:b@c"), "host:1/push/gateway"),
            ("http://[::1]:9091", None, "[::1]:9091"),
            ("http://[::1]", None, "[::1]"),
        ] {
            let url = PushgatewayUrl::new(text);
            let parts = url.parts().unwrap();
            assert_eq!((parts.user, parts.place), (user, place), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_pushgateway_is_refused_with_what_was_likely_meant() {
        for (text, nearest) in [
            ("host:9091", Some("http://host:9091")),
            ("htpp://host", Some("http://host")),
            ("http://host:9091/metrics/job/etl", Some("http://host:9091")),
            ("http://", None),
            ("http://host:0", None),
            ("http://host:port", None),
            ("http://host/?a=b", None),
            ("http://host name", None),
            ("http://host\r\nX: y", None),
        ] {
            assert_eq!(text.parse::<PushgatewayUrl>(), Err(nearest.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for text in ["http://ada:hunter2@host", "http://ada:hunter2@host:port", "hunter2"] {
            let url = PushgatewayUrl::new(text);
            assert!(!format!("{url} {url:?}").contains("hunter2"), "{url}");
        }
    }
}
