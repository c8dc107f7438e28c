//! Reads requests of the API from a connection.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

use serde_json::Value;

use super::{Call, Request};

/// Reads the next request; none when the connection ends.
pub fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut token, mut flavour) = (0, String::new(), None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => token = value.trim().trim_start_matches("Bearer ").to_owned(),
            "metadata-flavor" => flavour = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let bare = path.split('?').next().unwrap_or_default();
    let call = match (&*method, bare) {
        (_, path) if path.ends_with("/token") => Call::Token,
        ("POST", path) if path.ends_with("/insertAll") => Call::Rows,
        ("POST", path) if path.ends_with("/cancel") => Call::Cancel,
        ("POST", _) if body["configuration"]["dryRun"] == true => Call::DryRun,
        ("POST", _) => Call::Insert,
        (_, path) if path.contains("/queries/") => Call::Results,
        (_, path) if path.contains("/tables/") => Call::Table,
        _ => Call::Get,
    };
    Some(Request { call, path, body, text, token, flavour })
}

/// The job id of a request.
pub fn job_id(request: &Request) -> String {
    if let Some(id) = request.body["jobReference"]["jobId"].as_str() {
        return id.to_owned();
    }
    let path = request.path.split('?').next().unwrap_or_default().trim_end_matches("/cancel");
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A query parameter of a path.
pub fn parameter<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let (_, query) = path.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}
