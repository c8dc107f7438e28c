//! A server of OTLP over HTTP with scripted answers. It keeps the spans that it gets, and every violation of the protocol.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::loopback;
use crate::faults::read_request;

/// An answer of the server.
#[derive(Clone, Debug)]
pub enum OtlpAnswer {
    /// All is accepted.
    Accept,
    /// This status, and these headers.
    Status(u16, Vec<String>),
    /// A part of it is rejected.
    Partial(i64, &'static str),
}

#[derive(Debug, Default)]
struct State {
    accepted: Vec<Span>,
    requests: usize,
    heads: Vec<String>,
    bodies: Vec<Vec<u8>>,
    metrics: Vec<Vec<Metric>>,
    logs: Vec<LogRecord>,
    violations: Vec<String>,
    answers: VecDeque<OtlpAnswer>,
}

/// The server.
#[derive(Debug)]
pub struct OtlpServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl OtlpServer {
    /// Starts one that accepts everything.
    #[must_use]
    pub fn start() -> Self {
        Self::answering([])
    }

    /// Starts one that gives these answers, and then accepts everything.
    #[must_use]
    pub fn answering(answers: impl IntoIterator<Item = OtlpAnswer>) -> Self {
        let state = Arc::new(Mutex::new(State { answers: answers.into_iter().collect(), ..State::default() }));
        let address = loopback::serve(&state, serve);
        Self { address, state }
    }

    /// Its URL, as in `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans that it has accepted. Panics when a request violated the protocol.
    #[must_use]
    #[track_caller]
    pub fn spans(&self) -> Vec<Span> {
        let state = locked(&self.state);
        assert_eq!(state.violations, Vec::<String>::new());
        state.accepted.clone()
    }

    /// How many requests it got.
    #[must_use]
    pub fn requests(&self) -> usize {
        locked(&self.state).requests
    }

    /// The head of each request, in lower case.
    #[must_use]
    pub fn heads(&self) -> Vec<String> {
        locked(&self.state).heads.clone()
    }

    /// The metrics of each request that it has accepted.
    #[must_use]
    #[track_caller]
    pub fn metrics(&self) -> Vec<Vec<Metric>> {
        let state = locked(&self.state);
        assert_eq!(state.violations, Vec::<String>::new());
        state.metrics.clone()
    }

    /// The log records that it has accepted.
    #[must_use]
    #[track_caller]
    pub fn logs(&self) -> Vec<LogRecord> {
        let state = locked(&self.state);
        assert_eq!(state.violations, Vec::<String>::new());
        state.logs.clone()
    }

    /// The bodies of all requests, without compression.
    #[must_use]
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        locked(&self.state).bodies.clone()
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    while let Some(request) = read_request(&mut stream) {
        let answered = {
            let mut state = locked(state);
            state.requests += 1;
            let answer = state.answers.pop_front().unwrap_or(OtlpAnswer::Accept);
            let is_accepted = !matches!(answer, OtlpAnswer::Status(..));
            match decode(&request, &mut state) {
                Ok(_) if !is_accepted => {}
                Ok(Decoded::Spans(spans)) => state.accepted.extend(spans),
                Ok(Decoded::Metrics(metrics)) => state.metrics.push(metrics),
                Ok(Decoded::Logs(records)) => state.logs.extend(records),
                Err(violation) => state.violations.push(violation),
            }
            stream.write_all(&response(&answer))
        };
        if answered.is_err() {
            return;
        }
    }
}

/// The content of a request.
enum Decoded {
    Spans(Vec<Span>),
    Metrics(Vec<Metric>),
    Logs(Vec<LogRecord>),
}

fn decode(request: &[u8], state: &mut State) -> Result<Decoded, String> {
    let end =
        request.windows(4).position(|window| window == b"\r\n\r\n").ok_or("a request without an end of its head")?;
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    state.heads.push(head.clone());
    let path =
        head.strip_prefix("post ").and_then(|line| line.split_once(" http/1.1\r\n")).map(|(path, _)| path.to_owned());
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    if header("content-type") != Some("application/x-protobuf") {
        return Err(format!("wrong content type: {head}"));
    }
    let mut body = request[end + 4..].to_vec();
    if header("content-encoding") == Some("gzip") {
        let mut plain = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut plain).map_err(|error| error.to_string())?;
        body = plain;
    }
    let decoded = match path.as_deref() {
        Some("/v1/traces") => {
            let request = ExportTraceServiceRequest::decode(&body[..]).map_err(|error| error.to_string())?;
            let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            Decoded::Spans(scopes.flat_map(|scope| scope.spans).collect())
        }
        Some("/v1/metrics") => {
            let request = ExportMetricsServiceRequest::decode(&body[..]).map_err(|error| error.to_string())?;
            let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
            Decoded::Metrics(scopes.flat_map(|scope| scope.metrics).collect())
        }
        Some("/v1/logs") => {
            let request = ExportLogsServiceRequest::decode(&body[..]).map_err(|error| error.to_string())?;
            let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
            Decoded::Logs(scopes.flat_map(|scope| scope.log_records).collect())
        }
        _ => return Err(format!("not an endpoint of OTLP: {head}")),
    };
    state.bodies.push(body);
    Ok(decoded)
}

fn response(answer: &OtlpAnswer) -> Vec<u8> {
    let (status, headers, partial) = match answer {
        OtlpAnswer::Accept => (200, Vec::new(), None),
        OtlpAnswer::Status(status, headers) => (*status, headers.clone(), None),
        OtlpAnswer::Partial(rejected_spans, message) => {
            let error_message = (*message).to_owned();
            (200, Vec::new(), Some(ExportTracePartialSuccess { rejected_spans: *rejected_spans, error_message }))
        }
    };
    let body = ExportTraceServiceResponse { partial_success: partial }.encode_to_vec();
    let mut head = vec![format!("HTTP/1.1 {status} Scripted"), "Content-Type: application/x-protobuf".to_owned()];
    head.extend(headers);
    head.extend([format!("Content-Length: {}", body.len()), String::new(), String::new()]);
    [head.join("\r\n").into_bytes(), body].concat()
}
