//! What OTLP calls the resource: the program.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::config::validated::Config;
use crate::exporters::otlp::attributes::text;

/// The resource of a program.
pub fn resource(config: &Config) -> Resource {
    let attributes = vec![
        text("service.name", &*config.service_name),
        text("service.version", &*config.version),
        text("deployment.environment.name", &*config.environment),
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
