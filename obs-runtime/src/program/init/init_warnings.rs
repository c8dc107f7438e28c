//! Warnings about a configuration that is valid and yet not what was meant.

use crate::config::filter::LogFilterError;
use crate::config::otlp::OtlpSignal;
use crate::config::problem::Problem;
use crate::config::settings::{Origin, Setting};
use crate::config::unknown::UnknownVariable;
use crate::config::validated::Config;
use crate::metrics::registry;
use crate::pipeline::global;
#[cfg(feature = "otlp")]
use crate::program::otlp;
#[cfg(feature = "sentry")]
use crate::program::sentry;

/// Warns of invalid values, for which the defaults apply.
pub fn of_defaults(problems: &[String]) {
    if !problems.is_empty() {
        let message = format!("invalid configuration, going on with defaults: {}", problems.join("; "));
        global::warn_with_help("invalid-configuration", message);
    }
}

/// Logs all warnings about the configuration. `variables` are those of OpenTelemetry that are not valid, and unknown ones;
/// `of_choices` warns of what was chosen by itself.
pub fn warn(
    config: &Config,
    settings: &[Setting],
    variables: (&[Problem], &[UnknownVariable]),
    of_choices: impl FnOnce(),
) {
    let warn_of = |help: &'static str| move |message: String| global::warn_with_help(help, message);
    of_variables(variables.0, variables.1).into_iter().for_each(warn_of("unknown-variable"));
    of_choices();
    of_settings(config, settings).into_iter().for_each(warn_of("setting-without-effect"));
    of_shared_names(config).into_iter().for_each(warn_of("shared-names"));
}

/// Warnings about variables of OpenTelemetry that are not valid, and about names that are probably misspelt.
pub fn of_variables(invalid: &[Problem], unknown: &[UnknownVariable]) -> Vec<String> {
    let invalid = invalid.iter().map(|problem| format!("{problem}; going on as if it were not set"));
    invalid.chain(unknown.iter().map(ToString::to_string)).collect()
}

/// Warnings about settings that have no effect, in this build or without another one.
pub fn of_settings(config: &Config, settings: &[Setting]) -> Vec<String> {
    let is_left_out =
        |name: &str| settings.iter().any(|setting| setting.name == name && setting.origin == Origin::Default);
    let mut warnings = Vec::new();
    if !config.enabled {
        warnings.push("OBS_ENABLED=false: obs is off, and nothing is recorded, written or sent".to_owned());
    }
    if config.sentry_dsn.is_some() && !config.sentry_enabled && is_left_out("SENTRY_ENABLED") {
        let message =
            "SENTRY_DSN has no effect without SENTRY_ENABLED=true; SENTRY_ENABLED=false says that it is meant";
        warnings.push(message.to_owned());
    }
    let without_feature = [
        (
            config.prometheus_textfile_dir.is_some() && cfg!(not(feature = "prometheus")),
            "PROMETHEUS_TEXTFILE_DIR",
            "prometheus",
        ),
        (config.datadog_enabled && cfg!(not(feature = "datadog")), "DATADOG_ENABLED", "datadog"),
        (
            config.datadog_enabled
                && config.datadog_agentless == Some(true)
                && cfg!(not(feature = "datadog-agentless")),
            "DATADOG_AGENTLESS",
            "datadog-agentless",
        ),
        (config.sentry_enabled && cfg!(not(feature = "sentry")), "SENTRY_ENABLED", "sentry"),
    ];
    for (_, variable, feature) in without_feature.into_iter().filter(|(is_missing, ..)| *is_missing) {
        warnings.push(format!("{variable} has no effect without the feature {feature} of obs-runtime"));
    }
    #[cfg(feature = "sentry")]
    warnings.extend(sentry::problem(config));
    #[cfg(feature = "otlp")]
    warnings.extend(
        [OtlpSignal::Traces, OtlpSignal::Metrics, OtlpSignal::Logs]
            .into_iter()
            .filter(|signal| config.exports_otlp(*signal))
            .filter_map(|signal| otlp::problem(config, signal)),
    );
    #[cfg(not(feature = "otlp"))]
    warnings.extend(
        [
            (OtlpSignal::Traces, "TRACING_ENABLED"),
            (OtlpSignal::Metrics, "OTEL_METRICS_EXPORTER"),
            (OtlpSignal::Logs, "OTEL_LOGS_EXPORTER"),
        ]
        .into_iter()
        .filter(|(signal, _)| config.exports_otlp(*signal))
        .map(|(_, setting)| format!("{setting} exports nothing without the feature otlp of obs-runtime")),
    );
    warnings
}

/// Says what was chosen where the configuration leaves it open.
pub fn of_choices(rust_log: Option<(String, Vec<LogFilterError>)>, datadog_route: Option<String>) {
    of_rust_log(rust_log);
    if let Some(route) = datadog_route {
        global::warn_with_help("datadog-not-delivered", format!("datadog: {route}"));
    }
}

/// Says that `RUST_LOG` applies, if it does, and warns of what is not read of it.
fn of_rust_log(applied: Option<(String, Vec<LogFilterError>)>) {
    let Some((text, problems)) = applied else { return };
    global::inform(format!("LOG_LEVEL is not set: RUST_LOG={text} applies to the lines of obs"));
    for problem in problems {
        global::warn(match &problem.nearest {
            Some(nearest) => format!("RUST_LOG: {problem}; `{nearest}` applies"),
            None => format!("RUST_LOG: {problem}"),
        });
    }
}

/// The name of a layer of `tracing_subscriber` that filters for all layers.
pub fn global_filter<L>() -> Option<&'static str> {
    let name = std::any::type_name::<L>();
    let is_known = |filter: &&str| name.starts_with("tracing_") && name.ends_with(*filter);
    ["EnvFilter", "LevelFilter", "Targets"].into_iter().find(is_known)
}

/// Warns of layers that filter what obs gets too.
pub fn of_filtering_layers(names: &[&str]) {
    for name in names {
        global::warn_with_help(
            "missing-lines",
            format!(
                "the builder's layer {name} filters what all layers get, the lines of obs included: give the filter to a layer by \
             with_filter, and set LOG_LEVEL for obs"
            ),
        );
    }
}

/// How many shared names a warning lists.
const LISTED_NAMES: usize = 3;

/// A warning about functions whose metrics are added up because they have one name.
pub fn of_shared_names(config: &Config) -> Option<String> {
    let names = if config.metrics_enabled { registry::shared_names() } else { Vec::new() };
    let listed = names.iter().take(LISTED_NAMES).map(String::as_str).collect::<Vec<_>>().join("; ");
    let more = names.len().saturating_sub(LISTED_NAMES);
    let rest =
        if more > 0 { format!("; and {more} more such names, see catalogue().shared_names") } else { String::new() };
    (!names.is_empty()).then(|| listed + &rest)
}
