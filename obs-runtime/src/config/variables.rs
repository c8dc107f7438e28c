//! The one table of the variables that obs reads: parsing, errors and docs come from it.

use crate::base::secret::{MASK, Secret};
use crate::config::agent_address;
use crate::config::agent_address::AgentAddressError;
use crate::config::parse;
use crate::config::parse::Parsed;
#[cfg(feature = "sentry")]
use crate::config::problem::ConfigError;
use crate::config::problem::Problem;
use crate::config::show::Show as _;
use crate::config::validated::Config;
use crate::redact::redactor::Redactor;

/// A variable of the environment.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it may be set to.
    pub allowed: &'static str,
    /// What it is when it is not set; empty for nothing.
    pub default: &'static str,
    /// One sentence for people.
    pub help: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Reads its value into a configuration.
    pub(super) set: fn(&mut Config, &str) -> Parsed<()>,
    /// Its value in a configuration, as it would be set to it.
    pub(super) show: fn(&Config) -> Option<String>,
    /// Whether it has the same value in both.
    pub(super) same: fn(&Config, &Config) -> bool,
}

/// Longest part of a wrong value that is shown.
const SHOWN: usize = 200;

impl Variable {
    pub(super) fn problem(&self, value: &str, nearest: Option<&str>) -> Problem {
        let (value, nearest) = if self.secret {
            (MASK.to_owned(), None)
        } else {
            let redactor = Redactor::new(&[], None);
            let shown = |text: &str| redactor.text(text.into()).chars().take(SHOWN).collect::<String>();
            (shown(value), nearest.map(shown))
        };
        Problem { variable: self.name, value, allowed: self.allowed, nearest }
    }
}

#[cfg(feature = "sentry")]
impl ConfigError {
    /// That the value of a secret variable is not allowed.
    pub(crate) fn of(variable: &str) -> Self {
        let variable = VARIABLES.iter().find(|known| known.name == variable);
        Self { problems: variable.into_iter().map(|variable| variable.problem("", None)).collect() }
    }
}

/// Declares the variables: where each is kept, how it is read, and what people are told of it.
macro_rules! variables {
    ($($name:literal => $field:ident = |$text:ident| $parse:expr, $allowed:literal, $default:literal, $help:literal
        $(, $secret:ident)?;)*) => {
        /// Every variable that obs reads.
        #[allow(clippy::float_cmp, reason = "the same number, not a near one")]
        pub const VARIABLES: &[Variable] = &[$(Variable {
            name: $name,
            allowed: $allowed,
            default: $default,
            help: $help,
            secret: variables!(@secret $($secret)?),
            set: |config, $text| {
                config.$field = $parse;
                Ok(())
            },
            show: |config| config.$field.show(),
            same: |left, right| left.$field == right.$field,
        }),*];
    };
    (@secret secret) => { true };
    (@secret) => { false };
}

