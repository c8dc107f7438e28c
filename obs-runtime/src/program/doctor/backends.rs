//! Whether the backends can be reached, by the health checks of obs itself.

use std::time::Duration;

#[cfg(feature = "bigquery")]
use crate::bigquery::client::environment;
use crate::checks::health::report::HealthResult;
use crate::checks::health::run::run_health_checks;
use crate::checks::health::status::Status;
use crate::config::otlp::OtlpSignal;
use crate::config::validated::Config;
use crate::pipeline::global;
use crate::program::doctor::finding::{Finding, Grade};
#[cfg(any(feature = "datadog-agentless", feature = "prometheus", feature = "sentry"))]
use crate::program::self_checks::clock_offset;
use crate::program::self_checks::registration::{GROUP, SelfChecks, are_any};

/// The check of the endpoint, which the port is looked at for instead.
const ENDPOINT: &str = "obs.prometheus";

/// What the checks of the backends have found.
pub struct Answers {
    pub findings: Vec<Finding>,
    /// By how many seconds this machine's clock is ahead of that of each server.
    pub clock_offsets: Vec<(String, i64)>,
    /// Whether this process answers at its metrics endpoint.
    #[cfg(feature = "prometheus")]
    pub is_scrapable: bool,
}

/// Asks each backend of the configuration, all at once, and waits for each no longer than the timeout.
pub fn ask(config: &Config, timeout: Duration) -> Answers {
    let are_registered = global::is_installed() && config.health_check_enabled;
    let registered = (!are_registered).then(|| SelfChecks::without_refresh(config));
    // A run of nothing warns of itself.
    let run = || run_health_checks().group(GROUP).timeout(timeout).uncached().forced().wait();
    let checks = if are_any(config) { run().checks } else { Vec::new() };
    drop(registered);
    let findings = checks.iter().filter(|check| check.name != ENDPOINT).map(finding);
    let findings = findings.map(|finding| with_sampling(finding, config));
    #[cfg(any(feature = "datadog-agentless", feature = "prometheus", feature = "sentry"))]
    let clock_offsets = checks.iter().filter_map(|check| {
        let seconds = check.details.as_ref()?.get(clock_offset::NAME)?.as_i64()?;
        Some((subject(&check.name), seconds))
    });
    #[cfg(not(any(feature = "datadog-agentless", feature = "prometheus", feature = "sentry")))]
    let clock_offsets = [];
    Answers {
        findings: findings.chain(not_configured(config)).collect(),
        clock_offsets: clock_offsets.into_iter().collect(),
        #[cfg(feature = "prometheus")]
        is_scrapable: checks.iter().any(|check| check.name == ENDPOINT && check.status == Status::Healthy),
    }
}

/// The name of a check as people read it.
fn subject(name: &str) -> String {
    name.strip_prefix("obs.").unwrap_or(name).replace('_', " ")
}

fn finding(check: &HealthResult) -> Finding {
    let subject = subject(&check.name);
    let message = check.message.clone().unwrap_or_else(|| check.status.to_string());
    match check.status {
        Status::Healthy => {
            let milliseconds = check.duration_seconds * 1000.0;
            let is_local = ["obs.budgets", "obs.log_file", "obs.textfile"].contains(&&*check.name);
            let verb = if is_local { "can be written" } else { "answers" };
            Finding::ok(subject, format!("{verb}, in {milliseconds:.0} ms"))
        }
        Status::Degraded | Status::Unknown | Status::Skipped => Finding::warning(subject, message, advice(&check.name)),
        Status::Unhealthy => Finding::problem(subject, message, advice(&check.name)),
    }
}

/// The finding with the share of traces that are sent: most of them are not, unless the configuration says so.
fn with_sampling(mut finding: Finding, config: &Config) -> Finding {
    let rate = config.tracing_sample_rate;
    if finding.subject == "otlp traces"
        && finding.status == Grade::Ok
        && config.otel.traces_sampler.is_none()
        && rate < 1.0
    {
        let percent = (rate * 1e6).round() / 1e4;
        finding.message = format!("{}; {percent} % of the traces are sent (TRACING_SAMPLE_RATE)", finding.message);
    }
    finding
}

