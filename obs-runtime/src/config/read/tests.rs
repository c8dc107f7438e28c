use std::net::IpAddr;
use std::time::Duration;

use super::*;
use crate::base::level::Level;
use crate::base::secret::Secret;
use crate::config::agent_address::AgentAddress;
use crate::config::budgets::Budget;
use crate::config::budgets::BudgetPeriod;
use crate::config::filter::LogFilter;
use crate::config::log_format::LogFormat;
use crate::config::metrics_port::MetricsPort;
use crate::config::signals::Signals;
use crate::config::unknown::unknown;

fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_lookup(|name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into()))
}

fn problem(variable: &str, value: &str) -> Problem {
    let mut problems = config(&[(variable, value)]).expect_err(value).problems;
    assert_eq!(problems.len(), 1);
    problems.remove(0)
}

#[test]
fn documented_defaults_are_the_defaults() {
    let defaults: Vec<_> = VARIABLES.iter().map(|variable| (variable.name, variable.default)).collect();
    assert_eq!(config(&defaults), Ok(Config::default()));
    assert_eq!(config(&[]), Ok(Config::default()));
}

#[test]
fn every_variable_is_read() {
    let config = config(&[
        ("LOG_LEVEL", "Critical"),
        ("LOG_FORMAT", "TEXT"),
        ("LOG_FILE", "logs/run.jsonl"),
        ("METRICS_ENABLED", "Off"),
        ("PROMETHEUS_PORT", "0"),
        ("PROMETHEUS_BIND", "localhost"),
        ("PROMETHEUS_TEXTFILE_DIR", "/tmp/textfile"),
        ("DATADOG_ENABLED", "yes"),
        ("DATADOG_API_KEY", "0123456789abcdef"),
        ("DATADOG_SITE", "datadoghq.eu"),
        ("DATADOG_AGENTLESS", "no"),
        ("DD_DD_URL", "https://proxy.example.com/dd/"),
        ("DD_URL", "http://another"),
        ("DD_HOSTNAME", "build-7"),
        ("DATADOG_SERVICE", "etl"),
        ("DATADOG_ENV", "staging"),
        ("DD_VERSION", "1.2.3"),
        ("DD_SERVICE", "others"),
        ("DD_ENV", "live"),
        ("DD_TAGS", "team:data, region:eu,flag"),
        ("DD_AGENT_HOST", "10.0.0.7"),
        ("DD_DOGSTATSD_PORT", "9125"),
        ("DD_DOGSTATSD_URL", "unix:///run/dsd.socket"),
        ("DD_ENTITY_ID", "a-pod"),
        ("COST_TRACKING_ENABLED", "no"),
        ("COST_ALERT_THRESHOLD_USD", "0"),
        ("BIGQUERY_USD_PER_TIB", "5.5"),
        ("BIGQUERY_USD_PER_SLOT_HOUR", "0.04"),
        ("HEALTH_CHECK_ENABLED", "0"),
        ("SERVICE_NAME", "it's \"mine\""),
        ("ENVIRONMENT", "prod"),
        ("OBS_FLUSH_TIMEOUT", "1s 500ms"),
        ("OBS_SIGNALS", "off"),
        ("OBS_ENABLED", "no"),
        ("OBS_SHUTDOWN_GRACE", "10s"),
        ("OBS_MAX_SERIES", "7"),
        ("OBS_REDACT_NAMES", "iban, customer name,,"),
        ("OBS_REDACTION_KEY", "key"),
        ("OBS_STATE_DIR", "/var/lib/obs"),
        ("OBS_BUDGETS", "daily=50USD/day"),
        ("OBS_BUDGET_TIMEZONE", "Europe/Berlin"),
        ("OBS_COMMIT", "5f3c1e9"),
        ("PROMETHEUS_PUSHGATEWAY_INSTANCE", "host-1"),
        ("BIGQUERY_EMULATOR_HOST", "localhost:9050"),
    ])
    .unwrap();
    assert_eq!(config.log_level, LogFilter::from(Level::Critical));
    assert_eq!(config.log_format, LogFormat::Text);
    assert_eq!(config.log_file, Some("logs/run.jsonl".into()));
    assert!(!config.metrics_enabled && !config.cost_tracking_enabled && !config.health_check_enabled);
    assert_eq!((config.prometheus_port, config.prometheus_bind), (0.into(), IpAddr::from([127, 0, 0, 1])));
    assert_eq!(config.prometheus_textfile_dir, Some("/tmp/textfile".into()));
    assert!(config.datadog_enabled);
    assert_eq!(config.datadog_api_key.as_ref().map(|key| key.expose().as_str()), Some("0123456789abcdef"));
    let texts = [&config.datadog_service, &config.datadog_env, &config.datadog_version, &config.datadog_entity_id];
    assert_eq!(texts.map(|text| text.as_deref().unwrap()), ["etl", "staging", "1.2.3", "a-pod"]);
    assert_eq!((&*config.datadog_site, &*config.datadog_agent_host), ("datadoghq.eu", "10.0.0.7"));
    assert_eq!((config.datadog_agentless, config.datadog_hostname.as_deref()), (Some(false), Some("build-7")));
    assert_eq!(config.datadog_api_url(), "https://proxy.example.com/dd");
    assert_eq!(config.datadog_agent_port, 9125);
    assert_eq!(config.datadog_agent(), AgentAddress::Unix("/run/dsd.socket".into()));
    assert_eq!((config.cost_alert_threshold_usd, config.bigquery_usd_per_tib.at(None)), (0.0, 5.5));
    assert_eq!((&*config.service_name, &*config.environment), ("it's \"mine\"", "prod"));
    assert_eq!((config.flush_timeout, config.max_series), (Duration::from_millis(1500), 7));
    assert_eq!((config.signals, config.shutdown_grace), (Signals::Off, Duration::from_secs(10)));
    assert_eq!((config.bigquery_usd_per_slot_hour.at(None), config.state_dir), (0.04, Some("/var/lib/obs".into())));
    assert_eq!(config.budgets, [Budget { name: "daily".into(), usd: 50.0, period: BudgetPeriod::Day }]);
    assert_eq!(
        (&*config.budget_timezone, config.bigquery_emulator_host.as_deref()),
        ("Europe/Berlin", Some("localhost:9050"))
    );
    assert_eq!((config.dd_service.as_deref(), config.dd_env.as_deref()), (Some("others"), Some("live")));
    assert_eq!(config.dd_tags, ["team:data", "region:eu"]);
    let texts = [&config.commit, &config.prometheus_pushgateway_instance];
    assert_eq!(texts.map(|text| text.as_deref().unwrap()), ["5f3c1e9", "host-1"]);
    assert_eq!(config.redact_names, ["iban", "customer name"]);
    assert_eq!(config.redaction_key.as_ref().map(|key| key.expose().as_str()), Some("key"));
}

