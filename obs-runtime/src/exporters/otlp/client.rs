//! Sends requests of OTLP and waits for their answers: as protobuf over HTTP, on the calling thread, or over gRPC.

use std::fmt;
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use ureq::Agent;

use crate::config::otlp::OtlpCompression;
#[cfg(feature = "otlp-grpc")]
use crate::config::otlp::OtlpProtocol;
use crate::config::otlp_target::OtlpTarget;
use crate::exporters::http;
#[cfg(feature = "otlp-grpc")]
use crate::exporters::otlp::grpc::GrpcClient;
use crate::exporters::otlp::rejection::Rejection;
use crate::exporters::otlp::request::OtlpRequest;

/// The content type of requests and of their answers.
const PROTOBUF: &str = "application/x-protobuf";

/// The longest time to connect to the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The most bytes of an answer that are read.
const MAX_ANSWER: u64 = 64 * 1024;

/// A client of one endpoint.
pub struct OtlpClient {
    transport: Transport,
    target: OtlpTarget,
    /// The most that a request may take.
    timeout: Option<Duration>,
}

enum Transport {
    Http(Agent),
    #[cfg(feature = "otlp-grpc")]
    Grpc(Box<GrpcClient>),
}

/// What a server answers to a request that it does not accept.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(string, tag = "2")]
    message: String,
}

impl OtlpClient {
    /// A client for that target, which trusts these certificates in PEM instead of the public ones.
    ///
    /// # Errors
    /// If the certificates are not in PEM, or the URL or a header is invalid.
    pub fn new(target: OtlpTarget, certificates: Option<&[u8]>) -> Result<Self, String> {
        let timeout = Some(target.timeout).filter(|timeout| *timeout != Duration::MAX);
        #[cfg(feature = "otlp-grpc")]
        if target.protocol == OtlpProtocol::Grpc {
            let transport = Transport::Grpc(Box::new(GrpcClient::new(&target, certificates)?));
            return Ok(Self { transport, target, timeout });
        }
        let mut config = http::config(&target.url, timeout, Some(CONNECT_TIMEOUT));
        if let Some(pem) = certificates {
            config = config.tls_config(http::trusting(pem)?);
        }
        Ok(Self { transport: Transport::Http(config.build().into()), target, timeout })
    }

    /// The URL of the requests.
    pub fn url(&self) -> &str {
        &self.target.url
    }

    /// Sends a request and waits for its answer, within the time-out of the target and until the deadline.
    ///
    /// # Errors
    /// Why the server has not accepted all of it.
    pub fn export<R: OtlpRequest>(&self, request: &R, deadline: Option<Instant>) -> Result<(), Rejection> {
        let result = self.answer(request, deadline).and_then(|answer| match R::rejected(answer) {
            Some((rejected @ 1.., message)) => Err(Rejection::Partial { rejected: rejected.unsigned_abs(), message }),
            _ => Ok(()),
        });
        let headers = || self.target.headers.iter().map(|(_, value)| value);
        result.map_err(|rejection| rejection.with_words(|said| http::said(said.as_bytes(), headers())))
    }

    fn answer<R: OtlpRequest>(&self, request: &R, deadline: Option<Instant>) -> Result<R::Answer, Rejection> {
        let rest = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = [rest, self.timeout].into_iter().flatten().min();
        match &self.transport {
            Transport::Http(agent) => self.post(agent, &self.body(request)?, timeout),
            #[cfg(feature = "otlp-grpc")]
            Transport::Grpc(client) => decoded(&client.call(R::METHOD, request.encode_to_vec(), timeout)?),
        }
    }

    fn post<Answer: Message + Default>(
        &self,
        agent: &Agent,
        body: &[u8],
        timeout: Option<Duration>,
    ) -> Result<Answer, Rejection> {
        let mut post = agent.post(self.url()).content_type(PROTOBUF);
        for (name, value) in &self.target.headers {
            post = post.header(name, value.expose());
        }
        if self.is_compressed() {
            post = post.header("content-encoding", "gzip");
        }
        let post = post.config().timeout_global(timeout).build();
        let mut answer = post.send(body).map_err(|error| Rejection::Unreachable(error.to_string()))?;
        let status = answer.status().as_u16();
        let header = |name| http::header(answer.headers(), name);
        let content_type = header("content-type").unwrap_or_default().to_ascii_lowercase();
        let retry_after = header("retry-after").and_then(|value| http::delay(value, SystemTime::now()));
        // A connection is reused only after its answer has been read.
        let read = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        let is_protobuf = content_type.starts_with(PROTOBUF);
        match status {
            200..300 => {
                let body = read.map_err(|error| Rejection::Unreachable(error.to_string()))?;
                if !is_protobuf && !body.is_empty() {
                    return Err(Rejection::NotOtlp(format!("status {status}, content type {content_type:?}")));
                }
                decoded(&body)
            }
            413 => Err(Rejection::TooLarge),
            429 => Err(Rejection::RateLimited { retry_after }),
            502..=504 => Err(Rejection::Unavailable { status, retry_after }),
            _ => {
                let body = read.unwrap_or_default();
                let message = if is_protobuf {
                    Status::decode(&body[..]).unwrap_or_default().message
                } else {
                    String::from_utf8_lossy(&body).into_owned()
                };
                Err(Rejection::Refused { status, message })
            }
        }
    }

    fn is_compressed(&self) -> bool {
        self.target.compression == OtlpCompression::Gzip
    }

    fn body(&self, request: &impl Message) -> Result<Vec<u8>, Rejection> {
        let body = request.encode_to_vec();
        if !self.is_compressed() {
            return Ok(body);
        }
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
        let written = encoder.write_all(&body).and_then(|()| encoder.finish());
        // Writing to memory does not fail.
        written.map_err(|error| Rejection::Unreachable(error.to_string()))
    }
}

impl fmt::Debug for OtlpClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OtlpClient").field("target", &self.target).finish_non_exhaustive()
    }
}

fn decoded<Answer: Message + Default>(body: &[u8]) -> Result<Answer, Rejection> {
    Answer::decode(body).map_err(|error| Rejection::NotOtlp(error.to_string()))
}

#[cfg(test)]
pub mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;

    use super::*;
    use crate::base::secret::Secret;
    use crate::config::otlp::OtlpSignal;
    use crate::config::validated::Config;
    use crate::exporters::http::tests::serve;

    #[test]
    fn a_file_without_a_certificate_is_no_certificate() {
        let target = Config::default().otlp_target(OtlpSignal::Traces);
        for pem in ["", "nothing", "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n"] {
            assert!(OtlpClient::new(target.clone(), Some(pem.as_bytes())).is_err(), "{pem}");
        }
        assert!(OtlpClient::new(target, None).is_ok());
    }

    /// A client of a server with these answers, one for each connection: statuses with texts.
    pub fn client(answers: Vec<(u16, &'static str)>, header: Option<(&str, &str)>) -> OtlpClient {
        let mut target = Config::default().otlp_target(OtlpSignal::Logs);
        target.url = format!("{}/", serve(answers));
        target.headers =
            header.map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned()))).into_iter().collect();
        OtlpClient::new(target, None).unwrap()
    }

    #[test]
    fn what_a_server_says_of_a_header_does_not_tell_its_value() {
        let client = client(vec![(401, "unknown team 0123456789ab\r\n")], Some(("x-team", "0123456789ab")));
        let rejection = client.export(&ExportLogsServiceRequest::default(), None).unwrap_err();
        let message = "unknown team [REDACTED]".to_owned();
        assert_eq!(rejection, Rejection::Refused { status: 401, message });
    }
}
