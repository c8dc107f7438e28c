//! The table of environment variables.

use crate::base::secret::Secret;
use crate::config::agent_address;
use crate::config::agent_address::AgentAddressError;
use crate::config::env_value::EnvValue as _;
use crate::config::filter::LogFilterError;
use crate::config::location_prices;
use crate::config::otlp_variables::OPENTELEMETRY;
use crate::config::parse;
#[cfg(feature = "sentry")]
use crate::config::problem::ConfigError;
use crate::config::pushgateway_url::PushgatewayUrlError;
use crate::config::variable::{Variable, variables};

/// Every environment variable that configures obs.
pub const VARIABLES: &[Variable] = &{
    let mut all = [OWN[0]; OWN.len() + OPENTELEMETRY.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = if index < OWN.len() { OWN[index] } else { OPENTELEMETRY[index - OWN.len()] };
        index += 1;
    }
    all
};

#[cfg(feature = "sentry")]
impl ConfigError {
    /// The error of a secret variable with an invalid value.
    pub(crate) fn of_secret(variable: &str) -> Self {
        let variable = VARIABLES.iter().find(|known| known.name == variable);
        Self { problems: variable.into_iter().map(|variable| variable.problem("", None)).collect() }
    }
}

variables! { OWN, lenient: false;
    "LOG_LEVEL" => log_level = |text| text.parse().map_err(|error: LogFilterError| error.nearest)?,
        "TRACE, DEBUG, INFO, WARNING or WARN, ERROR, CRITICAL, or off, in any case, or directives such as info,hyper=warn", "INFO",
        "Which log lines are written; RUST_LOG applies if it is not set.";
    "LOG_FORMAT" => log_format = |text| parse::format(text)?,
        "json or text", "json",
        "Format of the log lines on standard error.";
    "LOG_LAYOUT" => log_layout = |text| parse::layout(text)?,
        "flat, nested, ecs, gcp, datadog or otel", "flat",
        "Names and places of the fields of JSON lines: those of obs, flat or nested, or those of a backend.";
    "LOG_TIME" => log_time = |text| parse::log_time(text)?,
        "rfc3339, unix_ms or unix_ns", "rfc3339",
        "Form of the time of JSON lines; the layouts ecs, gcp and otel define their own.";
    "LOG_SPANS" => log_spans = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether JSON lines have a list of all spans of tracing with their fields; they always have the innermost one's name.";
    "LOG_SPAN_CLOSE" => log_span_close = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether the end of a span of tracing is a line, with its duration and its fields, at its level.";
    "LOG_FILE" => log_file = |text| Some(text.into()),
        "a path", "",
        "File that log lines are also appended to, as JSON; missing folders are created, and a file that was moved is reopened.";
    "METRICS_ENABLED" => metrics_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "true",
        "Whether metrics are recorded.";
    "PROMETHEUS_PORT" => prometheus_port = |text| parse::metrics_port(text)?,
        "1 to 65535, 0 for any free port, or off", "8000",
        "Port of the metrics endpoint; off for no endpoint, and no /healthz and /readyz.";
    "PROMETHEUS_BIND" => prometheus_bind = |text| parse::address(text)?,
        "an IP address, or localhost", "127.0.0.1",
        "Address of the metrics endpoint.";
    "PROMETHEUS_TEXTFILE_DIR" => prometheus_textfile_dir = |text| Some(text.into()),
        "a folder", "",
        "Folder of node_exporter's textfile collector, written on flush and on exit.";
    "DATADOG_ENABLED" => datadog_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether metrics are sent to a Datadog agent.";
    "DATADOG_API_KEY" => datadog_api_key = |text| {
        Some(Secret::new(Some(text).filter(|text| parse::is_api_key(text)).ok_or(None)?.to_owned()))
    },
        "letters and digits; required if DATADOG_AGENTLESS is true", "",
        "Datadog API key; needed only with DATADOG_AGENTLESS.",
        secret;
    "DATADOG_SITE" => datadog_site = |text| agent_address::host(text)?,
        "a host name such as datadoghq.eu", "datadoghq.com",
        "Datadog site; used only with DATADOG_AGENTLESS.";
    "DATADOG_AGENTLESS" => datadog_agentless = |text| Some(parse::boolean(text)?),
        "true or false (1/0, yes/no, on/off); true needs DATADOG_API_KEY", "",
        "Whether Datadog's API gets what an agent would get, and DATADOG_ENABLED is true if it is not set; if not set, only on a serverless platform without an agent. Needs the feature datadog-agentless.";
    "DD_DD_URL" => datadog_url = |text| Some(parse::http_url(text)?.to_owned()),
        "a URL such as https://proxy.example.com", "",
        "Where requests to Datadog's API go instead of https://api.DATADOG_SITE, such as a proxy.";
    "DD_URL" => dd_url = |text| Some(parse::http_url(text)?.to_owned()),
        "a URL such as https://proxy.example.com", "",
        "The same as DD_DD_URL, if that is not set.";
    "DD_HOSTNAME" => datadog_hostname = |text| Some(agent_address::host(text)?),
        "a host name", "",
        "Host in Datadog, with DATADOG_AGENTLESS; the name of this machine if not set.";
    "DD_SERVICE" => dd_service = |text| Some(text.to_owned()),
        "text", "",
        "Service in Datadog, if DATADOG_SERVICE is not set.";
    "DD_ENV" => dd_env = |text| Some(text.to_owned()),
        "text", "",
        "Environment in Datadog, if DATADOG_ENV is not set.";
    "DD_TAGS" => dd_tags = |text| parse::tags(text),
        "tags such as team:data,region:eu, separated by commas or spaces", "",
        "Further tags of everything that Datadog gets; service, env and version in it apply if no other variable sets them.";
    "DATADOG_SERVICE" => datadog_service = |text| Some(text.to_owned()),
        "text", "",
        "Service in Datadog; DD_SERVICE if not set, then SERVICE_NAME.";
    "DATADOG_ENV" => datadog_env = |text| Some(text.to_owned()),
        "text", "",
        "Environment in Datadog; DD_ENV if not set, then ENVIRONMENT.";
    "DD_VERSION" => datadog_version = |text| Some(text.to_owned()),
        "text", "",
        "Version in Datadog; the version of the program if not set.";
    "DD_AGENT_HOST" => datadog_agent_host = |text| agent_address::host(text)?,
        "a host name or an IP address", "127.0.0.1",
        "Host of the Datadog agent.";
    "DD_DOGSTATSD_PORT" => datadog_agent_port = |text| agent_address::agent_port(text)?,
        "1 to 65535", "8125",
        "DogStatsD port of the Datadog agent.";
    "DD_DOGSTATSD_URL" => datadog_agent_url = |text| {
        Some(text.parse().map_err(|error: AgentAddressError| error.nearest)?)
    },
        "udp://host:port, unix:///path, unixgram:///path or unixstream:///path", "",
        "DogStatsD address of the Datadog agent, instead of DD_AGENT_HOST and DD_DOGSTATSD_PORT.";
    "DD_ENTITY_ID" => datadog_entity_id = |text| Some(text.to_owned()),
        "text, or none", "",
        "Entity id for the origin detection of the Datadog agent: the UID of the pod.";
    "PROMETHEUS_TEXTFILE_EXPIRY" => prometheus_textfile_expiry = |text| parse::duration_or_never(text)?,
        "a duration above zero such as 90d, or never", "90d",
        "How long a series stays in the textfile after the last run that updated it.";
    "PROMETHEUS_PUSHGATEWAY_URL" => prometheus_pushgateway_url = |text| {
        Some(text.parse().map_err(|error: PushgatewayUrlError| error.nearest.map(|url| url.to_string()))?)
    },
        "a URL such as http://host:9091, with user:password@ before the host for basic authentication", "",
        "Pushgateway that metrics are pushed to on flush and on exit; https needs the feature https.";
    "PROMETHEUS_PUSHGATEWAY_INSTANCE" => prometheus_pushgateway_instance = |text| Some(text.to_owned()),
        "text", "",
        "Instance in the key of the pushed group, where one command runs on several hosts; each value is a group that stays.";
    "SENTRY_ENABLED" => sentry_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether errors are sent to Sentry.";
    "SENTRY_DSN" => sentry_dsn = |text| Some(Secret::new(parse::dsn(text)?.to_owned())),
        "the DSN of a project, such as https://key@host/1; required if SENTRY_ENABLED is true", "",
        "DSN of the Sentry project.",
        secret;
    "SENTRY_ENVIRONMENT" => sentry_environment = |text| Some(text.to_owned()),
        "text", "",
        "Environment in Sentry; ENVIRONMENT if not set.";
    "SENTRY_RELEASE" => sentry_release = |text| Some(text.to_owned()),
        "text", "",
        "Release in Sentry; name@version of the program if not set, and none if the version is not known.";
    "SENTRY_DIST" => sentry_dist = |text| Some(text.to_owned()),
        "text", "",
        "Build of the release in Sentry.";
    "SENTRY_SAMPLE_RATE" => sentry_sample_rate = |text| parse::rate(text)?,
        "a number from 0.0 to 1.0", "1",
        "Share of errors and messages that are sent to Sentry.";
    "SENTRY_DEBUG" => sentry_debug = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether each delivery to Sentry is logged.";
    "SENTRY_CA_CERTS" => sentry_ca_certs = |text| Some(text.into()),
        "a path", "",
        "File of certificates in PEM that are trusted for Sentry instead of the public ones; SSL_CERT_FILE if not set.";
    "SENTRY_TUNNEL" => sentry_tunnel = |text| Some(parse::http_url(text)?.to_owned()),
        "a URL such as https://tunnel.example.com/sentry", "",
        "Where envelopes are sent instead of the host of the DSN, which their headers name.";
    "SENTRY_EVENTS_FROM_LOGS" => sentry_events_from_logs = |text| parse::level_or_off(text)?,
        "a level such as error, or off", "",
        "From which level on what the program logs is an event in Sentry.";
    "SENTRY_TRACES_SAMPLE_RATE" => sentry_traces_sample_rate = |text| parse::rate(text)?,
        "a number from 0.0 to 1.0", "0.1",
        "Share of command runs that are traced in Sentry.";
    "COST_TRACKING_ENABLED" => cost_tracking_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "true",
        "Whether the cost of queries is tracked.";
    "COST_ALERT_THRESHOLD_USD" => cost_alert_threshold_usd = |text| parse::usd(text)?,
        "a number of US dollars, 0 or more", "100",
        "Cost of an operation above which an alert is raised.";
    "BIGQUERY_PRICING" => bigquery_pricing = |text| parse::pricing(text)?,
        "on_demand or edition", "on_demand",
        "How BigQuery bills queries: by bytes, or by the slots of a reservation.";
    "BIGQUERY_USD_PER_TIB" => bigquery_usd_per_tib = |text| location_prices::by_location(text)?,
        "a number of US dollars, 0 or more, and perhaps others by location, such as 6.25,europe-west3=8.13", "6.25",
        "On-demand price of BigQuery per TiB.";
    "BIGQUERY_USD_PER_SLOT_HOUR" => bigquery_usd_per_slot_hour = |text| location_prices::by_location(text)?,
        "a number of US dollars, 0 or more, and perhaps others by location, such as 0.06,europe-west3=0.072", "0.06",
        "Price of a slot hour, for queries that run in a reservation.";
    "BIGQUERY_STATEMENT_USD_PER_TIB" => bigquery_statement_usd_per_tib = |text| location_prices::named(text)?,
        "numbers of US dollars by type of statement, such as CREATE_MODEL=312.5, separated by commas", "",
        "On-demand prices per TiB of statements that are not priced as queries; without one, what they cost is unknown.";
    "HEALTH_CHECK_ENABLED" => health_check_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "true",
        "Whether health checks run.";
    "TRACING_ENABLED" => tracing_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether traces are exported.";
    "TRACING_SAMPLE_RATE" => tracing_sample_rate = |text| parse::rate(text)?,
        "a number from 0 to 1", "0.1",
        "Share of traces that are exported.";
    "TRACING_LEVEL" => tracing_level = |text| text.parse().map_err(|error: LogFilterError| error.nearest)?,
        "a level, or directives such as info,hyper=warn", "INFO",
        "Least level of the spans of the tracing crate that are exported in the trace in which they begin.";
    "TRACING_KEEP_ERRORS" => tracing_keep_errors = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether a trace whose first span fails is exported although it is not sampled.";
    "HEALTH_CHECK_INTERVAL_SECONDS" => health_check_interval = |text| parse::seconds(text)?,
        "a number of seconds above zero, or a duration such as 2m", "60",
        "Interval of health checks in a long-running program.";
    "SERVICE_NAME" => service_name = |text| text.to_owned(),
        "text", "decentclaude",
        "Name of the service, in every log line and every series.";
    "ENVIRONMENT" => environment = |text| text.to_owned(),
        "text", "dev",
        "Environment that the service runs in, in every log line and every series.";
    "OBS_ENABLED" => enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "true",
        "Whether obs is on; if not, the program runs as if obs was not initialised, and other variables are not checked.";
    "OBS_COMMIT" => commit = |text| Some(text.to_owned()),
        "text", "",
        "Commit that the program was built from, a label of obs.build.info.";
    "OBS_FLUSH_TIMEOUT" => flush_timeout = |text| parse::duration(text)?,
        "a duration above zero such as 2s or 500ms", "2s",
        "Maximum time that an exit waits for telemetry to be sent.";
    "OBS_SIGNALS" => signals = |text| parse::signals(text)?,
        "true or false (1/0, yes/no, on/off), or flush_only", "true",
        "Whether SIGTERM and SIGINT end running commands, and a program without a handler of its own, after a flush; with flush_only, a handler of the program decides.";
    "OBS_SHUTDOWN_GRACE" => shutdown_grace = |text| parse::duration_or_zero(text)?,
        "a duration such as 10s, or 0s", "0s",
        "How long the program goes on after SIGTERM, with readiness 503, before obs ends it.";
    "OBS_MAX_SERIES" => max_series = |text| parse::count(text)?,
        "a whole number, 1 or more", "1000",
        "Maximum number of series per metric.";
    "OBS_REDACT_NAMES" => redact_names = |text| parse::names(text),
        "field names, separated by commas", "",
        "Further fields whose values are redacted.";
    "OBS_REDACTION_KEY" => redaction_key = |text| Some(Secret::new(text.to_owned())),
        "text", "",
        "Key of hashed values, for equal hashes in all processes; random in each process if not set.",
        secret;
    "OBS_STATE_DIR" => state_dir = |text| Some(text.into()),
        "a folder", "",
        "Folder for state that outlives a run, such as budgets; the platform's folder for state if not set.";
    "OBS_BUDGETS" => budgets = |text| crate::config::budgets::parse(text)?,
        "budgets such as name=50USD/day, …/week or …/month, separated by commas", "",
        "Limits on the cost of queries per day, week or month.";
    "OBS_BUDGET_TIMEZONE" => budget_timezone = |text| parse::timezone(text)?,
        "the name of a time zone, such as Europe/Berlin", "UTC",
        "Time zone of the periods of budgets.";
    "BIGQUERY_EMULATOR_HOST" => bigquery_emulator_host = |text| Some(parse::host_and_port(text)?),
        "host:port", "",
        "BigQuery emulator, called over plain HTTP without credentials.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::MASK;

    #[test]
    fn no_problem_shows_a_password() {
        let token = "ghp_1234567890abcdefghijklmnopqrstuvwxyz";
        let values =
            ["user:hunter2@gw:9091", "http://user:hunter2@gw", "password=hunter2", &format!("https://{token}@gw")];
        for variable in VARIABLES {
            for value in values {
                let shown = variable.problem(value, Some(value)).to_string();
                assert!(!shown.contains("hunter2") && !shown.contains(token), "{shown}");
                assert!(shown.contains(variable.name) && shown.contains(MASK), "{shown}");
            }
        }
        let shown = VARIABLES.iter().find(|variable| !variable.secret).map(|variable| variable.problem("a:1", None));
        assert_eq!(shown.map(|problem| problem.value).as_deref(), Some("a:1"));
    }
}
