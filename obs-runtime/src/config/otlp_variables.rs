//! The table of the environment variables of OpenTelemetry. An invalid value is a warning, as its specification asks.

use crate::config::env_value::EnvValue as _;
use crate::config::otlp_parse;
use crate::config::parse;
use crate::config::variable::{Variable, variables};

variables! { OPENTELEMETRY, lenient: true;
    "OTEL_SDK_DISABLED" => otel.sdk_disabled = |text| otlp_parse::boolean(text)?,
        "true or false", "false",
        "Whether nothing is sent by OTLP, whatever else is set.";
    "OTEL_SERVICE_NAME" => otel.service_name = |text| Some(text.to_owned()),
        "text", "",
        "service.name of what is sent by OTLP; that of OTEL_RESOURCE_ATTRIBUTES if not set, then SERVICE_NAME.";
    "OTEL_RESOURCE_ATTRIBUTES" => otel.resource_attributes = |text| otlp_parse::attributes(text)?,
        "attributes such as team=data,cloud.region=eu%2Fwest, percent-encoded", "",
        "Further attributes of everything that is sent by OTLP; they win over those that obs detects.";
    "OTEL_TRACES_EXPORTER" => otel.traces_exporter = |text| Some(otlp_parse::word(text)?),
        "otlp or none", "",
        "Where traces go; by TRACING_ENABLED if not set.";
    "OTEL_METRICS_EXPORTER" => otel.metrics_exporter = |text| otlp_parse::word(text)?,
        "otlp or none", "none",
        "Where metrics go, besides Prometheus and Datadog.";
    "OTEL_LOGS_EXPORTER" => otel.logs_exporter = |text| otlp_parse::word(text)?,
        "otlp or none", "none",
        "Where log records go, besides standard error and LOG_FILE.";
    "OTEL_TRACES_SAMPLER" => otel.traces_sampler = |text| Some(otlp_parse::word(text)?),
        "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or parentbased_traceidratio", "",
        "Which traces are exported; by the caller and TRACING_SAMPLE_RATE if not set.";
    "OTEL_TRACES_SAMPLER_ARG" => otel.traces_sampler_arg = |text| Some(parse::rate(text)?),
        "a number from 0 to 1", "",
        "Share of traces that the ratio samplers take; 1 if not set.";
    "OTEL_PROPAGATORS" => otel.propagators = |text| otlp_parse::propagators(text)?,
        "a list of tracecontext and baggage, or none", "tracecontext",
        "What goes to other processes and is accepted from them: traceparent and tracestate, and the correlation id as baggage.";
    "OTEL_METRIC_EXPORT_INTERVAL" => otel.metric_export_interval = |text| otlp_parse::interval(text)?,
        "a number of milliseconds above zero", "60000",
        "Interval of sending metrics by OTLP, in milliseconds.";
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE" => otel.metrics_temporality = |text| otlp_parse::word(text)?,
        "cumulative, delta or lowmemory", "cumulative",
        "Whether points of counters and histograms count from the start, or since the last export.";
    "OTEL_EXPORTER_OTLP_ENDPOINT" => otel.all.endpoint = |text| Some(otlp_parse::endpoint(text)?),
        "an http or https URL", "",
        "Endpoint of OTLP; v1/traces, v1/metrics and v1/logs are added for HTTP; port 4318, or 4317 for gRPC, of this machine if not set.";
    "OTEL_EXPORTER_OTLP_PROTOCOL" => otel.all.protocol = |text| Some(otlp_parse::word(text)?),
        "http/protobuf or grpc", "",
        "Protocol of OTLP for all signals; http/protobuf if not set; grpc needs the feature otlp-grpc.";
    "OTEL_EXPORTER_OTLP_HEADERS" => otel.all.headers = |text| Some(otlp_parse::headers(text)?),
        "headers such as api-key=secret,tenant=a%20b, percent-encoded", "",
        "Headers of the requests for all signals.",
        secret;
    "OTEL_EXPORTER_OTLP_TIMEOUT" => otel.all.timeout = |text| Some(otlp_parse::milliseconds(text)?),
        "a number of milliseconds, 0 for no limit", "",
        "Time limit of a request for all signals, in milliseconds; 10000 if not set.";
    "OTEL_EXPORTER_OTLP_COMPRESSION" => otel.all.compression = |text| Some(otlp_parse::word(text)?),
        "gzip or none", "",
        "Compression of the requests for all signals; none if not set.";
    "OTEL_EXPORTER_OTLP_CERTIFICATE" => otel.all.certificate = |text| Some(text.into()),
        "a path", "",
        "PEM file with the certificates that are trusted for all signals; the built-in ones if not set.";
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" => otel.traces.endpoint = |text| Some(otlp_parse::endpoint(text)?),
        "an http or https URL", "",
        "URL that traces are sent to, as it is; by OTEL_EXPORTER_OTLP_ENDPOINT if not set.";
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" => otel.traces.protocol = |text| Some(otlp_parse::word(text)?),
        "http/protobuf or grpc", "",
        "Protocol of OTLP for traces; OTEL_EXPORTER_OTLP_PROTOCOL if not set.";
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS" => otel.traces.headers = |text| Some(otlp_parse::headers(text)?),
        "headers such as api-key=secret,tenant=a%20b, percent-encoded", "",
        "Headers of the requests for traces; OTEL_EXPORTER_OTLP_HEADERS if not set.",
        secret;
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT" => otel.traces.timeout = |text| Some(otlp_parse::milliseconds(text)?),
        "a number of milliseconds, 0 for no limit", "",
        "Time limit of a request for traces, in milliseconds; OTEL_EXPORTER_OTLP_TIMEOUT if not set.";
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION" => otel.traces.compression = |text| Some(otlp_parse::word(text)?),
        "gzip or none", "",
        "Compression of the requests for traces; OTEL_EXPORTER_OTLP_COMPRESSION if not set.";
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE" => otel.traces.certificate = |text| Some(text.into()),
        "a path", "",
        "PEM file with the certificates that are trusted for traces; OTEL_EXPORTER_OTLP_CERTIFICATE if not set.";
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" => otel.metrics.endpoint = |text| Some(otlp_parse::endpoint(text)?),
        "an http or https URL", "",
        "URL that metrics are sent to, as it is; by OTEL_EXPORTER_OTLP_ENDPOINT if not set.";
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL" => otel.metrics.protocol = |text| Some(otlp_parse::word(text)?),
        "http/protobuf or grpc", "",
        "Protocol of OTLP for metrics; OTEL_EXPORTER_OTLP_PROTOCOL if not set.";
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS" => otel.metrics.headers = |text| Some(otlp_parse::headers(text)?),
        "headers such as api-key=secret,tenant=a%20b, percent-encoded", "",
        "Headers of the requests for metrics; OTEL_EXPORTER_OTLP_HEADERS if not set.",
        secret;
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT" => otel.metrics.timeout = |text| Some(otlp_parse::milliseconds(text)?),
        "a number of milliseconds, 0 for no limit", "",
        "Time limit of a request for metrics, in milliseconds; OTEL_EXPORTER_OTLP_TIMEOUT if not set.";
    "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION" => otel.metrics.compression = |text| Some(otlp_parse::word(text)?),
        "gzip or none", "",
        "Compression of the requests for metrics; OTEL_EXPORTER_OTLP_COMPRESSION if not set.";
    "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE" => otel.metrics.certificate = |text| Some(text.into()),
        "a path", "",
        "PEM file with the certificates that are trusted for metrics; OTEL_EXPORTER_OTLP_CERTIFICATE if not set.";
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" => otel.logs.endpoint = |text| Some(otlp_parse::endpoint(text)?),
        "an http or https URL", "",
        "URL that logs are sent to, as it is; by OTEL_EXPORTER_OTLP_ENDPOINT if not set.";
    "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL" => otel.logs.protocol = |text| Some(otlp_parse::word(text)?),
        "http/protobuf or grpc", "",
        "Protocol of OTLP for logs; OTEL_EXPORTER_OTLP_PROTOCOL if not set.";
    "OTEL_EXPORTER_OTLP_LOGS_HEADERS" => otel.logs.headers = |text| Some(otlp_parse::headers(text)?),
        "headers such as api-key=secret,tenant=a%20b, percent-encoded", "",
        "Headers of the requests for logs; OTEL_EXPORTER_OTLP_HEADERS if not set.",
        secret;
    "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT" => otel.logs.timeout = |text| Some(otlp_parse::milliseconds(text)?),
        "a number of milliseconds, 0 for no limit", "",
        "Time limit of a request for logs, in milliseconds; OTEL_EXPORTER_OTLP_TIMEOUT if not set.";
    "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION" => otel.logs.compression = |text| Some(otlp_parse::word(text)?),
        "gzip or none", "",
        "Compression of the requests for logs; OTEL_EXPORTER_OTLP_COMPRESSION if not set.";
    "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE" => otel.logs.certificate = |text| Some(text.into()),
        "a path", "",
        "PEM file with the certificates that are trusted for logs; OTEL_EXPORTER_OTLP_CERTIFICATE if not set.";
}
