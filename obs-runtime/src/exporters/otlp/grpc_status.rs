//! What a status of gRPC means for a request of OTLP, by its specification.

use std::error::Error;
use std::time::Duration;

use prost::Message;
use tonic::{Code, Status};

use crate::exporters::http::MAX_RETRY_AFTER;
use crate::exporters::otlp::rejection::Rejection;

/// `google.rpc.Status`, in the metadata `grpc-status-details-bin`.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    delay: Option<Delay>,
}

/// `google.protobuf.Duration`
#[derive(Clone, Copy, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// Why a request was not accepted.
pub fn rejection(status: &Status) -> Rejection {
    if status.source().is_some() {
        // The connection failed.
        return Rejection::Unreachable(chain(status));
    }
    let retry_after = retry_after(status.details());
    let is_retryable = match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::ResourceExhausted if retry_after.is_some() => return Rejection::RateLimited { retry_after },
        // As gRPC says it of a message that is longer than the server takes.
        Code::ResourceExhausted if status.message().contains("larger than max") => return Rejection::TooLarge,
        _ => false,
    };
    let (code, message) = (name(status.code()), status.message().to_owned());
    Rejection::Status { code, message, is_retryable, retry_after }
}

fn retry_after(details: &[u8]) -> Option<Duration> {
    let details = Details::decode(details).ok()?.details;
    let info = details.iter().find(|detail| detail.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let Delay { seconds, nanos } = RetryInfo::decode(&*info.value).ok()?.delay?;
    let delay = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?.min(999_999_999));
    Some(delay.min(MAX_RETRY_AFTER))
}

/// An error with its sources.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        source = error.source();
    }
    // A server of another protocol.
    if text.contains("http2 error") { text + " (is it a port of gRPC, usually 4317?)" } else { text }
}

const fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_repeated_as_the_specification_says() {
        for (code, is_retryable) in [
            (Code::Cancelled, true),
            (Code::DeadlineExceeded, true),
            (Code::Aborted, true),
            (Code::OutOfRange, true),
            (Code::Unavailable, true),
            (Code::DataLoss, true),
            (Code::Unknown, false),
            (Code::InvalidArgument, false),
            (Code::ResourceExhausted, false),
            (Code::PermissionDenied, false),
            (Code::Unimplemented, false),
            (Code::Internal, false),
        ] {
            let rejection = rejection(&Status::new(code, "said"));
            assert_eq!(rejection.is_retryable(), is_retryable, "{code:?}");
            assert!(rejection.reason("http://a", "TRACES").contains(": said"), "{code:?}");
        }
        let too_large = Status::new(Code::ResourceExhausted, "grpc: received message larger than max (5 vs. 4)");
        assert_eq!(rejection(&too_large), Rejection::TooLarge);
    }

    #[test]
    fn a_server_says_when_to_come_again() {
        let info = RetryInfo { delay: Some(Delay { seconds: 7, nanos: 500_000_000 }) }.encode_to_vec();
        let detail = Detail { type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(), value: info };
        let details = Details { details: vec![Detail::default(), detail] }.encode_to_vec();
        let after = Some(Duration::from_millis(7500));
        for code in [Code::ResourceExhausted, Code::Unavailable] {
            let status = Status::with_details(code, "later", details.clone().into());
            assert_eq!(rejection(&status).retry_after(), after, "{code:?}");
            assert!(rejection(&status).is_retryable(), "{code:?}");
        }
        assert_eq!(retry_after(b"garbage"), None);
    }
}
