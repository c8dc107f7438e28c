//! What services that are called learn of a trace that begins here, by the header `baggage`.

use std::fmt::Write as _;

use crate::base::trace_context::TraceContext;
use crate::exporters::sentry::options::Settings;

/// The members that all traces of this process have in common.
#[derive(Debug)]
pub struct Baggage(String);

impl Baggage {
    /// The baggage of traces that begin in this process.
    pub fn new(public_key: &str, settings: &Settings) -> Self {
        let mut members = format!("sentry-public_key={}", encoded(public_key));
        let release = settings.release.as_deref();
        for (name, value) in [("release", release), ("environment", Some(&*settings.environment))] {
            if let Some(value) = value {
                let _ = write!(members, ",sentry-{name}={}", encoded(value));
            }
        }
        Self(members)
    }

    /// The members about a trace.
    pub fn of(&self, trace: &TraceContext) -> String {
        let mut members = format!("sentry-trace_id={},{}", trace.trace_id(), self.0);
        if let Some(sampled) = trace.decision() {
            let _ = write!(members, ",sentry-sampled={sampled}");
        }
        members
    }
}

/// A value in percent-encoding.
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn values_are_encoded() {
        assert_eq!(encoded("import@1.2.0 ü,;"), "import%401.2.0%20%C3%BC%2C%3B");
    }
}
