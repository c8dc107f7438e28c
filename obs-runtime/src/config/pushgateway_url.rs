//! The URL of a Pushgateway.

use std::fmt;
use std::str::FromStr;

use crate::base::secret::{MASK, Secret};
use crate::base::text;
use crate::config::parse;

/// The URL of a Pushgateway: `http://host:9091`, with `user:password@` before the host for basic authentication and with the
/// path prefix of the Pushgateway, if any. `Display` and `Debug` never show the password.
///
/// ```
/// use obs_runtime::config::PushgatewayUrl;
///
/// let url: PushgatewayUrl = "http://ada:hunter2@push.internal:9091".parse()?;
/// assert_eq!(url.to_string(), "http://ada:[REDACTED]@push.internal:9091");
/// # Ok::<_, obs_runtime::config::PushgatewayUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PushgatewayUrl(Secret<String>);

/// The parts of a URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Parts<'u> {
    /// `http` or `https`.
    pub scheme: &'u str,
    /// The user information before the `@`, not decoded.
    pub user: Option<&'u str>,
    /// Host, port and path, without a trailing `/`.
    pub location: &'u str,
}

impl PushgatewayUrl {
    /// Wraps a URL without validating it; an invalid one is an error of `init`.
    pub fn new(url: impl Into<String>) -> Self {
        Self(Secret::new(url.into()))
    }

    /// The parts of the URL; `None` if it is not the URL of a Pushgateway.
    pub(crate) fn parts(&self) -> Option<Parts<'_>> {
        let (scheme, rest) = self.0.expose().split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, location) = match authority.rfind('@') {
            Some(at) => (Some(text::until(rest, at)), text::from(rest, at + 1)),
            None => (None, rest),
        };
        let location = location.trim_end_matches('/');
        let host = location.split('/').next().unwrap_or_default();
        let port = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map(|(_, port)| port);
        let valid = ["http", "https"].contains(&scheme)
            && !host.trim_start_matches('[').is_empty()
            && !host.starts_with(':')
            && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
            && location.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte))
            && !location.contains("/metrics/job");
        valid.then_some(Parts { scheme, user, location })
    }
}

/// A text is not a [`PushgatewayUrl`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the URL of a Pushgateway: expected a URL such as http://host:9091")]
#[non_exhaustive]
pub struct PushgatewayUrlError {
    /// The valid URL that was probably meant.
    pub nearest: Option<PushgatewayUrl>,
}

impl FromStr for PushgatewayUrl {
    type Err = PushgatewayUrlError;

    fn from_str(text: &str) -> Result<Self, PushgatewayUrlError> {
        let url = Self::new(text);
        if url.parts().is_some() {
            return Ok(url);
        }
        let guess = match (text.split_once("://"), text.split_once("/metrics/job")) {
            (_, Some((base, _))) => base.to_owned(),
            (Some((scheme, rest)), _) => {
                let scheme = parse::nearest(scheme, ["http", "https"]).unwrap_or_else(|| "http".to_owned());
                format!("{scheme}://{rest}")
            }
            (None, _) => format!("http://{text}"),
        };
        Err(PushgatewayUrlError { nearest: Some(Self::new(guess)).filter(|guess| guess.parts().is_some()) })
    }
}

impl fmt::Display for PushgatewayUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            None => formatter.write_str(MASK),
            Some(Parts { scheme, user: None, location }) => write!(formatter, "{scheme}://{location}"),
            Some(Parts { scheme, user: Some(user), location }) => {
                let name = user.split_once(':').map_or(user, |(name, _)| name);
                write!(formatter, "{scheme}://{name}:{MASK}@{location}")
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
    fn user_and_location_are_separated() {
        for (text, user, location) in [
            ("http://host", None, "host"),
            ("https://host:9091/", None, "host:9091"),
            ("http://a:b@c@host:1/push/gateway/", Some("a:b@c"), "host:1/push/gateway"),
            ("http://[::1]:9091", None, "[::1]:9091"),
            ("http://[::1]", None, "[::1]"),
        ] {
            let url = PushgatewayUrl::new(text);
            let parts = url.parts().unwrap();
            assert_eq!((parts.user, parts.location), (user, location), "{text}");
        }
    }

    #[test]
    fn an_invalid_url_is_rejected_with_a_suggestion() {
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
            let nearest = nearest.map(PushgatewayUrl::new);
            assert_eq!(text.parse::<PushgatewayUrl>(), Err(PushgatewayUrlError { nearest }), "{text}");
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