fn advice(check: &str) -> &'static str {
    match check {
        "obs.log_file" => "make LOG_FILE writable for this user, and free disk space",
        "obs.textfile" => {
            "PROMETHEUS_TEXTFILE_DIR is the folder of node_exporter's --collector.textfile.directory, and must be writable for \
             this user"
        }
        "obs.pushgateway" => {
            "PROMETHEUS_PUSHGATEWAY_URL is the address of a Pushgateway, with user:password@ where it asks for them, and this \
             machine must reach it"
        }
        "obs.datadog_agent" => {
            "start the agent, or set DD_AGENT_HOST and DD_DOGSTATSD_PORT, or DD_DOGSTATSD_URL; DATADOG_ENABLED=false sends nothing"
        }
        "obs.datadog_api" => {
            "copy DATADOG_API_KEY from the organisation's settings, and set DATADOG_SITE to its site, such as datadoghq.eu; this machine \
             must reach it (HTTPS_PROXY is respected, DD_DD_URL names another URL)"
        }
        "obs.sentry" => {
            "copy SENTRY_DSN from the client keys of the project; this machine must reach its host (HTTPS_PROXY is respected)"
        }
        "obs.otlp_traces" | "obs.otlp_metrics" | "obs.otlp_logs" => {
            "OTEL_EXPORTER_OTLP_ENDPOINT is the base URL of a collector that takes OTLP over HTTP, port 4318 by default (4317 is \
             gRPC); credentials belong into OTEL_EXPORTER_OTLP_HEADERS"
        }
        "obs.bigquery" => {
            "GOOGLE_APPLICATION_CREDENTIALS names the file of credentials, GOOGLE_CLOUD_PROJECT the project; the account needs \
             bigquery.jobs.create; with BIGQUERY_EMULATOR_HOST an emulator must listen there"
        }
        "obs.budgets" => {
            "set OBS_STATE_DIR to a folder that this user can write; a damaged file can be removed: budgets begin anew"
        }
        _ => "",
    }
}

/// What is not configured.
fn not_configured(config: &Config) -> Vec<Finding> {
    let exports = |signal| config.exports_otlp(signal);
    let is_off = [
        (config.log_file.is_none(), "log file", "LOG_FILE is not set"),
        (
            config.prometheus_textfile_dir.is_none() || !config.metrics_enabled,
            "textfile",
            "PROMETHEUS_TEXTFILE_DIR is not set, or metrics are disabled",
        ),
        (
            config.prometheus_pushgateway_url.is_none() || !config.metrics_enabled,
            "pushgateway",
            "PROMETHEUS_PUSHGATEWAY_URL is not set, or metrics are disabled",
        ),
        (!config.datadog_enabled, "datadog agent", "DATADOG_ENABLED is not true"),
        (!config.sentry_enabled, "sentry", "SENTRY_ENABLED is not true"),
        (!exports(OtlpSignal::Traces), "otlp traces", "TRACING_ENABLED is not true"),
        (!exports(OtlpSignal::Metrics), "otlp metrics", "OTEL_METRICS_EXPORTER is not otlp"),
        (!exports(OtlpSignal::Logs), "otlp logs", "OTEL_LOGS_EXPORTER is not otlp"),
    ];
    let is_off = is_off.into_iter().filter(|(off, ..)| *off);
    let findings = is_off.map(|(_, subject, why)| Finding::off(subject, why));
    #[cfg(feature = "bigquery")]
    let findings = findings.chain((!environment::is_configured(config)).then(|| {
        let message =
            "neither BIGQUERY_EMULATOR_HOST nor GOOGLE_APPLICATION_CREDENTIALS is set with GOOGLE_CLOUD_PROJECT";
        Finding::off("bigquery", message)
    }));
    findings.collect()
}
