//! A server that takes envelopes as Sentry's documentation has them, keeps them, and takes note of all that is not right.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::wait;

/// How long something may take to arrive.
const ARRIVAL: Duration = Duration::from_mins(1);

/// One item of an envelope.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its type, as its header says.
    pub kind: String,
    /// What it holds.
    pub payload: Value,
}

/// What it answers: a status and further headers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

#[derive(Debug, Default)]
struct State {
    items: Vec<Item>,
    /// Whole bodies of requests.
    bodies: Vec<String>,
    mistakes: Vec<String>,
    answers: Vec<Answer>,
}

/// A server on loopback.
#[derive(Debug)]
pub struct SentryServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl SentryServer {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { address, state }
    }

    /// The DSN of its project.
    #[must_use]
    pub fn dsn(&self) -> String {
        format!("http://0123456789abcdef0123456789abcdef@{}/42", self.address)
    }

    /// Answers the requests to come in this way, one after the other, and then with 200 again.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state().answers.extend(answers);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The items of that type that came so far. Panics when anything that came was not right.
    #[must_use]
    #[track_caller]
    pub fn items(&self, kind: &str) -> Vec<Value> {
        let state = self.state();
        assert_eq!(state.mistakes, Vec::<String>::new());
        state.items.iter().filter(|item| item.kind == kind).map(|item| item.payload.clone()).collect()
    }

    /// The same, once there are at least so many.
    #[must_use]
    #[track_caller]
    pub fn wait_for(&self, kind: &str, at_least: usize) -> Vec<Value> {
        wait::until(&format!("{at_least} {kind}"), ARRIVAL, || {
            Some(self.items(kind)).filter(|items| items.len() >= at_least)
        })
    }

    /// Everything that came, as it came.
    #[must_use]
    pub fn bodies(&self) -> Vec<String> {
        self.state().bodies.clone()
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let answer = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            match request.and_then(|request| check_request(&request)) {
                Ok((items, body)) => {
                    state.items.extend(items);
                    state.bodies.push(body);
                }
                Err(mistake) => state.mistakes.push(mistake),
            }
            if state.answers.is_empty() { None } else { Some(state.answers.remove(0)) }
        };
        let Answer { status, headers } = answer.unwrap_or(Answer { status: 200, headers: Vec::new() });
        let mut text = format!("HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: 2\r\n");
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n{}");
        if (&*stream).write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// None when the other side has closed.
fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Result<Request, String>> {
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

fn check_request(request: &Request) -> Result<(Vec<Item>, String), String> {
    let header = |wanted: &str| request.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| &**value);
    if request.line != "POST /api/42/envelope/ HTTP/1.1" {
        return Err(format!("not the way to envelopes: {}", request.line));
    }
    if header("content-type") != Some("application/x-sentry-envelope") {
        return Err(format!("wrong type of content: {:?}", header("content-type")));
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

/// The items of an envelope: a line of headers; for each item a line of headers, and as many bytes as these say.
fn envelope(body: &[u8]) -> Result<Vec<Item>, String> {
    let line = |bytes: &[u8]| -> Result<(Value, usize), String> {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let headers: Value = serde_json::from_slice(&bytes[..end]).map_err(|error| format!("headers: {error}"))?;
        headers.is_object().then_some((headers.clone(), (end + 1).min(bytes.len()))).ok_or(format!("{headers}"))
    };
    let (headers, mut at) = line(body)?;
    if headers["sent_at"].as_str().is_none_or(|time| !is_time(time)) {
        return Err(format!("sent_at is no time: {headers}"));
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
        let payload: Value = serde_json::from_slice(payload).map_err(|error| format!("{kind}: {error}"))?;
        check_item(&kind, &payload, &headers)?;
        items.push(Item { kind, payload });
    }
    if items.is_empty() { Err("an empty envelope".to_owned()) } else { Ok(items) }
}

fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect();
    shape.starts_with("0000-00-00T00:00:00") && shape.ends_with('Z')
}

fn is_id(value: &Value) -> bool {
    let hexadecimal = |text: &str| text.len() == 32 && text.chars().all(|letter| letter.is_ascii_hexdigit());
    value.as_str().is_some_and(|text| hexadecimal(&text.replace('-', "")))
}

/// Whether both are ids and one, with or without hyphens: either is right.
fn is_same_id(one: &Value, other: &Value) -> bool {
    let plain = |id: &Value| id.as_str().unwrap_or_default().replace('-', "");
    is_id(one) && is_id(other) && plain(one) == plain(other)
}

/// What one key of an object has to be.
type Rule = (&'static str, bool, fn(&Value) -> bool);

fn check(kind: &str, object: &Value, rules: &[Rule]) -> Result<(), String> {
    let fields = object.as_object().ok_or_else(|| format!("{kind} is no object: {object}"))?;
    for name in fields.keys() {
        if !rules.iter().any(|(known, ..)| known == name) {
            return Err(format!("{kind}: {name} is unknown: {object}"));
        }
    }
    for (name, required, fits) in rules {
        match fields.get(*name) {
            None if *required => return Err(format!("{kind} without {name}: {object}")),
            Some(value) if !fits(value) => return Err(format!("{kind}: {name} is wrong: {object}")),
            _ => {}
        }
    }
    Ok(())
}

fn text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn time(value: &Value) -> bool {
    value.as_str().is_some_and(is_time)
}

fn seconds(value: &Value) -> bool {
    value.as_f64().is_some_and(|seconds| seconds >= 0.0)
}

fn anything(_: &Value) -> bool {
    true
}

/// As <https://develop.sentry.dev/sdk/> describes each type.
fn check_item(kind: &str, payload: &Value, headers: &Value) -> Result<(), String> {
    match kind {
        "event" => {
            let same = is_same_id(&payload["event_id"], &headers["event_id"]);
            // Its schema is Bugsink's and Relay's to check.
            if same { Ok(()) } else { Err(format!("event ids differ: {headers} {}", payload["event_id"])) }
        }
        "transaction" => check_transaction(payload, headers),
        "check_in" => check_check_in(payload),
        "session" => check_session(payload),
        "client_report" => {
            check(kind, payload, &[("timestamp", true, anything), ("discarded_events", true, Value::is_array)])?;
            let discarded = payload["discarded_events"].as_array().into_iter().flatten();
            let reason = |value: &Value| {
                [
                    "queue_overflow",
                    "cache_overflow",
                    "ratelimit_backoff",
                    "network_error",
                    "sample_rate",
                    "before_send",
                    "event_processor",
                    "send_error",
                    "internal_sdk_error",
                    "insufficient_data",
                    "backpressure",
                ]
                .contains(&value.as_str().unwrap_or_default())
            };
            let rules: [Rule; 3] =
                [("reason", true, reason), ("category", true, text), ("quantity", true, Value::is_u64)];
            discarded.into_iter().try_for_each(|discarded| check("discarded", discarded, &rules))
        }
        other => Err(format!("{other} is unknown")),
    }
}

fn check_transaction(payload: &Value, headers: &Value) -> Result<(), String> {
    if !is_same_id(&payload["event_id"], &headers["event_id"]) {
        return Err(format!("event ids differ: {headers} {payload}"));
    }
    for name in ["timestamp", "start_timestamp", "transaction", "spans"] {
        if payload.get(name).is_none() {
            return Err(format!("a transaction without {name}: {payload}"));
        }
    }
    let trace = &payload["contexts"]["trace"];
    let is_span = |value: &Value| value.as_str().is_some_and(|text| text.len() == 16 && text != "0000000000000000");
    if !is_id(&trace["trace_id"]) || !is_span(&trace["span_id"]) {
        return Err(format!("a transaction without a trace: {payload}"));
    }
    let mut known = vec![trace["span_id"].clone()];
    let spans = payload["spans"].as_array().ok_or("spans are no list")?;
    known.extend(spans.iter().map(|span| span["span_id"].clone()));
    for span in spans {
        if span["trace_id"] != trace["trace_id"]
            || !is_span(&span["span_id"])
            || !known.contains(&span["parent_span_id"])
        {
            return Err(format!("a span that belongs nowhere: {span} in {payload}"));
        }
        if span.get("timestamp").is_none() || span.get("start_timestamp").is_none() || !text(&span["op"]) {
            return Err(format!("a span without its times or op: {span}"));
        }
    }
    Ok(())
}

fn check_check_in(payload: &Value) -> Result<(), String> {
    let status = |value: &Value| ["in_progress", "ok", "error"].contains(&value.as_str().unwrap_or_default());
    let slug = |value: &Value| {
        value.as_str().is_some_and(|slug| {
            let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
            (1..=50).contains(&slug.len()) && slug.chars().all(plain)
        })
    };
    check(
        "check_in",
        payload,
        &[
            ("check_in_id", true, is_id),
            ("monitor_slug", true, slug),
            ("status", true, status),
            ("duration", payload["status"] != "in_progress", seconds),
            ("environment", false, text),
            ("release", false, text),
            ("contexts", false, Value::is_object),
            ("monitor_config", false, Value::is_object),
        ],
    )?;
    let Some(config) = payload.get("monitor_config") else { return Ok(()) };
    let minutes = |value: &Value| value.as_u64().is_some_and(|minutes| minutes > 0);
    check(
        "monitor_config",
        config,
        &[
            ("schedule", true, Value::is_object),
            ("checkin_margin", false, minutes),
            ("max_runtime", false, minutes),
            ("timezone", false, text),
            ("failure_issue_threshold", false, minutes),
            ("recovery_threshold", false, minutes),
        ],
    )?;
    let crontab = |value: &Value| value == "crontab";
    check("schedule", &config["schedule"], &[("type", true, crontab), ("value", true, text)])
}

fn check_session(payload: &Value) -> Result<(), String> {
    let status = |value: &Value| ["ok", "exited", "crashed", "abnormal"].contains(&value.as_str().unwrap_or_default());
    check(
        "session",
        payload,
        &[
            ("sid", true, is_id),
            ("did", false, |value| value.is_null() || text(value)),
            ("seq", false, Value::is_u64),
            ("timestamp", false, time),
            ("started", true, time),
            ("init", false, Value::is_boolean),
            ("duration", false, seconds),
            ("status", true, status),
            ("errors", false, Value::is_u64),
            ("attrs", true, Value::is_object),
        ],
    )?;
    check("attrs", &payload["attrs"], &[("release", true, text), ("environment", false, text)])
}
