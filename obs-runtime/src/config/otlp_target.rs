//! What the exporters of OTLP use: the variables of each signal over those of all signals over the defaults.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::secret::Secret;
use crate::base::trace_context::TraceContext;
use crate::config::otlp::{
    KeyValues, Milliseconds, OtelExporter, OtelSampler, OtlpCompression, OtlpProtocol, OtlpSettings, OtlpSignal,
};
use crate::config::otlp_parse;
use crate::config::validated::Config;

/// The time limit of a request, if none is set.
const TIMEOUT: Milliseconds = Milliseconds(10_000);

/// Where and how a signal is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OtlpTarget {
    /// The URL of the signal; for gRPC without a path.
    pub url: String,
    /// The protocol.
    pub protocol: OtlpProtocol,
    /// Names and decoded values of the headers of each request.
    pub headers: Vec<(String, Secret<String>)>,
    /// The time limit of a request; [`Duration::MAX`] for none.
    pub timeout: Duration,
    /// The compression of requests.
    pub compression: OtlpCompression,
    /// A PEM file with the certificates that are trusted.
    pub certificate: Option<PathBuf>,
}

/// Which traces are exported.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TraceSampler {
    /// Whether the decision of the caller applies, if there is one.
    pub parent_based: bool,
    /// The share of the other traces, from 0 to 1.
    pub rate: f64,
}

impl TraceSampler {
    /// Whether a trace is sampled that began for this caller, if there is one.
    pub(crate) fn samples(&self, trace: &TraceContext, caller: Option<&TraceContext>) -> bool {
        match caller {
            Some(caller) if self.parent_based => caller.is_sampled(),
            _ => trace.is_within(self.rate),
        }
    }
}

impl Config {
    /// Whether a signal is sent to an OTLP endpoint. Metrics need `METRICS_ENABLED` too.
    #[must_use]
    pub fn exports_otlp(&self, signal: OtlpSignal) -> bool {
        let otel = &self.otel;
        let exporter = match signal {
            OtlpSignal::Traces => match otel.traces_exporter {
                Some(exporter) => exporter,
                None if self.tracing_enabled => OtelExporter::Otlp,
                None => OtelExporter::None,
            },
            OtlpSignal::Metrics if !self.metrics_enabled => OtelExporter::None,
            OtlpSignal::Metrics => otel.metrics_exporter,
            OtlpSignal::Logs => otel.logs_exporter,
        };
        exporter == OtelExporter::Otlp && !otel.sdk_disabled
    }

    /// Where and how a signal is sent: the settings of the signal, then those of all signals, then the defaults.
    #[must_use]
    pub fn otlp_target(&self, signal: OtlpSignal) -> OtlpTarget {
        let otel = &self.otel;
        let (own, all) = match signal {
            OtlpSignal::Traces => (&otel.traces, &otel.all),
            OtlpSignal::Metrics => (&otel.metrics, &otel.all),
            OtlpSignal::Logs => (&otel.logs, &otel.all),
        };
        let protocol = own.protocol.or(all.protocol).unwrap_or(OtlpProtocol::HttpProtobuf);
        let timeout = own.timeout.or(all.timeout).unwrap_or(TIMEOUT);
        let headers = own.headers.as_ref().or(all.headers.as_ref());
        let KeyValues(headers) =
            headers.and_then(|headers| otlp_parse::key_values(headers.expose())).unwrap_or_default();
        OtlpTarget {
            url: url(own, all, protocol, signal),
            protocol,
            headers: headers.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
            timeout: if timeout.0 == 0 { Duration::MAX } else { timeout.duration() },
            compression: own.compression.or(all.compression).unwrap_or(OtlpCompression::None),
            certificate: own.certificate.clone().or_else(|| all.certificate.clone()),
        }
    }

    /// Which traces are exported: by `OTEL_TRACES_SAMPLER`, otherwise by the caller and `TRACING_SAMPLE_RATE`.
    #[must_use]
    pub fn trace_sampler(&self) -> TraceSampler {
        let ratio = self.otel.traces_sampler_arg.unwrap_or(1.0);
        let (parent_based, rate) = match self.otel.traces_sampler {
            None => (true, self.tracing_sample_rate),
            Some(OtelSampler::AlwaysOn) => (false, 1.0),
            Some(OtelSampler::AlwaysOff) => (false, 0.0),
            Some(OtelSampler::TraceIdRatio) => (false, ratio),
            Some(OtelSampler::ParentBasedAlwaysOn) => (true, 1.0),
            Some(OtelSampler::ParentBasedAlwaysOff) => (true, 0.0),
            Some(OtelSampler::ParentBasedTraceIdRatio) => (true, ratio),
        };
        TraceSampler { parent_based, rate }
    }
}

