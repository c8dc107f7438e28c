//! The declared configuration: in its chapter, in errors and in a running program.

use obs_runtime::config::{Origin, VARIABLES};
use obs_runtime::{LogFormat, Observability};
use obs_tests::process::Process;

/// The generated table of the chapter is between these two lines.
const BEGIN: &str = "<!-- Generated: UPDATE_DOCS=1 cargo test -p obs-tests --test configuration -->\n";
const END: &str = "<!-- End of what is generated. -->\n";

fn table() -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let row = |variable: &obs_runtime::config::Variable| {
        let default = if variable.default.is_empty() { "none" } else { variable.default };
        format!("| `{}` | {} | {} | {} |\n", variable.name, cell(variable.allowed), cell(default), cell(variable.help))
    };
    let rows: String = VARIABLES.iter().map(row).collect();
    format!("| variable | values | default | description |\n| --- | --- | --- | --- |\n{rows}")
}

#[test]
fn the_table_in_the_guide_is_generated_from_the_declaration() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../obs-runtime/docs/configuration.md");
    let chapter = std::fs::read_to_string(path).unwrap();
    let (before, rest) = chapter.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
    }
    assert_eq!(written, table(), "UPDATE_DOCS=1 cargo test -p obs-tests --test configuration writes it");
}

#[test]
fn all_invalid_variables_are_reported_at_once_and_misspelled_names_are_warned_of() {
    let writer = || Process::new(env!("CARGO_BIN_EXE_line-writer"));
    let wrong = writer().env("LOG_LEVEL", "lowd").env("PROMETHEUS_PORT", "99999").env("SERVICE_NAME", "").run();
    assert_eq!(wrong.code(), Some(1), "{wrong:?}");
    for part in ["LOG_LEVEL: `lowd` is not allowed", "PROMETHEUS_PORT: `99999`", "did you mean `65535`?"] {
        assert!(wrong.stderr.contains(part), "{}", wrong.stderr);
    }
    // An invalid DSN is one problem, not also a missing one.
    let dsn = writer().env("SENTRY_ENABLED", "yes").env("SENTRY_DSN", "https://hunter2@host").run();
    assert_eq!((dsn.code(), dsn.stderr.matches("SENTRY_DSN: ").count()), (Some(1), 1), "{dsn:?}");
    assert!(!dsn.stderr.contains("hunter2"), "{dsn:?}");
    let misspelled = writer().env("OBS_MAX_SERIE", "5").env("SERVICE_NAME", "").run();
    assert_eq!(misspelled.code(), Some(0), "{misspelled:?}");
    let rate = writer().env("TRACING_SAMPLE_RATE", "2").run();
    assert!(rate.stderr.contains("TRACING_SAMPLE_RATE: `2`") && rate.stderr.contains("did you mean `1`?"), "{rate:?}");
    let shared = writer().env("SENTRY_DNS", "x").env("LOG_DIR", "x").env("SERVICE_NAME", "").run();
    assert!(shared.stderr.contains("unknown variable SENTRY_DNS (did you mean SENTRY_DSN?)"), "{shared:?}");
    assert!(!shared.stderr.contains("LOG_DIR"), "{shared:?}");
    let warning = "unknown variable OBS_MAX_SERIE (did you mean OBS_MAX_SERIES?)";
    assert!(
        misspelled.stderr.contains(warning) && misspelled.stderr.contains(r#""service":"decentclaude""#),
        "{misspelled:?}"
    );
}

#[test]
fn an_invalid_variable_of_opentelemetry_is_a_warning_and_its_secrets_are_masked() {
    let writer = Process::new(env!("CARGO_BIN_EXE_line-writer")).env("OTEL_EXPORTER_OTLP_TIMEOUT", "10s");
    let writer = writer.env("OTEL_EXPORTER_OTLP_HEADERS", "api key=hunter2").env("OTEL_BSP_SCHEDULE_DELAY", "soon");
    let ended = writer.env("OTEL_RESOURCE_ATTRIBUTES", "team=data").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    for part in [
        "OTEL_EXPORTER_OTLP_TIMEOUT: `10s` is not allowed; allowed: a number of milliseconds, 0 for no limit (did you mean \
         `10000`?); going on as if it were not set",
        "OTEL_EXPORTER_OTLP_HEADERS: `[REDACTED]` is not allowed",
    ] {
        assert_eq!(ended.stderr.matches(part).count(), 1, "{part}: {ended:?}");
    }
    assert!(!ended.stderr.contains("hunter2") && !ended.stderr.contains("OTEL_BSP"), "{ended:?}");
    assert!(!ended.stderr.contains("OTEL_RESOURCE_ATTRIBUTES"), "{ended:?}");
}

#[test]
fn all_invalid_values_of_the_builder_are_reported_at_once() {
    let builder = Observability::builder().without_environment().bigquery_usd_per_tib(-1.0).max_series(0);
    let error = builder.config().unwrap_err();
    assert_eq!(error.problems.len(), 2, "{error}");
}

#[test]
fn each_setting_has_its_origin() {
    let builder = Observability::builder().without_environment().log_format(LogFormat::Text);
    let settings = builder.defaults(|config| config.environment = "prod".to_owned()).settings().unwrap();
    let origin = |name: &str| settings.iter().find(|setting| setting.name == name).unwrap().origin;
    assert_eq!(origin("LOG_FORMAT"), Origin::Builder);
    assert_eq!(origin("ENVIRONMENT"), Origin::Builder);
    assert_eq!(origin("LOG_FILE"), Origin::Default);
}
