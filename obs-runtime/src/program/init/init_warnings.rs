//! Warnings about a configuration that is valid and yet not what was meant.

use crate::config::otlp::OtlpSignal;
use crate::config::problem::Problem;
use crate::config::settings::{Origin, Setting};
use crate::config::unknown::UnknownVariable;
use crate::config::validated::Config;
use crate::metrics::registry;
use crate::pipeline::global;
#[cfg(feature = "otlp")]
use crate::program::otlp;

/// Warns of variables of OpenTelemetry that are not valid, and of names that are probably misspelt.
pub fn of_variables(invalid: &[Problem], unknown: &[UnknownVariable]) {
    for problem in invalid {
        global::warn(format!("{problem}; going on as if it were not set"));
    }
    for variable in unknown {
        global::warn(variable.to_string());
    }
}

/// Warns of settings that have no effect, in this build or without another one.
pub fn of_settings_without_effect(config: &Config, settings: &[Setting]) {
    let is_left_out =
        |name: &str| settings.iter().any(|setting| setting.name == name && setting.origin == Origin::Default);
    if config.sentry_dsn.is_some() && !config.sentry_enabled && is_left_out("SENTRY_ENABLED") {
        let message =
            "SENTRY_DSN has no effect without SENTRY_ENABLED=true; SENTRY_ENABLED=false says that it is meant";
        global::warn(message.to_owned());
    }
    #[cfg(not(feature = "otlp"))]
    for (signal, setting) in [
        (OtlpSignal::Traces, "TRACING_ENABLED"),
        (OtlpSignal::Metrics, "OTEL_METRICS_EXPORTER"),
        (OtlpSignal::Logs, "OTEL_LOGS_EXPORTER"),
    ] {
        if config.exports_otlp(signal) {
            global::warn(format!("{setting} exports nothing without the feature otlp of obs-runtime"));
        }
    }
    #[cfg(feature = "otlp")]
    for signal in [OtlpSignal::Traces, OtlpSignal::Metrics, OtlpSignal::Logs] {
        if config.exports_otlp(signal)
            && let Some(problem) = otlp::problem(config, signal)
        {
            global::warn(problem);
        }
    }
    #[cfg(not(feature = "prometheus"))]
    if config.prometheus_textfile_dir.is_some() {
        global::warn("PROMETHEUS_TEXTFILE_DIR has no effect without the feature prometheus of obs-runtime".to_owned());
    }
    #[cfg(not(feature = "datadog"))]
    if config.datadog_enabled {
        global::warn("DATADOG_ENABLED has no effect without the feature datadog of obs-runtime".to_owned());
    }
    #[cfg(not(feature = "sentry"))]
    if config.sentry_enabled {
        global::warn("SENTRY_ENABLED has no effect without the feature sentry of obs-runtime".to_owned());
    }
}

/// How many shared names a warning lists.
const LISTED_NAMES: usize = 3;

/// Warns of functions whose metrics are added up because they have one name.
pub fn of_shared_names(config: &Config) {
    let names = if config.metrics_enabled { registry::shared_names() } else { Vec::new() };
    let listed = names.iter().take(LISTED_NAMES).map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = names.len().saturating_sub(LISTED_NAMES);
    let rest =
        if more > 0 { format!("; and {more} more such names, see catalogue().shared_names") } else { String::new() };
    if !names.is_empty() {
        global::warn(listed + &rest);
    }
}
