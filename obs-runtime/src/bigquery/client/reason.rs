//! BigQuery's error reasons, and how to recover from each.
//!
//! See <https://cloud.google.com/bigquery/docs/error-messages#errortable>.

use std::fmt;

/// The reason of an error, in Google's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    word: String,
    known: Option<&'static Known>,
}

#[derive(Debug, PartialEq, Eq)]
struct Known {
    word: &'static str,
    kind: &'static str,
    remedy: Remedy,
}

/// How to recover from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The error is permanent.
    None,
    /// Repeat the request: it was not carried out, or it is idempotent.
    AskAgain,
    /// Get a new token, then repeat the request.
    NewToken,
    /// A job with this id exists already: an earlier attempt created it.
    IsThere,
}

const fn known(word: &'static str, kind: &'static str, remedy: Remedy) -> Known {
    Known { word, kind, remedy }
}

static KNOWN: [Known; 28] = [
    known("accessDenied", "bigquery_access_denied", Remedy::None),
    known("authError", "bigquery_unauthorized", Remedy::NewToken),
    known("backendError", "bigquery_backend", Remedy::AskAgain),
    known("badGateway", "bigquery_backend", Remedy::AskAgain),
    known("billingNotEnabled", "bigquery_billing", Remedy::None),
    known("billingTierLimitExceeded", "bigquery_billing_tier", Remedy::None),
    known("blocked", "bigquery_blocked", Remedy::None),
    known("bytesBilledLimitExceeded", "bigquery_bytes_billed_limit", Remedy::None),
    known("duplicate", "bigquery_duplicate", Remedy::IsThere),
    known("internalError", "bigquery_internal", Remedy::AskAgain),
    known("invalid", "bigquery_invalid", Remedy::None),
    known("invalidQuery", "bigquery_invalid_query", Remedy::None),
    known("invalidUser", "bigquery_invalid_user", Remedy::None),
    known("jobBackendError", "bigquery_backend", Remedy::AskAgain),
    known("jobInternalError", "bigquery_internal", Remedy::AskAgain),
    known("jobRateLimitExceeded", "bigquery_rate_limit", Remedy::AskAgain),
    known("notFound", "bigquery_not_found", Remedy::None),
    known("notImplemented", "bigquery_not_implemented", Remedy::None),
    known("proxyAuthenticationRequired", "bigquery_proxy", Remedy::None),
    known("quotaExceeded", "bigquery_quota", Remedy::None),
    known("rateLimitExceeded", "bigquery_rate_limit", Remedy::AskAgain),
    known("required", "bigquery_invalid", Remedy::None),
    known("resourceInUse", "bigquery_resource_in_use", Remedy::None),
    known("resourcesExceeded", "bigquery_resources", Remedy::None),
    known("responseTooLarge", "bigquery_response_too_large", Remedy::None),
    known("stopped", "bigquery_stopped", Remedy::None),
    known("tableUnavailable", "bigquery_backend", Remedy::AskAgain),
    known("timeout", "bigquery_timeout", Remedy::None),
];

impl Reason {
    /// Interprets a response by its reason or, if that is not one of Google's, by its status. An error with a position
    /// in the query is an error of the query, with any reason.
    pub(super) fn new(word: &str, message: &str, status: Option<u16>, has_position: bool) -> Self {
        let by_word = KNOWN.iter().find(|known| known.word == word);
        let meant = match (by_word, status) {
            (Some(known), _) if known.remedy == Remedy::AskAgain && has_position => named("invalidQuery"),
            // The free tier also returns this reason where waiting does not help.
            (Some(known), _) if known.word == "quotaExceeded" && message.contains("rate limit") => {
                named("rateLimitExceeded")
            }
            (Some(known), Some(401)) if known.remedy == Remedy::None => named("authError"),
            (Some(known), _) => Some(known),
            (None, Some(401)) => named("authError"),
            (None, Some(404)) => named("notFound"),
            (None, Some(409)) => named("duplicate"),
            (None, Some(429)) => named("rateLimitExceeded"),
            (None, Some(500..=599)) => named("backendError"),
            (None, _) => None,
        };
        let own = if word.is_empty() { meant.map_or("unknown", |known| known.word) } else { word };
        let word = own.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
        Self { word, known: meant }
    }

    /// The reason as Google writes it, for example `invalidQuery`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.word
    }

    pub(super) fn remedy(&self) -> Remedy {
        self.known.map_or(Remedy::None, |known| known.remedy)
    }

    /// The label, of low cardinality.
    pub(super) fn error_kind(&self) -> &'static str {
        self.known.map_or("bigquery", |known| known.kind)
    }
}

fn named(word: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.word == word)
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.word)
    }
}

impl PartialEq<str> for Reason {
    fn eq(&self, word: &str) -> bool {
        self.word == word
    }
}

impl PartialEq<&str> for Reason {
    fn eq(&self, word: &&str) -> bool {
        self.word == *word
    }
}
