//! Envelopes: a line of headers, and for each item a line of headers and its payload.

use std::io::BufRead;

use serde_json::{Value, json};

use super::schema::{check_item, is_time};

/// One item of an envelope.
#[derive(Clone, Debug)]
pub struct Item {
    /// The type in its header.
    pub kind: String,
    /// Its payload.
    pub payload: Value,
}

/// A request as it was read.
pub struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Reads the next request; none when the client has closed the connection.
pub fn read_request(reader: &mut impl BufRead) -> Option<Result<Request, String>> {
    let mut line = String::new();
    if !matches!(reader.read_line(&mut line), Ok(1..)) {
        return None;
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, length)| length.parse().ok());
    let Some(length) = length else { return Some(Err(format!("no content-length: {line} {headers:?}"))) };
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Ok(Request { line: line.trim_end().to_owned(), headers, body }))
}

/// The items and the body of a request, or how it violates the protocol.
pub fn check_request(request: &Request) -> Result<(Vec<Item>, String), String> {
    let header = |wanted: &str| request.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value);
    if request.line != "POST /api/42/envelope/ HTTP/1.1" {
        return Err(format!("not the envelope endpoint: {}", request.line));
    }
    if header("content-type") != Some("application/x-sentry-envelope") {
        return Err(format!("wrong content type: {:?}", header("content-type")));
    }
    let auth = header("x-sentry-auth").unwrap_or_default();
    for part in ["Sentry ", "sentry_version=7", "sentry_key=0123456789abcdef0123456789abcdef", "sentry_client="] {
        if !auth.contains(part) {
            return Err(format!("{part} is not in x-sentry-auth: {auth}"));
        }
    }
    let body = String::from_utf8(request.body.clone()).map_err(|error| error.to_string())?;
    Ok((envelope(&request.body)?, body))
}

/// The items of an envelope.
fn envelope(body: &[u8]) -> Result<Vec<Item>, String> {
    let line = |bytes: &[u8]| -> Result<(Value, usize), String> {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let headers: Value = serde_json::from_slice(&bytes[..end]).map_err(|error| format!("headers: {error}"))?;
        headers.is_object().then_some((headers.clone(), (end + 1).min(bytes.len()))).ok_or(format!("{headers}"))
    };
    let (headers, mut at) = line(body)?;
    if headers["sent_at"].as_str().is_none_or(|time| !is_time(time)) {
        let start = String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned();
        return Err(format!("sent_at is not a time: {start}"));
    }
    let mut items = Vec::new();
    while at < body.len() {
        let (header, length) = line(&body[at..])?;
        at += length;
        let kind = header["type"].as_str().ok_or("an item without a type")?.to_owned();
        let length = header["length"].as_u64().and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or_else(|| format!("a {kind} without a length"))?;
        let payload = body.get(at..at + length).ok_or_else(|| format!("{kind}: shorter than {length}"))?;
        at += length;
        if at < body.len() {
            if body[at] != b'\n' {
                return Err(format!("{kind}: longer than {length}"));
            }
            at += 1;
        }
        let payload: Value = if kind == "attachment" {
            json!({ "name": header["filename"], "text": String::from_utf8_lossy(payload) })
        } else {
            serde_json::from_slice(payload).map_err(|error| format!("{kind}: {error}"))?
        };
        check_item(&kind, &payload, &headers)?;
        items.push(Item { kind, payload });
    }
    if items.is_empty() { Err("an empty envelope".to_owned()) } else { Ok(items) }
}
