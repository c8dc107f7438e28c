//! Why an envelope was not accepted, and what to do about it.

/// Why an envelope was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// There was no answer: the connection failed or timed out.
    Unreachable(String),
    /// The server's certificate is not trusted.
    Certificate(String),
    /// The server allows no more for now.
    RateLimited,
    /// The server answered with another status than success.
    Status(u16),
    /// The answer is a web page, as of a proxy or a login.
    Page,
    /// The envelope could not be written.
    NotSerialised(String),
}

impl Rejection {
    /// Whether the same envelope may be accepted later, as after an outage.
    pub const fn may_pass_later(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Certificate(_) | Self::Status(500..))
    }

    /// The cause alone, in a few words.
    pub fn cause(&self, server: &str) -> String {
        match self {
            Self::Unreachable(error) => format!("Sentry at {server} cannot be reached: {error}"),
            Self::Certificate(why) => format!("the certificate of Sentry at {server} is not trusted: {why}"),
            Self::RateLimited => format!("Sentry at {server} limits the rate (429)"),
            Self::Status(status @ (401 | 403 | 404)) => format!("Sentry at {server} rejects the DSN ({status})"),
            Self::Status(413) => format!("Sentry at {server} rejects the event as too large (413)"),
            Self::Status(status) => format!("Sentry at {server} answers {status}"),
            Self::Page => format!("Sentry at {server} answers with a web page"),
            Self::NotSerialised(error) => format!("the event cannot be serialised: {error}"),
        }
    }

    /// The cause and what to do.
    pub fn reason(&self, server: &str) -> String {
        let advice = match self {
            Self::Unreachable(_) => "; is it the host of SENTRY_DSN, and can this machine reach it?",
            Self::Certificate(_) => "; SENTRY_CA_CERTS or SSL_CERT_FILE names the certificate of its authority, in PEM",
            Self::RateLimited => {
                "; until the limit ends, events are dropped and counted; capture fewer events, lower \
                 SENTRY_TRACES_SAMPLE_RATE, or raise the quota of the project"
            }
            Self::Status(401 | 403 | 404) => "; compare SENTRY_DSN with the client key of the project",
            Self::Status(413) => "; record fewer or shorter fields, or raise the limit of the server",
            Self::Status(500..) => "; see the status or the log of the server",
            Self::Status(_) | Self::Page => "; does SENTRY_DSN name a Sentry server?",
            Self::NotSerialised(_) => "",
        };
        format!("{}{advice}", self.cause(server))
    }
}
