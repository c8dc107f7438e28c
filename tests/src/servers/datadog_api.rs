//! Datadog's API with scripted answers. It keeps what it accepts, as Datadog does, and every violation of what is documented.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::read::ZlibDecoder;
use serde_json::Value;

use super::loopback;
use crate::exposition::{Labels, has_labels};
use crate::faults::read_request;

/// The key that it accepts.
pub const API_KEY: &str = "5ec7e7a91b0e4f2d8c6b3a19d7f0e542";

/// The documented limits of the size of a request: as it is sent, and without compression.
const MAX_COMPRESSED: usize = 512_000;
const MAX_BYTES: usize = 5_242_880;

/// A request, without compression.
#[derive(Clone, Debug)]
pub struct ApiRequest {
    /// Its path.
    pub path: String,
    /// Its head, in lower case.
    pub head: String,
    /// Its body.
    pub body: Value,
}

/// The key of a series: name, host and tags.
type Series = (String, Option<String>, Labels);

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<(u16, Vec<String>)>,
    /// The most bytes of a request that are accepted.
    limit: Option<usize>,
    requests: Vec<ApiRequest>,
    accepted: Vec<ApiRequest>,
    violations: Vec<String>,
}

/// The server.
#[derive(Debug)]
pub struct DatadogApi {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl DatadogApi {
    /// Starts one that accepts everything.
    #[must_use]
    pub fn start() -> Self {
        Self::answering([])
    }

    /// Starts one that gives these answers, each a status and headers, and then accepts everything.
    #[must_use]
    pub fn answering(answers: impl IntoIterator<Item = (u16, Vec<String>)>) -> Self {
        Self::with(State { answers: answers.into_iter().collect(), ..State::default() })
    }

    /// Starts one that answers 413 to requests of more bytes than that.
    #[must_use]
    pub fn limited_to(bytes: usize) -> Self {
        Self::with(State { limit: Some(bytes), ..State::default() })
    }

    fn with(state: State) -> Self {
        let state = Arc::new(Mutex::new(state));
        let address = loopback::serve(&state, serve);
        Self { address, state }
    }

    /// Its URL, as in `DD_DD_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request.
    #[must_use]
    pub fn requests(&self) -> Vec<ApiRequest> {
        locked(&self.state).requests.clone()
    }

    /// The requests that it has accepted. Panics when a request violated what is documented.
    #[must_use]
    #[track_caller]
    pub fn accepted(&self) -> Vec<ApiRequest> {
        let state = locked(&self.state);
        assert_eq!(state.violations, Vec::<String>::new());
        state.accepted.clone()
    }

    /// The accepted bodies of a path.
    #[must_use]
    #[track_caller]
    pub fn bodies(&self, path: &str) -> Vec<Value> {
        self.accepted().into_iter().filter(|request| request.path == path).map(|request| request.body).collect()
    }

    /// The service checks.
    #[must_use]
    #[track_caller]
    pub fn service_checks(&self) -> Vec<Value> {
        self.bodies("/api/v1/check_run").into_iter().flat_map(items).collect()
    }

    /// The events.
    #[must_use]
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        self.bodies("/api/v1/events")
    }

    /// The values of each series of that type (1 for counts, 3 for gauges) by second. As in Datadog, a later value of the same
    /// second replaces an earlier one.
    #[track_caller]
    fn series(&self, kind: u64) -> BTreeMap<Series, BTreeMap<u64, f64>> {
        let mut all: BTreeMap<Series, BTreeMap<u64, f64>> = BTreeMap::new();
        for series in self.bodies("/api/v2/series").into_iter().flat_map(|body| items(body["series"].clone())) {
            if series["type"] != kind {
                continue;
            }
            let host = series["resources"][0]["name"].as_str().map(str::to_owned);
            let values = all.entry((name(&series), host, tags(&series))).or_default();
            for point in items(series["points"].clone()) {
                values
                    .insert(point["timestamp"].as_u64().expect("a second"), point["value"].as_f64().expect("a number"));
            }
        }
        all
    }

    /// The observations of each distribution.
    #[track_caller]
    fn distributions(&self) -> BTreeMap<Series, Vec<f64>> {
        let mut all: BTreeMap<Series, Vec<f64>> = BTreeMap::new();
        let bodies = self.bodies("/api/v1/distribution_points").into_iter();
        for series in bodies.flat_map(|body| items(body["series"].clone())) {
            let host = series["host"].as_str().map(str::to_owned);
            let values = all.entry((name(&series), host, tags(&series))).or_default();
            for point in items(series["points"].clone()) {
                values.extend(items(point[1].clone()).iter().map(|value| value.as_f64().expect("a number")));
            }
        }
        all
    }

    /// The sum of counters with this name and at least these tags, over all seconds.
    #[must_use]
    #[track_caller]
    pub fn sum(&self, name: &str, tags: &[(&str, &str)]) -> f64 {
        let series = self.series(1);
        let wanted = series.iter().filter(|((found, _, labels), _)| found == name && has_labels(labels, tags));
        wanted.flat_map(|(_, values)| values.values()).sum()
    }

