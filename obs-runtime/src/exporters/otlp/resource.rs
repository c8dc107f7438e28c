//! What OTLP calls the resource: the program.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::config::validated::Config;
use crate::exporters::otlp::attributes::text;
use crate::redact::redactor::Redactor;

/// The resource of a program, redacted.
pub fn resource(config: &Config) -> Resource {
    let redactor = Redactor::new(&config.redact_names, None).with_patterns(&config.redact_patterns);
    let redacted = |name: &str, value: &str| text(name, redactor.named(name, value.into()));
    let attributes = vec![
        redacted("service.name", &config.service_name),
        redacted("service.version", &config.version),
        redacted("deployment.environment.name", &config.environment),
        text("telemetry.sdk.name", "obs"),
        text("telemetry.sdk.language", "rust"),
        text("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
    ];
    Resource { attributes, ..Resource::default() }
}

/// The instrumentation scope of all that obs exports.
pub fn scope() -> InstrumentationScope {
    let (name, version) = ("obs-runtime".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    InstrumentationScope { name, version, ..InstrumentationScope::default() }
}
