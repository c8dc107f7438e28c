//! The requests of OTLP.

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;

/// A request.
pub trait OtlpRequest: Message {
    /// What the server answers.
    type Answer: Message + Default;

    /// The method of gRPC.
    #[cfg(feature = "otlp-grpc")]
    const METHOD: &'static str;

    /// How many items the server has rejected, and why; `None` if it accepted all.
    fn rejected(answer: Self::Answer) -> Option<(i64, String)>;
}

impl OtlpRequest for ExportTraceServiceRequest {
    type Answer = ExportTraceServiceResponse;

    #[cfg(feature = "otlp-grpc")]
    const METHOD: &'static str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

    fn rejected(answer: Self::Answer) -> Option<(i64, String)> {
        answer.partial_success.map(|partial| (partial.rejected_spans, partial.error_message))
    }
}

impl OtlpRequest for ExportMetricsServiceRequest {
    type Answer = ExportMetricsServiceResponse;

    #[cfg(feature = "otlp-grpc")]
    const METHOD: &'static str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

    fn rejected(answer: Self::Answer) -> Option<(i64, String)> {
        answer.partial_success.map(|partial| (partial.rejected_data_points, partial.error_message))
    }
}

impl OtlpRequest for ExportLogsServiceRequest {
    type Answer = ExportLogsServiceResponse;

    #[cfg(feature = "otlp-grpc")]
    const METHOD: &'static str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

    fn rejected(answer: Self::Answer) -> Option<(i64, String)> {
        answer.partial_success.map(|partial| (partial.rejected_log_records, partial.error_message))
    }
}