#[test]
fn spaces_and_quotes_around_a_value_are_removed() {
    for (written, meant) in [
        (" prod ", "prod"),
        ("\"prod\"", "prod"),
        ("' prod '", "prod"),
        ("\"prod", "\"prod"),
        ("\"prod\" # where it runs", "prod"),
        ("'prod'\t#", "prod"),
        ("\"prod\"#1", "\"prod\"#1"),
        ("prod # 1", "prod # 1"),
        (r#""the \"new\" one""#, "the \"new\" one"),
        (r#"'the \"new\" one'"#, r#"the \"new\" one"#),
        (r#""C:\logs\\run""#, r"C:\logs\\run"),
    ] {
        assert_eq!(config(&[("ENVIRONMENT", written)]).unwrap().environment, meant);
    }
    for nothing in ["", "  ", "\"\"", "''", "\" \"", "\""] {
        let config = config(&[("ENVIRONMENT", nothing), ("PROMETHEUS_PORT", "")]).unwrap();
        assert!(config.environment == "dev" || nothing == "\"", "{nothing:?}");
    }
}

#[test]
fn all_problems_are_told_at_once_with_what_is_allowed_and_the_nearest() {
    let error = config(&[
        ("LOG_LEVEL", "info,hyper=wran"),
        ("LOG_FORMAT", "jsn"),
        ("PROMETHEUS_PORT", "80000"),
        ("OBS_FLUSH_TIMEOUT", "2"),
    ])
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid configuration:\n  \
         LOG_LEVEL: `info,hyper=wran` is not allowed; allowed: TRACE, DEBUG, INFO, WARNING or WARN, ERROR, CRITICAL, or off, in \
         any case, or directives such as info,hyper=warn (did you mean `INFO,hyper=WARN`?)\n  \
         LOG_FORMAT: `jsn` is not allowed; allowed: json or text (did you mean `json`?)\n  \
         PROMETHEUS_PORT: `80000` is not allowed; allowed: 1 to 65535, 0 for any free port, or off (did you mean `65535`?)\n  \
         OBS_FLUSH_TIMEOUT: `2` is not allowed; allowed: a duration above zero such as 2s or 500ms (did you mean `2s`?)"
    );
}

#[test]
fn invalid_values_have_suggestions() {
    for (variable, value, nearest) in [
        ("LOG_LEVEL", "inof", Some("INFO")),
        ("LOG_LEVEL", "loud", None),
        ("LOG_LEVEL", "=warn", None),
        ("METRICS_ENABLED", "ture", Some("true")),
        ("METRICS_ENABLED", "2", None),
        ("PROMETHEUS_PORT", "-1", None),
        ("PROMETHEUS_PORT", "http", None),
        ("PROMETHEUS_PORT", "offf", Some("off")),
        ("PROMETHEUS_BIND", "127.0.0.1:9000", Some("127.0.0.1")),
        ("PROMETHEUS_BIND", "[::1", None),
        ("PROMETHEUS_BIND", "example.com", None),
        ("COST_ALERT_THRESHOLD_USD", "-5", Some("5")),
        ("COST_ALERT_THRESHOLD_USD", "$12,50", Some("12.5")),
        ("COST_ALERT_THRESHOLD_USD", "NaN", None),
        ("BIGQUERY_USD_PER_TIB", "inf", None),
        ("OBS_FLUSH_TIMEOUT", "0s", None),
        ("OBS_FLUSH_TIMEOUT", "soon", None),
        ("OBS_SHUTDOWN_GRACE", "10", Some("10s")),
        ("OBS_SIGNALS", "of", Some("off")),
        ("OBS_MAX_SERIES", "0", Some("1")),
        ("OBS_MAX_SERIES", "-3", Some("1")),
        ("OBS_MAX_SERIES", "many", None),
        ("OBS_MAX_SERIES", "1_000", Some("1000")),
        ("TRACING_SAMPLE_RATE", "10%", Some("0.1")),
        ("TRACING_SAMPLE_RATE", "0,5", Some("0.5")),
        ("TRACING_SAMPLE_RATE", "20", Some("0.2")),
        ("TRACING_SAMPLE_RATE", "-0.5", Some("0")),
        ("TRACING_SAMPLE_RATE", "some", None),
    ] {
        assert_eq!(problem(variable, value).nearest.as_deref(), nearest, "{variable}={value}");
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_is_a_problem() {
    use std::os::unix::ffi::OsStringExt as _;
    let error = Config::from_lookup(|name| (name == "SERVICE_NAME").then(|| OsString::from_vec(vec![b'a', 0xff])));
    assert_eq!(error.unwrap_err().problems[0].value, "a\u{fffd}");
    let error = Config::from_lookup(|name| (name == "OBS_REDACTION_KEY").then(|| OsString::from_vec(vec![0xff])));
    assert_eq!(error.unwrap_err().problems[0].value, "[REDACTED]");
}

#[test]
fn no_secret_is_shown() {
    let config = config(&[("OBS_REDACTION_KEY", "hunter2-the-key")]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let problem = problem("PROMETHEUS_BIND", "http://admin:hunter2@metrics.local");
    assert!(!format!("{problem} {problem:?}").contains("hunter2"), "{problem}");
}

#[test]
fn the_longest_matching_directive_applies() {
    let filter: LogFilter = "warn, a=debug ,a::b=off,a=trace,".parse().unwrap();
    assert_eq!(filter.to_string(), "WARNING,a::b=off,a=TRACE");
    assert_eq!(filter.to_string().parse(), Ok(filter.clone()));
    assert_eq!(filter.least(), Some(Level::Trace));
    assert!(filter.enables(Level::Trace, "a::c") && !filter.enables(Level::Critical, "a::b::c"));
    assert!(!filter.enables(Level::Info, "ab") && filter.enables(Level::Warning, "ab"));
    assert_eq!("hyper=warn".parse::<LogFilter>().unwrap().default, Some(Level::Info));
    assert_eq!("off".parse::<LogFilter>().unwrap().least(), None);
}

#[test]
fn values_set_by_the_program_are_validated() {
    let config = Config { bigquery_usd_per_tib: f64::NAN.into(), max_series: 0, ..Config::default() };
    let error = config.check().unwrap_err();
    let shown: Vec<_> = error.problems.iter().map(|problem| (problem.variable, problem.value.as_str())).collect();
    assert_eq!(shown, [("BIGQUERY_USD_PER_TIB", "NaN"), ("OBS_MAX_SERIES", "0")]);
    assert_eq!(Config::default().check(), Ok(()));
}

#[test]
fn values_round_trip_through_variables_and_secrets_are_masked() {
    let shown = |config: &Config| -> Vec<(&str, String)> {
        let values = VARIABLES.iter().map(|variable| (variable.name, (variable.get)(config)));
        values.filter_map(|(name, value)| Some((name, value?))).collect()
    };
    let given = [
        ("LOG_LEVEL", "INFO,hyper=WARNING"),
        ("LOG_FILE", "/var/log/my job.jsonl"),
        ("OBS_FLUSH_TIMEOUT", "1m 30s"),
        ("OBS_REDACT_NAMES", "iban,customer"),
        ("OBS_REDACTION_KEY", "hunter2-the-key"),
    ];
    let config = config(&given).unwrap();
    let values = shown(&config);
    let again =
        Config::from_lookup(|name| values.iter().find(|(other, _)| *other == name).map(|(_, value)| value.into()));
    let secret = Some(Secret::new("[REDACTED]".to_owned()));
    assert_eq!(again.unwrap(), Config { redaction_key: secret, ..config.clone() });
    let shown = format!("{config}\n{config:?}\n{}", serde_json::to_string(&config).unwrap());
    assert!(
        shown.contains("OBS_FLUSH_TIMEOUT=1m 30s\n") && shown.contains(r#""LOG_FILE":"/var/log/my job.jsonl""#),
        "{shown}"
    );
    let url = Config { log_file: Some("ftp://ann:hunter2@files.local/run".into()), ..Config::default() };
    let shown = format!("{shown}{url}{url:?}{}", serde_json::to_string(&url).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn where_each_value_came_from_is_told() {
    let defaults = Config { environment: "prod".to_owned(), ..Config::default() };
    let mut with_environment = defaults.clone();
    let read = with_environment.read(|name| {
        ["LOG_FORMAT", "METRICS_ENABLED"].contains(&name).then(|| match name {
            "LOG_FORMAT" => "text".into(),
            _ => "true".into(),
        })
    });
    let config = Config { prometheus_port: 9100.into(), ..with_environment.clone() };
    let settings = config.settings(&defaults, &with_environment, &read.set);
    let of = |name| settings.iter().find(|setting| setting.name == name).map(|setting| setting.origin.as_str());
    assert_eq!(settings.len(), VARIABLES.len());
    assert_eq!(of("LOG_FORMAT"), Some("environment"));
    assert_eq!(of("METRICS_ENABLED"), Some("environment"));
    assert_eq!((of("PROMETHEUS_PORT"), of("ENVIRONMENT")), (Some("builder"), Some("builder")));
    let off = Config::from_lookup(|name| (name == "PROMETHEUS_PORT").then(|| "OFF".into())).unwrap();
    assert_eq!(off.prometheus_port, MetricsPort::Off);
    let settings = off.settings(&defaults, &off, &["PROMETHEUS_PORT"]);
    assert!(
        settings.iter().any(|setting| setting.name == "PROMETHEUS_PORT" && setting.value.as_deref() == Some("off"))
    );
    assert_eq!(of("LOG_LEVEL"), Some("default"));
}

#[test]
fn a_mistyped_variable_of_ours_is_told_with_the_one_that_was_meant() {
    let own = ["OBS_MAX_SERIE", "OBS_FLUSH_TIMEOUT", "OBS_CORRELATION_ID", "PATH", "OBS_ZZZ", "OBS_FLUSHTIMEOUT"];
    // Names of other programs with the same prefix are left alone.
    let shared = ["LOG_LEVL", "LOG_DIR", "SENTRY_DNS", "SENTRY_AUTH_TOKEN", "DD_TRACE_ENABLED", "TRACING_SAMPLE_RATES"];
    let others = ["DD_SERVICE_MAPPING", "PROMETHEUS_SERVICE_HOST", "PROMETHEUS_PORT_9090_TCP", "SENTRY_ORG", "LOG_"];
    let in_words = [
        ("BIGQUERY_PRICE", "BIGQUERY_PRICING"),
        ("COST_THRESHOLD", "COST_ALERT_THRESHOLD_USD"),
        ("HEALTH_CHECK_INTERVAL", "HEALTH_CHECK_INTERVAL_SECONDS"),
        ("PROMETHEUS_PUSHGATEWAY", "PROMETHEUS_PUSHGATEWAY_URL"),
        ("SENTRY_ENV", "SENTRY_ENVIRONMENT"),
        ("SENTRY_TRACE_RATE", "SENTRY_TRACES_SAMPLE_RATE"),
        ("TRACING_RATE", "TRACING_SAMPLE_RATE"),
    ];
    let meant = unknown(in_words.map(|(name, _)| OsString::from(name)));
    let meant: Vec<_> = meant.iter().map(|unknown| (&*unknown.name, unknown.nearest.as_deref().unwrap())).collect();
    assert_eq!(meant, in_words);
    let names = own.into_iter().chain(shared).chain(others).map(OsString::from);
    let shown: Vec<String> = unknown(names).iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "unknown variable LOG_LEVL (did you mean LOG_LEVEL?)",
            "unknown variable OBS_FLUSHTIMEOUT (did you mean OBS_FLUSH_TIMEOUT?)",
            "unknown variable OBS_MAX_SERIE (did you mean OBS_MAX_SERIES?)",
            "unknown variable OBS_ZZZ",
            "unknown variable SENTRY_DNS (did you mean SENTRY_DSN?)",
            "unknown variable TRACING_SAMPLE_RATES (did you mean TRACING_SAMPLE_RATE?)",
        ]
    );
}

#[test]
fn sending_to_datadogs_api_enables_datadog_and_needs_a_key() {
    let key = ("DATADOG_API_KEY", "0123456789abcdef");
    let agentless = config(&[("DATADOG_AGENTLESS", "true"), key]).unwrap();
    assert_eq!((agentless.datadog_enabled, agentless.datadog_agentless), (true, Some(true)));
    assert_eq!(agentless.datadog_api_url(), "https://api.datadoghq.com");
    let off = config(&[("DATADOG_AGENTLESS", "true"), ("DATADOG_ENABLED", "false")]).unwrap();
    assert!(!off.datadog_enabled && off.check().is_ok());
    let other =
        config(&[("DATADOG_AGENTLESS", "false"), ("DD_URL", "http://127.0.0.1:9/"), ("DATADOG_SITE", "datadoghq.eu")]);
    let other = other.unwrap();
    assert_eq!((other.datadog_enabled, &*other.datadog_api_url()), (false, "http://127.0.0.1:9"));
    let mut without_key = config(&[("DATADOG_AGENTLESS", "true")]).unwrap();
    let missing = without_key.check().unwrap_err().problems;
    assert!(
        missing.len() == 1 && missing[0].to_string().contains("required if DATADOG_AGENTLESS is true"),
        "{missing:?}"
    );
    assert_eq!(without_key.repair(&Config::default()), missing);
    assert!(!without_key.datadog_enabled && without_key.check().is_ok());
    assert_eq!(problem("DATADOG_API_KEY", "two words").value, "[REDACTED]");
    assert_eq!(problem("DD_DD_URL", "app.datadoghq.com").allowed, "a URL such as https://proxy.example.com");
}
