//! What `generate datadog` makes, by the models of Datadog's own client, and against the series of the program that it is made for.

use std::collections::BTreeSet;
use std::path::Path;

use obs_runtime::catalogue::FAMILIES;
use obs_tests::datadog_client;
use obs_tests::exposition::has_labels;
use obs_tests::process::{Finished, Process};
use obs_tests::servers::{API_KEY, DatadogApi};
use serde_json::Value;

const JOB: &str = env!("CARGO_BIN_EXE_alerted-job");

/// Families that a program without such failures does not send.
const NOT_SENT: [&str; 2] = ["data_quality.check.errored", "obs.dropped"];

fn generate(folder: &Path, arguments: &[&str]) -> Finished {
    let all = [&["obs", "generate", "datadog"], arguments].concat();
    Process::new(JOB).args(&all).in_folder(folder).env("SERVICE_NAME", "Nightly Jobs").run()
}

fn read(folder: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.join("files").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Monitors, objectives and dashboards in `examples/generated`.
fn examples() -> Vec<(&'static str, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/generated/datadog");
    let mut all = Vec::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let kinds = [("monitors", "monitor"), ("slos", "slo"), ("dashboard", "dashboard")];
        let (_, kind) = kinds.into_iter().find(|(end, _)| name.ends_with(&format!(".{end}.json"))).unwrap();
        match serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap() {
            Value::Array(bodies) => all.extend(bodies.into_iter().map(|body| (kind, body))),
            body => all.push((kind, body)),
        }
    }
    assert!(all.len() > 12, "{all:?}");
    all
}

/// A metric in a query, with the tags of its scope and those that it is grouped by.
#[derive(Debug)]
struct Part {
    metric: String,
    scope: Vec<(String, String)>,
    by: Vec<String>,
}

/// The metrics of a query: `sum:a.b{service:x} by {env}.as_count()`.
fn parts(query: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = query;
    while let Some((before, after)) = rest.split_once('{') {
        let metric = before.rsplit(':').next().unwrap().to_owned();
        let (scope, after) = after.split_once('}').unwrap();
        let grouped = after.strip_prefix(" by {").and_then(|after| after.split_once('}'));
        let (by, after) =
            grouped.map_or((Vec::new(), after), |(by, after)| (by.split(',').map(str::to_owned).collect(), after));
        let pair = |tag: &str| tag.split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()));
        parts.push(Part { metric, scope: scope.split(',').filter_map(pair).collect(), by });
        rest = after;
    }
    parts
}

/// The queries of metrics in a document.
fn queries(document: &Value, found: &mut Vec<String>) {
    match document {
        Value::String(text) if text.contains(':') && text.contains('{') && !text.contains("{{") => {
            found.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| queries(field, found)),
        _ => {}
    }
}

