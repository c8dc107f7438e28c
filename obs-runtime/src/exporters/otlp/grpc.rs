//! Sends requests of OTLP over gRPC, on a thread of its own with a runtime of tokio for that thread alone.

use std::fmt;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use prost::bytes::{Buf as _, BufMut as _};
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Extensions, Request, Response, Status};
use ureq::http::uri::PathAndQuery;
use ureq::http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::otlp::OtlpCompression;
use crate::config::otlp_target::OtlpTarget;
use crate::exporters::http;
use crate::exporters::otlp::grpc_status;
use crate::exporters::otlp::rejection::Rejection;
use crate::exporters::otlp::sending::Sending;

/// The longest time to connect to the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How much longer than its time-out a request is waited for.
const GRACE: Duration = Duration::from_millis(100);

/// A client of one endpoint. The first request starts its thread, which ends when the client is dropped.
pub struct GrpcClient {
    endpoint: Endpoint,
    headers: HeaderMap,
    is_compressed: bool,
    jobs: Mutex<Option<UnboundedSender<Job>>>,
}

/// A request, and where its answer goes.
struct Job {
    request: Request<Vec<u8>>,
    method: &'static str,
    timeout: Option<Duration>,
    answer: mpsc::Sender<Result<Vec<u8>, Rejection>>,
}

impl GrpcClient {
    /// A client for that target, which trusts these certificates in PEM instead of the public ones.
    ///
    /// # Errors
    /// If the certificates are not in PEM, or the URL or a header is invalid.
    pub fn new(target: &OtlpTarget, certificates: Option<&[u8]>) -> Result<Self, String> {
        let mut endpoint = Endpoint::from_shared(target.url.clone()).map_err(|error| grpc_status::chain(&error))?;
        endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("obs/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| grpc_status::chain(&error))?;
        if target.url.starts_with("https://") {
            let tls = match certificates {
                Some(pem) => {
                    http::trusting(pem)?;
                    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
                }
                None => ClientTlsConfig::new().with_webpki_roots(),
            };
            endpoint = endpoint.tls_config(tls).map_err(|error| grpc_status::chain(&error))?;
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &target.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            let mut value = HeaderValue::from_bytes(value.expose().as_bytes()).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        let is_compressed = target.compression == OtlpCompression::Gzip;
        Ok(Self { endpoint, headers, is_compressed, jobs: Mutex::new(None) })
    }

    /// Sends a message to a method, `/package.Service/Method`, and returns the message of the answer. Blocks for as long as the time-out.
    ///
    /// # Errors
    /// Why the server has not accepted it.
    pub fn call(&self, method: &'static str, body: Vec<u8>, timeout: Option<Duration>) -> Result<Vec<u8>, Rejection> {
        let metadata = MetadataMap::from_headers(self.headers.clone());
        let mut request = Request::from_parts(metadata, Extensions::new(), body);
        if let Some(timeout) = timeout {
            request.set_timeout(timeout);
        }
        let (answer, answered) = mpsc::channel();
        self.send(Job { request, method, timeout, answer })?;
        let result = match timeout {
            Some(timeout) => answered.recv_timeout(timeout.saturating_add(GRACE)),
            None => answered.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match result {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Err(timed_out()),
            Err(RecvTimeoutError::Disconnected) => Err(Rejection::Unreachable("the request was not sent".to_owned())),
        }
    }

    fn send(&self, job: Job) -> Result<(), Rejection> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match &*jobs {
            Some(sender) => match sender.send(job) {
                Ok(()) => return Ok(()),
                Err(error) => error.0,
            },
            None => job,
        };
        let (sender, receiver) = unbounded_channel();
        // The receiver is below.
        let _ = sender.send(job);
        let (endpoint, is_compressed) = (self.endpoint.clone(), self.is_compressed);
        let started = thread::Builder::new()
            .name("obs-otlp-grpc".to_owned())
            .spawn(move || run(&endpoint, is_compressed, receiver))
            .map_err(|error| Rejection::Unreachable(error.to_string()));
        *jobs = started.is_ok().then_some(sender);
        started.map(drop)
    }
}

fn timed_out() -> Rejection {
    Rejection::Unreachable("no answer in time".to_owned())
}

/// Sends requests until the client is dropped.
fn run(endpoint: &Endpoint, is_compressed: bool, mut jobs: UnboundedReceiver<Job>) {
    // Its lines about requests are no log records: they would be the next request, without end.
    let _sending = Sending::begin();
    let Ok(runtime) = runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        let mut client = Grpc::new(endpoint.connect_lazy());
        if is_compressed {
            client = client.send_compressed(CompressionEncoding::Gzip);
        }
        let client = client.accept_compressed(CompressionEncoding::Gzip);
        while let Some(Job { request, method, timeout, answer }) = jobs.recv().await {
            let client = client.clone();
            tokio::spawn(async move {
                let call = unary(client, request, method);
                let result = match timeout {
                    Some(timeout) => tokio::time::timeout(timeout, call).await.unwrap_or_else(|_| Err(timed_out())),
                    None => call.await,
                };
                // Fails if nobody waits any longer.
                let _ = answer.send(result);
            });
        }
    });
}

async fn unary(
    mut client: Grpc<Channel>,
    request: Request<Vec<u8>>,
    method: &'static str,
) -> Result<Vec<u8>, Rejection> {
    client.ready().await.map_err(|error| Rejection::Unreachable(grpc_status::chain(&error)))?;
    let answer = client.unary(request, PathAndQuery::from_static(method), Messages).await;
    answer.map(Response::into_inner).map_err(|status| grpc_status::rejection(&status))
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct Messages;

impl Codec for Messages {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Messages {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Messages {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}

impl fmt::Debug for GrpcClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GrpcClient").field("endpoint", &self.endpoint.uri()).finish_non_exhaustive()
    }
}
