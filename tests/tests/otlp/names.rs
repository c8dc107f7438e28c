//! The names of attributes are those that OpenTelemetry's semantic conventions have published.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use opentelemetry_semantic_conventions::attribute as published;

/// The published names that obs uses. A name that is not published is no constant of the registry, and does not compile.
const PUBLISHED: &[&str] = &[
    published::CLOUD_PLATFORM,
    published::CLOUD_PROVIDER,
    published::CLOUD_REGION,
    published::CODE_FILE_PATH,
    published::CODE_FUNCTION_NAME,
    published::CODE_LINE_NUMBER,
    published::DB_NAMESPACE,
    published::DB_OPERATION_NAME,
    published::DB_QUERY_TEXT,
    published::DB_RESPONSE_RETURNED_ROWS,
    published::DB_SYSTEM_NAME,
    published::DEPLOYMENT_ENVIRONMENT_NAME,
    published::ENDUSER_ID,
    published::ERROR_TYPE,
    published::EXCEPTION_MESSAGE,
    published::EXCEPTION_STACKTRACE,
    published::EXCEPTION_TYPE,
    published::FAAS_INSTANCE,
    published::FAAS_NAME,
    published::FAAS_VERSION,
    published::GCP_CLOUD_RUN_JOB_EXECUTION,
    published::GCP_CLOUD_RUN_JOB_TASK_INDEX,
    published::HOST_NAME,
    published::K8S_NAMESPACE_NAME,
    published::K8S_NODE_NAME,
    published::K8S_POD_NAME,
    published::K8S_POD_UID,
    published::PROCESS_EXECUTABLE_NAME,
    published::PROCESS_PID,
    published::SERVICE_INSTANCE_ID,
    published::SERVICE_NAME,
    published::SERVICE_VERSION,
    published::TELEMETRY_SDK_LANGUAGE,
    published::TELEMETRY_SDK_NAME,
    published::TELEMETRY_SDK_VERSION,
];

/// The first words of the names, without those of obs.
const NAMESPACES: [&str; 13] = [
    "cloud",
    "code",
    "db",
    "deployment",
    "enduser",
    "error",
    "exception",
    "faas",
    "gcp",
    "host",
    "k8s",
    "service",
    "telemetry",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Texts in the code that are names of attributes.
fn names(code: &str) -> BTreeSet<String> {
    let texts = code.split('"').skip(1).step_by(2);
    let is_name = |text: &&str| {
        let mut words = text.split('.');
        let namespace = words.next().unwrap_or_default();
        let is_process = ["process.pid", "process.executable.name"].contains(text);
        (NAMESPACES.contains(&namespace) || is_process)
            && words.clone().count() > 0
            && words.all(|word| {
                !word.is_empty()
                    && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            })
    };
    texts.filter(is_name).map(str::to_owned).collect()
}

#[test]
fn every_name_of_an_attribute_is_a_published_one_and_the_other_way_round() {
    // Not names of attributes: a kind of span, the value of one, a file.
    const OTHERS: [&str; 3] = ["db.query", "gcp.bigquery", "service.json"];
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../obs-runtime/src"));
    let mut files = Vec::new();
    for folder in ["bigquery", "checks", "events", "exporters/otlp", "instrument", "pipeline"] {
        sources(&source.join(folder), &mut files);
    }
    let mut found = BTreeSet::new();
    for file in &files {
        let code = std::fs::read_to_string(file).unwrap();
        let of_program = code.split("#[cfg(test)]").next().unwrap_or_default();
        // Names in comments are none.
        let lines: Vec<&str> = of_program.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        found.extend(names(&lines.join("\n")));
    }
    found.retain(|name| !OTHERS.contains(&name.as_str()));
    let published: BTreeSet<String> = PUBLISHED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, published);
}
