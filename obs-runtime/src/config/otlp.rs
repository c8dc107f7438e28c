//! The configuration of OpenTelemetry: the variables `OTEL_*` with the names, values and precedence of its specification.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::secret::Secret;

/// What the variables `OTEL_*` set. `None` is a variable that is not set or not valid.
///
/// An invalid value is no error, as OpenTelemetry asks: `init` logs a warning and uses the default.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OtelConfig {
    /// `OTEL_SDK_DISABLED`
    pub sdk_disabled: bool,
    /// `OTEL_SERVICE_NAME`; `SERVICE_NAME` if not set.
    pub service_name: Option<String>,
    /// `OTEL_RESOURCE_ATTRIBUTES`
    pub resource_attributes: KeyValues,
    /// `OTEL_TRACES_EXPORTER`; by `TRACING_ENABLED` if not set.
    pub traces_exporter: Option<OtelExporter>,
    /// `OTEL_METRICS_EXPORTER`
    pub metrics_exporter: OtelExporter,
    /// `OTEL_LOGS_EXPORTER`
    pub logs_exporter: OtelExporter,
    /// `OTEL_PROPAGATORS`
    pub propagators: Propagators,
    /// `OTEL_TRACES_SAMPLER`; parent-based with `TRACING_SAMPLE_RATE` if not set.
    pub traces_sampler: Option<OtelSampler>,
    /// `OTEL_TRACES_SAMPLER_ARG`: the share of traces that a ratio sampler takes.
    pub traces_sampler_arg: Option<f64>,
    /// `OTEL_METRIC_EXPORT_INTERVAL`
    pub metric_export_interval: Milliseconds,
    /// `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`
    pub metrics_temporality: Temporality,
    /// `OTEL_EXPORTER_OTLP_…`, for all signals.
    pub all: OtlpSettings,
    /// `OTEL_EXPORTER_OTLP_TRACES_…`
    pub traces: OtlpSettings,
    /// `OTEL_EXPORTER_OTLP_METRICS_…`
    pub metrics: OtlpSettings,
    /// `OTEL_EXPORTER_OTLP_LOGS_…`
    pub logs: OtlpSettings,
}

impl Default for OtelConfig {
    fn default() -> Self {
        Self {
            sdk_disabled: false,
            service_name: None,
            resource_attributes: KeyValues::default(),
            traces_exporter: None,
            metrics_exporter: OtelExporter::None,
            logs_exporter: OtelExporter::None,
            propagators: Propagators::default(),
            traces_sampler: None,
            traces_sampler_arg: None,
            metric_export_interval: Milliseconds(60_000),
            metrics_temporality: Temporality::Cumulative,
            all: OtlpSettings::default(),
            traces: OtlpSettings::default(),
            metrics: OtlpSettings::default(),
            logs: OtlpSettings::default(),
        }
    }
}

/// The settings of the OTLP exporters, for all signals or for one, whose own settings win.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtlpSettings {
    /// `…_ENDPOINT`: that of a signal is its URL; to that of all signals the path of the signal is added, as `/v1/metrics`.
    pub endpoint: Option<String>,
    /// `…_PROTOCOL`
    pub protocol: Option<OtlpProtocol>,
    /// `…_HEADERS`, as `name=value,…` with percent-encoded values.
    pub headers: Option<Secret<String>>,
    /// `…_TIMEOUT`; 0 is no limit.
    pub timeout: Option<Milliseconds>,
    /// `…_COMPRESSION`
    pub compression: Option<OtlpCompression>,
    /// `…_CERTIFICATE`: a PEM file with the certificates that are trusted instead of those of the platform.
    pub certificate: Option<PathBuf>,
}

/// A signal of OpenTelemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OtlpSignal {
    /// Spans.
    Traces,
    /// Metrics.
    Metrics,
    /// Log records.
    Logs,
}

impl OtlpSignal {
    /// The path of the signal over HTTP, without the first slash.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Traces => "v1/traces",
            Self::Metrics => "v1/metrics",
            Self::Logs => "v1/logs",
        }
    }
}

/// A value of a variable that has a fixed set of values.
pub(crate) trait Word: Copy + 'static {
    /// All values.
    const ALL: &'static [Self];

    /// The value as in a variable.
    fn word(self) -> &'static str;
}

/// Declares an enum of words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                self.as_str()
            }
        }

        impl $name {
            /// The value as in a variable.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

words! {
    /// Where a signal goes.
    OtelExporter:
        /// To an OTLP endpoint.
        Otlp = "otlp",
        /// Nowhere.
        None = "none"
}

words! {
    /// The protocol of OTLP.
    OtlpProtocol:
        /// Protobuf over HTTP.
        HttpProtobuf = "http/protobuf",
        /// gRPC; needs the feature `otlp-grpc`.
        Grpc = "grpc"
}

words! {
    /// The compression of requests.
    OtlpCompression:
        /// None.
        None = "none",
        /// Gzip.
        Gzip = "gzip"
}

words! {
    /// What the points of counters and histograms count.
    Temporality:
        /// Everything since the start of the process.
        Cumulative = "cumulative",
        /// What was added since the last export.
        Delta = "delta",
        /// As `delta`: all counters and histograms of obs are synchronous.
        LowMemory = "lowmemory"
}

words! {
    /// Which traces are exported.
    OtelSampler:
        /// All.
        AlwaysOn = "always_on",
        /// None.
        AlwaysOff = "always_off",
        /// The share `OTEL_TRACES_SAMPLER_ARG`.
        TraceIdRatio = "traceidratio",
        /// As the caller decided; all without a caller.
        ParentBasedAlwaysOn = "parentbased_always_on",
        /// As the caller decided; none without a caller.
        ParentBasedAlwaysOff = "parentbased_always_off",
        /// As the caller decided; the share `OTEL_TRACES_SAMPLER_ARG` without a caller.
        ParentBasedTraceIdRatio = "parentbased_traceidratio"
}

/// What goes to other processes beside `x-correlation-id`, and is accepted from them.
///
/// OpenTelemetry's default has `baggage` too; obs has it only when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Propagators {
    /// `tracecontext`: `traceparent` and `tracestate`.
    pub trace_context: bool,
    /// `baggage`: the correlation id as `obs.correlation_id`, and nothing else.
    pub baggage: bool,
}

impl Default for Propagators {
    fn default() -> Self {
        Self { trace_context: true, baggage: false }
    }
}

impl fmt::Display for Propagators {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match (self.trace_context, self.baggage) {
            (true, true) => "tracecontext,baggage",
            (true, false) => "tracecontext",
            (false, true) => "baggage",
            (false, false) => "none",
        })
    }
}

/// A number of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Milliseconds(pub u64);

impl Milliseconds {
    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl fmt::Display for Milliseconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// Names and values in the order of the variable, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyValues(pub Vec<(String, String)>);

impl fmt::Display for KeyValues {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            for byte in name.bytes() {
                encode(byte, formatter)?;
            }
            formatter.write_str("=")?;
            for byte in value.bytes() {
                encode(byte, formatter)?;
            }
        }
        Ok(())
    }
}

/// Percent-encodes a byte that separates pairs or is not printable ASCII.
fn encode(byte: u8, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    if byte.is_ascii_graphic() && !b",=%;\\\"".contains(&byte) {
        write!(formatter, "{}", char::from(byte))
    } else {
        write!(formatter, "%{byte:02X}")
    }
}
