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
}

impl OtlpRequest for ExportTraceServiceRequest {
    type Answer = ExportTraceServiceResponse;

    #[cfg(feature = "otlp-grpc")]
    const METHOD: &'static str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
}

impl OtlpRequest for ExportMetricsServiceRequest {
    type Answer = ExportMetricsServiceResponse;

    #[cfg(feature = "otlp-grpc")]
    const METHOD: &'static str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
}

impl OtlpRequest for ExportLogsServiceRequest {
    type Answer = ExportLogsServiceResponse;

    #[cfg(feature = "otlp-grpc")]
    const METHOD: &'static str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
}
