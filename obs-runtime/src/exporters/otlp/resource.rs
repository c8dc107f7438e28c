//! What OTLP calls the resource: the program, its process, and where it runs. It is read from the configuration, the process
//! and the environment; nothing is asked over the network.

use std::sync::OnceLock;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use uuid::Uuid;

use crate::config::validated::Config;
use crate::exporters::otlp::attributes::{number, text};
use crate::redact::redactor::Redactor;

/// The variables of Kubernetes, as its downward API and OpenTelemetry's operator usually set them, in the order in which they
/// count.
const KUBERNETES: [(&str, &[&str]); 4] = [
    ("k8s.pod.name", &["OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "POD_NAME", "K8S_POD_NAME", "HOSTNAME"]),
    ("k8s.pod.uid", &["OTEL_RESOURCE_ATTRIBUTES_POD_UID", "POD_UID", "K8S_POD_UID"]),
    ("k8s.namespace.name", &["POD_NAMESPACE", "K8S_NAMESPACE", "K8S_NAMESPACE_NAME"]),
    ("k8s.node.name", &["OTEL_RESOURCE_ATTRIBUTES_NODE_NAME", "NODE_NAME", "K8S_NODE_NAME"]),
];

/// The variables of services and jobs of Cloud Run.
const CLOUD_RUN: [(&str, &str); 4] = [
    ("faas.name", "K_SERVICE"),
    ("faas.version", "K_REVISION"),
    ("faas.name", "CLOUD_RUN_JOB"),
    ("gcp.cloud_run.job.execution", "CLOUD_RUN_EXECUTION"),
];

/// The variables of AWS Lambda.
const LAMBDA: [(&str, &str); 4] = [
    ("faas.name", "AWS_LAMBDA_FUNCTION_NAME"),
    ("faas.version", "AWS_LAMBDA_FUNCTION_VERSION"),
    ("faas.instance", "AWS_LAMBDA_LOG_STREAM_NAME"),
    ("cloud.region", "AWS_REGION"),
];

/// The resource of this process, redacted.
pub fn resource(config: &Config) -> Resource {
    let variable = |name: &str| std::env::var(name).ok();
    Resource { attributes: attributes(config, &variable), ..Resource::default() }
}

/// The attributes of the resource, each name once. Those of `OTEL_RESOURCE_ATTRIBUTES` win over those that are detected, and
/// `OTEL_SERVICE_NAME` over both.
fn attributes(config: &Config, variable: &dyn Fn(&str) -> Option<String>) -> Vec<KeyValue> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let own = config.otel.service_name.as_ref().map(|name| text("service.name", name));
    let given = config.otel.resource_attributes.0.iter().map(|(name, value)| text(name, value));
    let mut detected = vec![
        text("service.name", &config.service_name),
        text("service.version", &config.version),
        text("service.instance.id", instance_id()),
        text("deployment.environment.name", &config.environment),
        text("telemetry.sdk.name", "obs"),
        text("telemetry.sdk.language", "rust"),
        text("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
        number("process.pid", std::process::id().into()),
    ];
    let executable = std::env::current_exe().ok();
    let executable = executable.as_ref().and_then(|path| path.file_name()).and_then(|name| name.to_str());
    detected.extend(executable.map(|name| text("process.executable.name", name)));
    detected.extend(host_name().map(|name| text("host.name", name)));
    if variable("KUBERNETES_SERVICE_HOST").is_some() {
        let found = KUBERNETES
            .iter()
            .filter_map(|(name, variables)| Some(text(*name, variables.iter().find_map(|one| variable(one))?)));
        detected.extend(found);
    }
    let on_cloud_run = CLOUD_RUN.iter().filter_map(|(name, one)| Some(text(*name, variable(one)?)));
    let on_cloud_run: Vec<KeyValue> = on_cloud_run.collect();
    if !on_cloud_run.is_empty() {
        detected.extend([text("cloud.provider", "gcp"), text("cloud.platform", "gcp_cloud_run")]);
        let task = variable("CLOUD_RUN_TASK_INDEX").and_then(|index| index.parse().ok());
        detected.extend(task.map(|index| number("gcp.cloud_run.job.task_index", index)));
        detected.extend(on_cloud_run);
    }
    if variable("AWS_LAMBDA_FUNCTION_NAME").is_some() {
        detected.extend([text("cloud.provider", "aws"), text("cloud.platform", "aws_lambda")]);
        detected.extend(LAMBDA.iter().filter_map(|(name, one)| Some(text(*name, variable(one)?))));
    }
    let redactor = Redactor::new(&config.redact_names, None).with_patterns(&config.redact_patterns);
    let mut attributes: Vec<KeyValue> = Vec::new();
    for mut attribute in own.into_iter().chain(given).chain(detected) {
        if let Some(AnyValue { value: Some(Any::StringValue(text)) }) = &mut attribute.value {
            *text = redactor.named(&attribute.key, std::mem::take(text).into()).into_owned();
        }
        let has_value =
            !matches!(&attribute.value, Some(AnyValue { value: Some(Any::StringValue(text)) }) if text.is_empty());
        if has_value && attributes.iter().all(|known| known.key != attribute.key) {
            attributes.push(attribute);
        }
    }
    attributes
}

/// The id of this process.
fn instance_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| Uuid::now_v7().to_string())
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok().filter(|name| !name.is_empty())
}