/// The URL of a signal. That of the signal is used as it is; to that of all signals the path of the signal is added.
fn url(own: &OtlpSettings, all: &OtlpSettings, protocol: OtlpProtocol, signal: OtlpSignal) -> String {
    match protocol {
        OtlpProtocol::Grpc => {
            let endpoint = own.endpoint.as_deref().or(all.endpoint.as_deref()).unwrap_or("http://localhost:4317");
            // gRPC names the service and the method in the path.
            let (scheme, rest) = endpoint.split_once("://").unwrap_or(("http", endpoint));
            let authority = rest.split('/').next().unwrap_or_default();
            format!("{scheme}://{authority}")
        }
        OtlpProtocol::HttpProtobuf => match &own.endpoint {
            Some(endpoint) if endpoint.matches('/').count() == 2 => format!("{endpoint}/"),
            Some(endpoint) => endpoint.clone(),
            None => {
                let endpoint = all.endpoint.as_deref().unwrap_or("http://localhost:4318");
                format!("{}/{}", endpoint.trim_end_matches('/'), signal.path())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::otlp::Temporality;
    use crate::config::read::ReadVariables;
    use crate::config::unknown::unknown;
    use crate::config::variables::VARIABLES;

    fn read(variables: &[(&str, &str)]) -> (Config, ReadVariables) {
        let mut config = Config::default();
        let lookup = |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into());
        let read = config.read(lookup);
        (config, read)
    }

    fn config(variables: &[(&str, &str)]) -> Config {
        let (config, read) = read(variables);
        assert_eq!((&read.problems[..], &read.warnings[..]), (&[][..], &[][..]));
        config
    }

    #[test]
    fn the_endpoint_of_a_signal_is_its_url_and_that_of_all_signals_gets_its_path() {
        let all = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let own = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        for (variables, url) in [
            (&[][..], "http://localhost:4318/v1/metrics"),
            (&[(all, "http://collector:4318")], "http://collector:4318/v1/metrics"),
            (&[(all, "HTTPS://collector/otlp/")], "https://collector/otlp/v1/metrics"),
            (&[(all, "http://a"), (own, "http://b:80/mine")], "http://b:80/mine"),
            (&[(own, "http://[::1]:4318")], "http://[::1]:4318/"),
            (&[(all, "http://a"), ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://b")], "http://a/v1/metrics"),
            (&[grpc], "http://localhost:4317"),
            (&[grpc, (all, "https://collector:4317/path")], "https://collector:4317"),
            (
                &[grpc, ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "HTTP/protobuf"), (all, "http://a/")],
                "http://a/v1/metrics",
            ),
            // An empty value counts as not set.
            (&[(all, "http://a"), (own, "")], "http://a/v1/metrics"),
        ] {
            assert_eq!(config(variables).otlp_target(OtlpSignal::Metrics).url, url, "{variables:?}");
        }
    }

    #[test]
    fn settings_of_a_signal_win_over_those_of_all_signals_over_the_defaults() {
        let target = Config::default().otlp_target(OtlpSignal::Logs);
        assert_eq!((target.protocol, target.timeout), (OtlpProtocol::HttpProtobuf, Duration::from_secs(10)));
        assert_eq!((target.compression, target.certificate), (OtlpCompression::None, None));
        assert_eq!(target.headers, []);
        let config = config(&[
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=se%2Ccret, tenant = a%20b ,"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem"),
            ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "x=y%3Dz"),
            ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "0"),
            ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "none"),
            ("OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE", "/etc/logs.pem"),
        ]);
        let headers = |target: &OtlpTarget| -> Vec<(String, String)> {
            target.headers.iter().map(|(name, value)| (name.clone(), value.expose().clone())).collect()
        };
        let of = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let traces = config.otlp_target(OtlpSignal::Traces);
        assert_eq!(headers(&traces), [of("api-key", "se,cret"), of("tenant", "a b")]);
        assert_eq!((traces.timeout, traces.compression), (Duration::from_millis(500), OtlpCompression::Gzip));
        assert_eq!(traces.certificate, Some("/etc/ca.pem".into()));
        let logs = config.otlp_target(OtlpSignal::Logs);
        assert_eq!(headers(&logs), [of("x", "y=z")], "not joined with those of all signals");
        assert_eq!((logs.timeout, logs.compression), (Duration::MAX, OtlpCompression::None));
        assert_eq!(logs.certificate, Some("/etc/logs.pem".into()));
        assert!(!format!("{config:?}{config}{traces:?}").contains("cret"), "{config:?}");
    }

    #[test]
    fn a_signal_is_exported_if_its_exporter_says_so_and_the_sdk_is_not_disabled() {
        let exported = |variables: &[(&str, &str)]| {
            let config = config(variables);
            [OtlpSignal::Traces, OtlpSignal::Metrics, OtlpSignal::Logs].map(|signal| config.exports_otlp(signal))
        };
        let all = [("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_METRICS_EXPORTER", "OTLP"), ("OTEL_LOGS_EXPORTER", "otlp")];
        assert_eq!(exported(&[]), [false; 3]);
        assert_eq!(exported(&[("TRACING_ENABLED", "true")]), [true, false, false]);
        assert_eq!(exported(&[("TRACING_ENABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")]), [false; 3]);
        assert_eq!(exported(&all), [true; 3]);
        assert_eq!(exported(&[&all[..], &[("METRICS_ENABLED", "no")]].concat()), [true, false, true]);
        assert_eq!(exported(&[&all[..], &[("OTEL_SDK_DISABLED", "True")]].concat()), [false; 3]);
    }

    #[test]
    fn the_sampler_is_that_of_opentelemetry_or_ours() {
        let sampler = |variables: &[(&str, &str)]| {
            let TraceSampler { parent_based, rate } = config(variables).trace_sampler();
            (parent_based, rate)
        };
        let (name, argument) = ("OTEL_TRACES_SAMPLER", ("OTEL_TRACES_SAMPLER_ARG", "0.25"));
        assert_eq!(sampler(&[("TRACING_SAMPLE_RATE", "0.5"), argument]), (true, 0.5));
        for (word, with_argument, without) in [
            ("always_on", (false, 1.0), 1.0),
            ("always_off", (false, 0.0), 0.0),
            ("traceidratio", (false, 0.25), 1.0),
            ("parentbased_always_on", (true, 1.0), 1.0),
            ("PARENTBASED_ALWAYS_OFF", (true, 0.0), 0.0),
            ("parentbased_traceidratio", (true, 0.25), 1.0),
        ] {
            assert_eq!(sampler(&[(name, word), argument]), with_argument, "{word}");
            assert_eq!(sampler(&[(name, word)]), (with_argument.0, without), "{word}");
        }
    }

    #[test]
    fn an_invalid_value_is_a_warning_and_counts_as_not_set() {
        for (variable, value, nearest) in [
            ("OTEL_SDK_DISABLED", "1", None),
            ("OTEL_SDK_DISABLED", "ture", Some("true")),
            ("OTEL_METRICS_EXPORTER", "prometheus", None),
            ("OTEL_LOGS_EXPORTER", "otpl", Some("otlp")),
            ("OTEL_TRACES_EXPORTER", "otlp,none", Some("otlp")),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote", None),
            ("OTEL_TRACES_SAMPLER", "traceid_ratio", Some("traceidratio")),
            ("OTEL_TRACES_SAMPLER_ARG", "2", Some("1")),
            ("OTEL_PROPAGATORS", "tracecontext,b3", None),
            ("OTEL_PROPAGATORS", "bagage", Some("baggage")),
            ("OTEL_METRIC_EXPORT_INTERVAL", "0", None),
            ("OTEL_METRIC_EXPORT_INTERVAL", "30s", Some("30000")),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "deltas", Some("delta")),
            ("OTEL_RESOURCE_ATTRIBUTES", "team", None),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=a%2", None),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=%ff", None),
            ("OTEL_RESOURCE_ATTRIBUTES", "=data", None),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", Some("http://collector:4318")),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector", None),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:99999", None),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", None),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a b", None),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://ann:hunter2@collector", None),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", None),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1", None),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "10s", Some("10000")),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", None),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2", None),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api key=hunter2", None),
            ("OTEL_EXPORTER_OTLP_HEADERS", "key=hunter2%0a", None),
        ] {
            let (config, ReadVariables { set, problems, warnings, .. }) = read(&[(variable, value)]);
            assert_eq!((config, set, problems), (Config::default(), vec![], vec![]), "{variable}={value}");
            assert_eq!(warnings.len(), 1, "{variable}={value}");
            assert_eq!(warnings[0].variable, variable);
            let nearest = nearest.map(str::to_owned);
            assert!(warnings[0].nearest == nearest || value == "http/json", "{variable}={value}: {:?}", warnings[0]);
            assert!(!format!("{:?}", warnings[0]).contains("hunter2"), "{:?}", warnings[0]);
            let public = Config::from_lookup(|name| (name == variable).then(|| value.into()));
            assert_eq!(public, Ok(Config::default()), "{variable}={value}");
        }
    }

    #[test]
    fn values_are_shown_as_they_would_be_written() {
        let given = [
            ("OTEL_RESOURCE_ATTRIBUTES", "team=data%2Cops,cloud.region=eu%20west"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "lowmemory"),
            ("OTEL_PROPAGATORS", "tracecontext,baggage"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "api-key=hunter2"),
        ];
        let config = config(&given);
        assert_eq!(config.otel.metrics_temporality, Temporality::LowMemory);
        let shown = config.to_string();
        for (name, value) in given {
            let value = if name.ends_with("HEADERS") { "[REDACTED]" } else { value };
            assert!(shown.lines().any(|line| line == format!("{name}={value}")), "{name}: {shown}");
        }
    }

    #[test]
    fn a_variable_that_obs_does_not_read_is_warned_of_only_if_it_is_like_one_that_it_reads() {
        let names = ["OTEL_EXPORTER_OTLP_ENDPIONT", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_LOG_LEVEL"];
        let unknown: Vec<_> = unknown(names.map(Into::into)).into_iter().map(|unknown| unknown.name).collect();
        assert_eq!(unknown, ["OTEL_EXPORTER_OTLP_ENDPIONT"]);
        let of_opentelemetry = VARIABLES.iter().filter(|variable| variable.name.starts_with("OTEL_"));
        assert!(of_opentelemetry.clone().all(|variable| variable.lenient) && of_opentelemetry.count() == 35);
        assert!(VARIABLES.iter().all(|variable| variable.lenient == variable.name.starts_with("OTEL_")));
    }
}
