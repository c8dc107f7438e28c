//! The dashboards of `generate grafana`, against a service that Prometheus scrapes, and against jobs by a textfile and a Pushgateway.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{env, fs};

use obs_tests::process::Process;
use obs_tests::servers::{NodeExporter, Prometheus, Pushgateway};
use obs_tests::{typescript, wait};
use serde_json::Value;

const JOB: &str = env!("CARGO_BIN_EXE_alerted-job");

/// The service that is scraped, and the job, which is `pushed`, too.
const SERVICES: [(&str, &[&str]); 2] = [("web", &[]), ("etl", &["--job"])];

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The dashboards, sorted by the names of their files.
fn dashboards(service: &str, arguments: &[&str]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let all = [&["obs", "generate", "grafana", "--service", service, "--output", "."], arguments].concat();
    let made = Process::new(JOB).args(&all).in_folder(folder.path()).run();
    assert_eq!(made.code(), Some(0), "{made:?}");
    let mut files: Vec<PathBuf> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Titles, units and queries, a line each.
fn listing() -> String {
    let mut lines = vec![
        "The panels that `generate grafana` makes of tests/src/bin/alerted-job.rs: title, kind, unit and queries."
            .to_owned(),
        "OBS_BLESS=1 cargo test --workspace --test real_prometheus -- every_panel_is_listed writes this file."
            .to_owned(),
    ];
    for (service, arguments) in SERVICES {
        for dashboard in dashboards(service, arguments) {
            lines.push(format!("\n{} {}", text(&dashboard["title"]), arguments.join(" ")).trim_end().to_owned());
            for panel in list(&dashboard["panels"]) {
                let unit = text(&panel["fieldConfig"]["defaults"]["unit"]);
                lines.push(format!("  {} ({}, {unit})", text(&panel["title"]), text(&panel["type"])));
                for target in list(&panel["targets"]) {
                    let query = text(&target["expr"]).replace('\n', " ");
                    lines.push(format!("    {query} | {}", text(&target["legendFormat"])));
                }
            }
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn every_panel_is_listed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards.txt");
    let listing = listing();
    if env::var_os("OBS_BLESS").is_some_and(|value| value == "1") {
        fs::write(&file, &listing).unwrap();
    }
    let listed = fs::read_to_string(&file).unwrap();
    for (number, (listed, made)) in listed.lines().zip(listing.lines()).enumerate() {
        assert_eq!(listed, made, "line {} of {}", number + 1, file.display());
    }
    assert_eq!(listed.lines().count(), listing.lines().count());
}

/// The query with the values of variables.
fn with_values(query: &str, service: &str) -> String {
    let query = query.replace("$service", service).replace("$environment", ".*").replace("$__rate_interval", "1m");
    assert!(!query.replace("\"$1\"", "").contains('$'), "a variable has no value: {query}");
    query
}

/// The numbers that a query returns.
fn numbers(prometheus: &Prometheus, query: &str) -> Vec<f64> {
    prometheus.query(query).into_iter().map(|(_, value)| value).filter(|value| !value.is_nan()).collect()
}

#[test]
fn every_query_of_every_panel_returns_data_of_a_program_that_has_run() {
    let folder = tempfile::tempdir().unwrap();
    let textfiles = folder.path().join("textfiles");
    fs::create_dir(&textfiles).unwrap();
    let of = |service: &str| {
        let program = Process::new(JOB).env("SERVICE_NAME", service).env("PROMETHEUS_PORT", "0");
        let program = program.env("TRACEPARENT", format!("00-{TRACE}-00f067aa0ba902b7-01"));
        program.env("OBS_STATE_DIR", folder.path().join(service))
    };
    let mut web = of("web").args(&["serve"]).start();
    let address: SocketAddr = web.wait_for_output("its address", |line| line.parse().ok());
    let (exporter, gateway) = (NodeExporter::reading(&textfiles), Pushgateway::start());
    let pushed: SocketAddr = gateway.url().trim_start_matches("http://").parse().unwrap();
    let prometheus = Prometheus::scraping(&[address, exporter.address(), pushed]);
    prometheus.wait_until_up();
    // What a run adds to counters is seen if they were there before.
    for runs in [1.0, 2.0] {
        web.write_line("ok");
        let job = of("etl").env("PROMETHEUS_TEXTFILE_DIR", &textfiles).args(&["ok"]).run();
        assert_eq!(job.code(), Some(0), "{job:?}");
        let job = of("pushed").env("PROMETHEUS_PUSHGATEWAY_URL", gateway.url()).args(&["ok"]).run();
        assert_eq!(job.code(), Some(0), "{job:?}");
        wait::until_true("both runs are scraped", || {
            numbers(&prometheus, &format!("cli_command_success_total{{service!=\"pushed\"}} == {runs}")).len() == 2
        });
    }
    for (service, arguments) in SERVICES.into_iter().chain([("pushed", SERVICES[1].1)]) {
        for dashboard in dashboards(service, arguments) {
            for panel in list(&dashboard["panels"]) {
                for target in list(&panel["targets"]) {
                    let query = with_values(text(&target["expr"]), service);
                    let what = format!("{}, {}: {query}", text(&dashboard["title"]), text(&panel["title"]));
                    wait::until_true(&what, || !numbers(&prometheus, &query).is_empty());
                }
            }
            for variable in list(&dashboard["templating"]["list"]) {
                let Some(query) = variable["query"].as_str().unwrap().strip_prefix("label_values(") else { continue };
                let (selector, label) = query.strip_suffix(')').unwrap().rsplit_once(", ").unwrap();
                let series = prometheus.query(&with_values(selector, service));
                let value = if label == "service" { service } else { "dev" };
                assert!(series.iter().any(|(labels, _)| labels[label] == value), "{query}: {series:?}");
            }
        }
    }
    // A point of the line leads to its trace, if the call was slow or failed.
    web.write_line("bad");
    let all = dashboards("web", &[]);
    let operations = all.iter().find(|dashboard| dashboard["title"] == "web: operations").unwrap();
    let timed = list(&operations["panels"]).iter().find(|panel| panel["title"] == "Duration, 95 %").unwrap();
    assert_eq!(timed["targets"][0]["exemplar"], true, "{timed}");
    let query = with_values(text(&timed["targets"][0]["expr"]), "web");
    wait::until_true("exemplars", || prometheus.exemplars(&query).iter().any(|labels| labels["trace_id"] == TRACE));
    catalogue_info(&prometheus, "web");
    assert_eq!(web.finish().code(), Some(0));
}

/// Owner, schedule, objective and runbook of what is declared.
fn catalogue_info(prometheus: &Prometheus, service: &str) {
    for (kind, name, declared) in [
        (
            "command",
            "nightly",
            &[
                ("owner", "data-platform"),
                ("runbook", "https://wiki.example/nightly"),
                ("schedule", "0 3 * * *"),
                ("slo", "99%"),
                ("timezone", "UTC"),
            ][..],
        ),
        ("operation", "store", &[("runbook", "https://wiki.example/store"), ("slo", "99.9%")]),
        ("operation", "query", &[("owner", "finance"), ("runbook", "https://wiki.example/cost")]),
        ("operation", "request", &[]),
        ("dq_check", "null_ids", &[("owner", "growth"), ("runbook", "https://wiki.example/ids")]),
        ("health_check", "database", &[]),
    ] {
        let query = format!("obs_catalogue_info{{service=\"{service}\",kind=\"{kind}\",name=\"{name}\"}}");
        let series = prometheus.query(&query);
        let [(labels, 1.0)] = &series[..] else { panic!("{query}: {series:?}") };
        let constant = ["__name__", "environment", "instance", "job", "kind", "name", "service"];
        let found: Vec<_> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let found: Vec<_> = found.into_iter().filter(|(name, _)| !constant.contains(name)).collect();
        assert_eq!(found, declared, "{query}");
    }
}

#[test]
fn alerts_link_to_dashboards_that_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let made = Process::new(JOB).args(&["obs", "generate", "prometheus", "--service", "web", "--output", "."]);
    let made = made.args(&["--grafana-url", "https://grafana.example"]).in_folder(folder.path()).run();
    assert_eq!(made.code(), Some(0), "{made:?}");
    let mut linked = BTreeSet::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let rules = fs::read_to_string(entry.unwrap().path()).unwrap();
        let links = rules.split("https://grafana.example/d/").skip(1);
        linked.extend(links.map(|rest| rest.split_whitespace().next().unwrap().to_owned()));
    }
    // Nothing alerts of the overview.
    let all = dashboards("web", &[]);
    let made: BTreeSet<_> = all.iter().map(|dashboard| text(&dashboard["uid"]).to_owned()).collect();
    assert_eq!(linked.into_iter().chain(["obs-web-overview".to_owned()]).collect::<BTreeSet<_>>(), made);
}

/// A program in TypeScript in which this is a dashboard.
fn program(dashboard: &Value) -> String {
    format!("{{ const dashboard: Dashboard = {dashboard:#}; void dashboard; }}\n")
}

#[test]
fn the_types_of_grafana_accept_every_dashboard() {
    let import = "import type { Dashboard } from '@grafana/schema';\n";
    let link = ["--logs-url", "https://logs.example/?id={correlation_id}"];
    let all: Vec<Value> =
        SERVICES.iter().flat_map(|(service, more)| dashboards(service, &[more, &link[..]].concat())).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/generated/grafana");
    let examples = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let examples = examples.map(|text| serde_json::from_str::<Value>(&text).unwrap());
    let programs: String = all.iter().map(program).chain(examples.map(|example| program(&example))).collect();
    typescript::check(&(import.to_owned() + &programs)).unwrap_or_else(|remarks| panic!("{remarks}"));
    // They refuse what no dashboard has.
    let mut wrong = all[0].clone();
    wrong["panels"][0]["unit"] = "s".into();
    wrong["schemaVersion"] = "42".into();
    let remarks = typescript::check(&(import.to_owned() + &program(&wrong))).unwrap_err();
    assert!(
        remarks.contains("'\"unit\"' does not exist") && remarks.contains("'string' is not assignable"),
        "{remarks}"
    );
}