variables! {
    "LOG_LEVEL" => log_level = |text| text.parse().map_err(|error: crate::config::filter::FilterError| error.nearest)?,
        "TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL or off, in any case, or directives as info,hyper=warn", "INFO",
        "Which lines are logged.";
    "LOG_FORMAT" => log_format = |text| parse::format(text)?,
        "json or text", "json",
        "How lines are written to standard error.";
    "LOG_FILE" => log_file = |text| Some(text.into()),
        "a path", "",
        "A file to which lines are written as JSON too; folders are made, lines appended, and it is opened again when moved.";
    "METRICS_ENABLED" => metrics_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "true",
        "Whether anything is measured.";
    "PROMETHEUS_PORT" => prometheus_port = |text| parse::port(text)?,
        "1 to 65535, or 0 for any free port", "8000",
        "Port at which Prometheus scrapes.";
    "PROMETHEUS_BIND" => prometheus_bind = |text| parse::address(text)?,
        "an IP address, or localhost", "127.0.0.1",
        "Address at which Prometheus scrapes.";
    "PROMETHEUS_TEXTFILE_DIR" => prometheus_textfile_dir = |text| Some(text.into()),
        "a folder", "",
        "Folder of node_exporter's textfile collector, written at flush and on exit.";
    "DATADOG_ENABLED" => datadog_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether a Datadog agent gets what is measured.";
    "DATADOG_API_KEY" => datadog_api_key = |text| Some(Secret::new(text.to_owned())),
        "text", "",
        "Key of Datadog's API; what goes by an agent needs none.",
        secret;
    "DATADOG_SITE" => datadog_site = |text| agent_address::host(text)?,
        "a host, as datadoghq.eu", "datadoghq.com",
        "Where Datadog's API is; what goes by an agent needs none.";
    "DATADOG_SERVICE" => datadog_service = |text| Some(text.to_owned()),
        "text", "",
        "The service's name in Datadog; SERVICE_NAME when not set.";
    "DATADOG_ENV" => datadog_env = |text| Some(text.to_owned()),
        "text", "",
        "Where the service runs, in Datadog; ENVIRONMENT when not set.";
    "DD_VERSION" => datadog_version = |text| Some(text.to_owned()),
        "text", "",
        "The program's version in Datadog; the program's own word when not set.";
    "DD_AGENT_HOST" => datadog_agent_host = |text| agent_address::host(text)?,
        "a host's name or an IP address", "127.0.0.1",
        "Where the Datadog agent is.";
    "DD_DOGSTATSD_PORT" => datadog_agent_port = |text| agent_address::agent_port(text)?,
        "1 to 65535", "8125",
        "Port at which the Datadog agent takes metrics.";
    "DD_DOGSTATSD_URL" => datadog_agent_url = |text| {
        Some(text.parse().map_err(|error: AgentAddressError| error.nearest)?)
    },
        "udp://host:port, unix:///path, unixgram:///path or unixstream:///path", "",
        "Where the Datadog agent takes metrics, instead of DD_AGENT_HOST and DD_DOGSTATSD_PORT.";
    "DD_ENTITY_ID" => datadog_entity_id = |text| Some(text.to_owned()),
        "text, or none", "",
        "Whose metrics these are, as the Datadog agent knows it: a pod's UID.";
    "PROMETHEUS_TEXTFILE_EXPIRY" => prometheus_textfile_expiry = |text| parse::duration_or_never(text)?,
        "a duration above zero, as 90d, or never", "90d",
        "How long a series stays in the textfile that no run has had any more.";
    "PROMETHEUS_PUSHGATEWAY_URL" => prometheus_pushgateway_url = |text| Some(text.parse()?),
        "a URL, as http://host:9091, with user:password@ before the host where it is asked for", "",
        "Pushgateway to which metrics are pushed at flush and on exit; https with the feature https.";
    "SENTRY_ENABLED" => sentry_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether errors go to Sentry.";
    "SENTRY_DSN" => sentry_dsn = |text| Some(Secret::new(parse::dsn(text)?.to_owned())),
        "the DSN of a project, as https://key@host/1; needed when SENTRY_ENABLED is true", "",
        "The project in Sentry.",
        secret;
    "SENTRY_ENVIRONMENT" => sentry_environment = |text| Some(text.to_owned()),
        "text", "",
        "Where the program runs, as Sentry is told; ENVIRONMENT's value when not set.";
    "SENTRY_RELEASE" => sentry_release = |text| Some(text.to_owned()),
        "text", "",
        "What is running, as Sentry is told; the program's name@version when not set.";
    "SENTRY_TRACES_SAMPLE_RATE" => sentry_traces_sample_rate = |text| parse::rate(text)?,
        "a number from 0.0 to 1.0", "0.1",
        "Share of the runs of commands of which Sentry is told every step.";
    "COST_TRACKING_ENABLED" => cost_tracking_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "true",
        "Whether queries are priced.";
    "COST_ALERT_THRESHOLD_USD" => cost_alert_threshold_usd = |text| parse::usd(text)?,
        "a number of US dollars, 0 or more", "100",
        "Cost of one operation above which there is an alert.";
    "BIGQUERY_USD_PER_TIB" => bigquery_usd_per_tib = |text| parse::usd(text)?,
        "a number of US dollars, 0 or more", "6.25",
        "On-demand price of BigQuery.";
    "BIGQUERY_USD_PER_SLOT_HOUR" => bigquery_usd_per_slot_hour = |text| parse::usd(text)?,
        "a number of US dollars, 0 or more", "0.06",
        "Price of an hour of a slot, for what a reservation runs.";
    "HEALTH_CHECK_ENABLED" => health_check_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "true",
        "Whether health checks run.";
    "TRACING_ENABLED" => tracing_enabled = |text| parse::boolean(text)?,
        "true or false (1/0, yes/no, on/off)", "false",
        "Whether traces are exported.";
    "TRACING_SAMPLE_RATE" => tracing_sample_rate = |text| parse::rate(text)?,
        "a number from 0 to 1", "0.1",
        "Share of the traces that are exported.";
    "HEALTH_CHECK_INTERVAL_SECONDS" => health_check_interval = |text| parse::seconds(text)?,
        "a number of seconds above zero, or a duration as 2m", "60",
        "How often health checks run in a program that goes on.";
    "SERVICE_NAME" => service_name = |text| text.to_owned(),
        "text", "decentclaude",
        "The service's name, in every line and on every series.";
    "ENVIRONMENT" => environment = |text| text.to_owned(),
        "text", "dev",
        "Where the service runs, in every line and on every series.";
    "OBS_FLUSH_TIMEOUT" => flush_timeout = |text| parse::duration(text)?,
        "a duration above zero, as 2s or 500ms", "2s",
        "How long an exit waits at most until everything has been sent.";
    "OBS_MAX_SERIES" => max_series = |text| parse::count(text)?,
        "a whole number, 1 or more", "1000",
        "Series that are kept for one metric.";
    "OBS_REDACT_NAMES" => redact_names = |text| parse::names(text),
        "names of fields, parted by commas", "",
        "Further fields whose values must not leave.";
    "OBS_REDACTION_KEY" => redaction_key = |text| Some(Secret::new(text.to_owned())),
        "text", "",
        "Key of hashed values, so that they agree between processes; random for each process when not set.",
        secret;
    "OBS_STATE_DIR" => state_dir = |text| Some(text.into()),
        "a folder", "",
        "Folder of what outlives a run, as budgets; the platform's folder for state when not set.";
    "OBS_BUDGETS" => budgets = |text| crate::config::budgets::parse(text)?,
        "budgets as name=50USD/day, …/week or …/month, parted by commas", "",
        "What may be spent on queries in each day, week or month.";
    "OBS_BUDGET_TIMEZONE" => budget_timezone = |text| parse::timezone(text)?,
        "a time zone's name, as Europe/Berlin", "UTC",
        "Time zone in which the days of budgets begin.";
    "BIGQUERY_EMULATOR_HOST" => bigquery_emulator_host = |text| Some(parse::host_and_port(text)?),
        "host:port", "",
        "An emulator of BigQuery, asked over plain HTTP without credentials.";
}
