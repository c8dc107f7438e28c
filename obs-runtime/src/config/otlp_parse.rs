//! Parsers of the variables of OpenTelemetry.

use crate::base::secret::Secret;
use crate::config::otlp::{KeyValues, Milliseconds, Propagators, Word};
use crate::config::parse;
use crate::config::parse::Parsed;

/// A value by its word, in any case.
pub fn word<T: Word>(text: &str) -> Parsed<T> {
    let found = T::ALL.iter().copied().find(|value| value.word().eq_ignore_ascii_case(text));
    found.ok_or_else(|| parse::nearest(text, T::ALL.iter().map(|value| value.word())))
}

/// `true` or `false`, in any case, and nothing else.
pub fn boolean(text: &str) -> Parsed<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(parse::nearest(text, ["true", "false"])),
    }
}

/// A whole number of milliseconds.
pub fn milliseconds(text: &str) -> Parsed<Milliseconds> {
    let with_unit = || humantime::parse_duration(text).ok().map(|duration| duration.as_millis().to_string());
    text.parse().map(Milliseconds).map_err(|_| with_unit())
}

/// A whole number of milliseconds above zero.
pub fn interval(text: &str) -> Parsed<Milliseconds> {
    milliseconds(text).and_then(|interval| if interval.0 > 0 { Ok(interval) } else { Err(None) })
}

/// An `http` or `https` URL without credentials, query and fragment.
pub fn endpoint(text: &str) -> Parsed<String> {
    let lower = text.to_ascii_lowercase();
    let scheme = ["http://", "https://"].into_iter().find(|scheme| lower.starts_with(scheme));
    let Some(scheme) = scheme else {
        // A host and a port, as gRPC has them.
        return Err(parse::host_and_port(text).ok().map(|address| format!("http://{address}")));
    };
    let rest = text.get(scheme.len()..).unwrap_or_default();
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"@?#\"<>\\^`{|}".contains(&byte);
    let port = match authority.rsplit_once(':') {
        Some(("", _)) => return Err(None),
        Some((host, port)) if !host.starts_with('[') || host.ends_with(']') => Some(port),
        _ => None,
    };
    let has_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if authority.is_empty() || !has_port || !rest.bytes().all(is_allowed) {
        return Err(None);
    }
    Ok(format!("{scheme}{rest}"))
}

/// `name=value,…` with percent-encoded values. One that is malformed makes the whole text invalid.
pub fn key_values(text: &str) -> Option<KeyValues> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let decoded = pairs.map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let (name, value) = (percent_decoded(name.trim())?, percent_decoded(value.trim())?);
        (!name.is_empty()).then_some((name, value))
    });
    decoded.collect::<Option<_>>().map(KeyValues)
}

/// A list of propagators.
pub fn propagators(text: &str) -> Parsed<Propagators> {
    let mut propagators = Propagators { trace_context: false, baggage: false };
    for word in text.split(',').map(str::trim) {
        match word.to_ascii_lowercase().as_str() {
            "tracecontext" => propagators.trace_context = true,
            "baggage" => propagators.baggage = true,
            "none" => {}
            _ => return Err(parse::nearest(word, ["tracecontext", "baggage", "none"])),
        }
    }
    Ok(propagators)
}

/// Resource attributes.
pub fn attributes(text: &str) -> Parsed<KeyValues> {
    key_values(text).ok_or(None)
}

/// Headers of HTTP, which stay as they were written, as they are secret.
pub fn headers(text: &str) -> Parsed<Secret<String>> {
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    let is_value = |value: &str| value.chars().all(|letter| !letter.is_control());
    match key_values(text) {
        Some(KeyValues(pairs)) if pairs.iter().all(|(name, value)| is_name(name) && is_value(value)) => {
            Ok(Secret::new(text.to_owned()))
        }
        _ => Err(None),
    }
}

/// Decodes `%XX`; `None` for an incomplete sequence or bytes that are not UTF-8.
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (high, low) = (digit()?, digit()?);
        decoded.push((high << 4) | low);
    }
    String::from_utf8(decoded).ok()
}