#[test]
fn monitors_objectives_and_dashboard_fit_datadog_and_the_series_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--output", "files", "--notify", "@slack-all", "--notify", "growth=@slack-growth"];
    let made = generate(folder.path(), &options);
    assert_eq!(made.code(), Some(0), "{made:?}");
    let monitors = read(folder.path(), "Nightly-Jobs.monitors.json");
    let slos = read(folder.path(), "Nightly-Jobs.slos.json");
    let dashboard = read(folder.path(), "Nightly-Jobs.dashboard.json");
    let bodies = monitors.as_array().unwrap().iter().map(|monitor| ("monitor", monitor));
    let bodies =
        bodies.chain(slos.as_array().unwrap().iter().map(|slo| ("slo", slo))).chain([("dashboard", &dashboard)]);
    assert_eq!(datadog_client::remarks(bodies), [""; 0]);
    assert_eq!(datadog_client::remarks(examples().iter().map(|(kind, body)| (*kind, body))), [""; 0]);
    let named = |name: &str| {
        let all = monitors.as_array().unwrap().iter();
        all.clone().find(|monitor| monitor["name"] == name).unwrap_or_else(|| panic!("{name}: {monitors:#}"))
    };
    let failed = named("[Nightly Jobs] nightly failed");
    assert_eq!(
        failed["query"],
        "sum(last_15m):sum:cli.command.failure{service:nightly_jobs,command:nightly} by {env}.as_count() > 0"
    );
    let message = failed["message"].as_str().unwrap();
    for part in ["Runbook: https://wiki.example/nightly", "Owner: data-platform", "@slack-all"] {
        assert!(message.contains(part) && !message.contains("@slack-growth"), "{message}");
    }
    assert!(
        named("[Nightly Jobs] data-quality check null_ids failed")["message"]
            .as_str()
            .unwrap()
            .contains("@slack-growth")
    );
    let missed = named("[Nightly Jobs] nightly did not run");
    assert!(missed["query"].as_str().unwrap().starts_with("sum(last_1445m):sum:cli.command.started{"), "{missed}");
    assert_eq!(slos[0]["thresholds"][0]["target"], 99.0);

    let api = DatadogApi::start();
    let job = Process::new(JOB).args(&["serve"]).env("SERVICE_NAME", "Nightly Jobs").env("PROMETHEUS_PORT", "0");
    let job =
        job.env("OBS_BUDGETS", "nightly=100USD/day").env("OBS_STATE_DIR", folder.path()).env("LOG_LEVEL", "CRITICAL");
    let job = job.env("DATADOG_AGENTLESS", "true").env("DATADOG_API_KEY", API_KEY).env("DD_DD_URL", api.url());
    let mut job = job.env("OBS_FLUSH_TIMEOUT", "20s").start();
    for way in ["ok", "bad", "error"] {
        job.write_line(way);
    }
    assert_eq!(job.finish().code(), Some(0));
    let mut all = Vec::new();
    for document in [&monitors, &slos, &dashboard] {
        queries(document, &mut all);
    }
    assert!(all.len() > 30, "{all:#?}");
    // Datadog keeps tags in lower case.
    let sent: BTreeSet<_> = api
        .identities()
        .into_iter()
        .map(|(name, _, tags)| (name, tags.into_iter().map(|(name, value)| (name, value.to_lowercase())).collect()))
        .collect::<BTreeSet<(String, obs_tests::exposition::Labels)>>();
    for query in &all {
        for Part { metric, scope, by } in parts(query) {
            if let Some(family) =
                FAMILIES.iter().find(|family| family.name == metric && NOT_SENT.contains(&family.name))
            {
                let is_label = |tag: &String| *tag == "env" || family.labels.contains(&&**tag);
                assert!(by.iter().all(is_label), "{query}");
                continue;
            }
            let scope: Vec<_> = scope.iter().map(|(name, value)| (&**name, &**value)).collect();
            let returns = |(name, tags): &(String, obs_tests::exposition::Labels)| {
                *name == metric && has_labels(tags, &scope) && by.iter().all(|tag| tags.contains_key(tag))
            };
            assert!(sent.iter().any(returns), "nothing for {query}");
        }
    }
    let checks = api.service_checks();
    let database = named("[Nightly Jobs] health check database fails")["query"].as_str().unwrap().to_owned();
    for tag in ["service:nightly_jobs", "check:database"] {
        let is_tag = |found: &Value| found.as_str().is_some_and(|found| found.eq_ignore_ascii_case(tag));
        assert!(database.contains(&format!("\"{tag}\"")), "{database}");
        assert!(checks.iter().any(|check| check["tags"].as_array().unwrap().iter().any(is_tag)), "{checks:?}");
    }

    let checked = generate(folder.path(), &[&["--check", "files"], &options[2..]].concat());
    assert_eq!(checked.code(), Some(0), "{checked:?}");
    let other = generate(folder.path(), &["--check", "files"]);
    assert_eq!(other.code(), Some(1), "{other:?}");
    let wrong = generate(folder.path(), &["--output", "files", "--notify", "slack"]);
    assert!(wrong.code() != Some(0) && wrong.stderr.contains("expected a handle such as @slack-data"), "{wrong:?}");
}