/// The instrumentation scope of all that obs exports.
pub fn scope() -> InstrumentationScope {
    let (name, version) = ("obs-runtime".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    InstrumentationScope { name, version, ..InstrumentationScope::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::otlp::KeyValues;

    fn values(config: &Config, variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let shown = |attribute: KeyValue| match attribute.value.and_then(|value| value.value) {
            Some(Any::StringValue(text)) => (attribute.key, text),
            Some(Any::IntValue(number)) => (attribute.key, number.to_string()),
            other => panic!("{other:?}"),
        };
        attributes(config, &variable).into_iter().map(shown).collect()
    }

    fn value<'a>(values: &'a [(String, String)], name: &str) -> Option<&'a str> {
        let mut found = values.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value);
        let value = found.next();
        assert_eq!(found.next(), None, "{name} twice");
        value
    }

    #[test]
    fn what_is_given_wins_over_what_is_detected() {
        let config = Config::default().with(|config| {
            config.service_name = "etl".to_owned();
            config.version = "1.2.3".to_owned();
            let given = [("service.name", "given"), ("host.name", "here"), ("team", "data"), ("empty", "")];
            config.otel.resource_attributes =
                KeyValues(given.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        });
        let found = values(&config, &[]);
        assert_eq!((value(&found, "service.name"), value(&found, "host.name")), (Some("given"), Some("here")));
        assert_eq!((value(&found, "team"), value(&found, "empty")), (Some("data"), None));
        assert_eq!(value(&found, "service.version"), Some("1.2.3"));
        assert_eq!(value(&found, "deployment.environment.name"), Some("dev"));
        assert_eq!(value(&found, "process.pid"), Some(&*std::process::id().to_string()));
        assert!(value(&found, "process.executable.name").is_some());
        assert_eq!(value(&found, "service.instance.id"), value(&values(&config, &[]), "service.instance.id"));
        assert!(found.iter().all(|(name, _)| !name.starts_with("k8s.") && !name.starts_with("cloud.")), "{found:?}");
        let named = config.with(|config| config.otel.service_name = Some("mine".to_owned()));
        assert_eq!(value(&values(&named, &[]), "service.name"), Some("mine"));
        assert_eq!(value(&values(&Config::default(), &[]), "service.name"), Some("decentclaude"));
        #[cfg(unix)]
        assert!(value(&values(&Config::default(), &[]), "host.name").is_some());
    }

    #[test]
    fn kubernetes_and_cloud_run_are_detected_by_their_variables() {
        let pod = [("HOSTNAME", "etl-7d9f"), ("POD_NAMESPACE", "data"), ("NODE_NAME", "node-1"), ("POD_UID", "")];
        let found = values(&Config::default(), &pod);
        assert!(found.iter().all(|(name, _)| !name.starts_with("k8s.")), "{found:?}");
        let found = values(&Config::default(), &[&pod[..], &[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]].concat());
        assert_eq!(value(&found, "k8s.pod.name"), Some("etl-7d9f"));
        assert_eq!(
            (value(&found, "k8s.namespace.name"), value(&found, "k8s.node.name")),
            (Some("data"), Some("node-1"))
        );
        assert_eq!(value(&found, "k8s.pod.uid"), None);
        let service = values(&Config::default(), &[("K_SERVICE", "etl"), ("K_REVISION", "etl-00001")]);
        assert_eq!((value(&service, "faas.name"), value(&service, "faas.version")), (Some("etl"), Some("etl-00001")));
        assert_eq!(value(&service, "cloud.platform"), Some("gcp_cloud_run"));
        let job = [("CLOUD_RUN_JOB", "load"), ("CLOUD_RUN_EXECUTION", "load-x1"), ("CLOUD_RUN_TASK_INDEX", "3")];
        let job = values(&Config::default(), &job);
        assert_eq!(
            (value(&job, "faas.name"), value(&job, "gcp.cloud_run.job.execution")),
            (Some("load"), Some("load-x1"))
        );
        assert_eq!(
            (value(&job, "gcp.cloud_run.job.task_index"), value(&job, "cloud.provider")),
            (Some("3"), Some("gcp"))
        );
    }

    #[test]
    fn lambda_is_detected_by_the_name_of_its_function() {
        let function = [
            ("AWS_LAMBDA_FUNCTION_NAME", "import"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "7"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/12/01/[7]4f0c"),
            ("AWS_REGION", "eu-west-1"),
        ];
        let found = values(&Config::default(), &function);
        for (name, expected) in [
            ("cloud.provider", "aws"),
            ("cloud.platform", "aws_lambda"),
            ("cloud.region", "eu-west-1"),
            ("faas.name", "import"),
            ("faas.version", "7"),
            ("faas.instance", "2026/12/01/[7]4f0c"),
        ] {
            assert_eq!(value(&found, name), Some(expected), "{name}");
        }
        // Any program on AWS can have the region.
        let found = values(&Config::default(), &[("AWS_REGION", "eu-west-1")]);
        assert!(found.iter().all(|(name, _)| !name.starts_with("cloud.")), "{found:?}");
    }
}