    /// The last value of the gauge with this name and at least these tags.
    #[must_use]
    #[track_caller]
    pub fn gauge(&self, name: &str, tags: &[(&str, &str)]) -> Option<f64> {
        let series = self.series(3);
        let mut wanted = series.iter().filter(|((found, _, labels), _)| found == name && has_labels(labels, tags));
        wanted.next()?.1.last_key_value().map(|(_, value)| *value)
    }

    /// The observations of distributions with this name and at least these tags.
    #[must_use]
    #[track_caller]
    pub fn observations(&self, name: &str, tags: &[(&str, &str)]) -> Vec<f64> {
        let distributions = self.distributions();
        let wanted = distributions.iter().filter(|((found, _, labels), _)| found == name && has_labels(labels, tags));
        wanted.flat_map(|(_, values)| values.iter().copied()).collect()
    }

    /// The names, kinds (`c`, `g` or `d`) and tags of all series.
    #[must_use]
    #[track_caller]
    pub fn identities(&self) -> BTreeSet<(String, String, Labels)> {
        let kinds = [("c", self.series(1).into_keys().collect()), ("g", self.series(3).into_keys().collect())];
        let all = kinds.into_iter().chain([("d", self.distributions().into_keys().collect::<Vec<Series>>())]);
        all.flat_map(|(kind, series)| series.into_iter().map(|(name, _, tags)| (name, kind.to_owned(), tags))).collect()
    }
}

fn items(array: Value) -> Vec<Value> {
    if let Value::Array(items) = array { items } else { panic!("not an array: {array}") }
}

fn name(series: &Value) -> String {
    series["metric"].as_str().expect("a name").to_owned()
}

fn tags(series: &Value) -> Labels {
    let tags = items(series["tags"].clone()).into_iter();
    let tag = |tag: Value| {
        let (name, value) = tag.as_str().and_then(|tag| tag.split_once(':')).expect("`name:value`");
        (name.to_owned(), value.to_owned())
    };
    tags.map(tag).collect()
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers the requests of one connection.
fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    while let Some(request) = read_request(&mut stream) {
        let (status, headers) = answer(&request, &mut locked(state));
        let body = if status == 202 { r#"{"errors":[]}"# } else { r#"{"errors":["scripted"]}"# };
        let headers: String = headers.iter().flat_map(|header| [&**header, "\r\n"]).collect();
        let head = format!("HTTP/1.1 {status} Scripted\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// Keeps a request, and says what it is answered with.
fn answer(request: &[u8], state: &mut State) -> (u16, Vec<String>) {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n").expect("a request has a head") + 4;
    let head = String::from_utf8_lossy(&request[..end]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let key =
        head.lines().find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("dd-api-key")));
    let is_known = key.is_some_and(|(_, key)| key == API_KEY);
    let head = head.to_ascii_lowercase();
    if path == "/api/v1/validate" {
        return (if is_known { 202 } else { 403 }, Vec::new());
    }
    let body = decoded(&path, &head, &request[end..]).unwrap_or_else(|violation| {
        state.violations.push(format!("{violation}: {head}"));
        Value::Null
    });
    let request = ApiRequest { path, head, body };
    state.requests.push(request.clone());
    if !is_known {
        return (403, Vec::new());
    }
    let is_too_large = state.limit.is_some_and(|limit| content_length(&request.head) > limit);
    let scripted = state.answers.pop_front();
    let (status, headers) = scripted.unwrap_or_else(|| (if is_too_large { 413 } else { 202 }, Vec::new()));
    if status == 202 {
        state.accepted.push(request);
    }
    (status, headers)
}

fn content_length(head: &str) -> usize {
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.trim().parse().ok()).unwrap_or_default()
}

/// The body of a request, checked against what is documented.
fn decoded(path: &str, head: &str, body: &[u8]) -> Result<Value, String> {
    let known = ["/api/v2/series", "/api/v1/distribution_points", "/api/v1/check_run", "/api/v1/events"];
    if !known.contains(&path) || !head.starts_with("post ") {
        return Err("no such request".to_owned());
    }
    if !head.contains("\r\ncontent-type: application/json") {
        return Err("not the content type".to_owned());
    }
    if body.len() > MAX_COMPRESSED {
        return Err(format!("{} bytes", body.len()));
    }
    let is_compressed = head.contains("\r\ncontent-encoding: deflate\r\n");
    if is_compressed == (path == "/api/v1/events") {
        return Err("not the encoding".to_owned());
    }
    let mut text = Vec::new();
    if is_compressed {
        ZlibDecoder::new(body).read_to_end(&mut text).map_err(|error| error.to_string())?;
    } else {
        text.extend_from_slice(body);
    }
    if text.len() >= MAX_BYTES {
        return Err(format!("{} bytes without compression", text.len()));
    }
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}
