//! The metrics in Prometheus' own programs: its linter, its Python parsers, a server that scrapes them, and `node_exporter`,
//! which reads the textfile. Each must have every series, label and value.

mod alert_table;
mod alerts;
mod all_families;
mod calendar;
mod dashboards;
mod deployed;
mod documented;
mod documented_alerts;
mod every_generated_alert;
mod generate;
mod generated;
mod shortened;
mod sloth;
mod twenty_runs;
mod workload;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;

use obs_runtime::catalogue::FAMILIES;
use obs_tests::exposition::Series;
use obs_tests::servers::{NodeExporter, Prometheus};
use obs_tests::{http, process::Process, prometheus_client, promtool, wait};

use all_families::HOSTILE;
use workload::{expected, service};

/// Compares series by series, so that a failure shows one difference instead of two maps. What the operating system tells of
/// the process changes meanwhile.
fn assert_same(seen: &BTreeMap<Series, f64>, expected: &BTreeMap<Series, f64>) {
    for (name, value) in expected {
        let value = if name.0.starts_with("process_") { seen.get(name).unwrap_or(&f64::NAN) } else { value };
        assert_eq!(seen.get(name), Some(value), "{name:?}");
    }
    for name in seen.keys() {
        assert!(expected.contains_key(name), "{name:?} was not recorded");
    }
}

fn scrape() -> String {
    let address = service().guard.metrics_address().unwrap();
    http::get(&format!("http://{address}/metrics"), &[]).unwrap()
}

/// The series of obs that Prometheus has.
fn seen_by(prometheus: &Prometheus) -> BTreeMap<Series, f64> {
    let series = prometheus.query("{job=\"obs\",service!=\"\"}");
    let series = series.into_iter().filter(|(labels, _)| !labels["__name__"].ends_with("_created"));
    let named = series.map(|(mut labels, value)| {
        let name = labels.remove("__name__").unwrap();
        labels.retain(|label, _| label != "job" && label != "instance");
        if let Some(bound) = labels.get_mut("le").filter(|bound| *bound != "+Inf") {
            // node_exporter writes 1048576 as 1.048576e+06.
            *bound = bound.parse::<f64>().unwrap().to_string();
        }
        ((name, labels), value)
    });
    named.collect()
}

#[test]
fn the_workload_records_every_family() {
    let measured = &service().measured;
    let missing: Vec<_> = FAMILIES.iter().filter(|family| measured.family(family.name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert_eq!(measured.value("obs.dropped", &[("reason", "cardinality")]), Some(12.0));
    assert_eq!(measured.value("operation.success", &[("zone", HOSTILE)]), Some(1.0));
}

#[test]
fn promtool_has_no_remarks() {
    assert_eq!(promtool::check_metrics(&scrape()), Ok(()));
    // It has no HELP lines: node_exporter drops a metric that has different ones in two files.
    let textfile = fs::read_to_string(service().textfiles.join("etl_1.prom")).unwrap();
    let remarks = promtool::check_metrics(&textfile).unwrap_err();
    assert!(remarks.lines().all(|remark| remark.ends_with(" no help text")), "{remarks}");
}

#[test]
fn promtool_rejects_malformed_metrics() {
    assert!(promtool::check_metrics("# TYPE a counter\na 1\n").is_err_and(|remarks| remarks.contains("_total")));
    assert!(promtool::check_metrics("a{b=\"c} 1\n").is_err());
}

#[test]
fn the_python_client_reads_all_metrics() {
    assert_families(&prometheus_client::parse(&scrape()).unwrap());
}

#[test]
fn the_openmetrics_parser_reads_all_metrics() {
    let address = service().guard.metrics_address().unwrap();
    let accept = "application/openmetrics-text; version=1.0.0";
    let text = http::get_with(&format!("http://{address}/metrics"), &[], &[("Accept", accept)]).unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let mut families = prometheus_client::parse_openmetrics(&text).unwrap();
    let target = families.remove(families.iter().position(|family| family["name"] == "target").unwrap());
    assert_eq!(target["samples"][0]["labels"]["service_version"], "1.2.3", "{target}");
    let began = service().began;
    for family in &mut families {
        let is_counted = family["type"] == "counter" || family["type"] == "histogram";
        let samples = family["samples"].as_array_mut().unwrap();
        let all = samples.len();
        samples.retain(|sample| {
            let value: f64 = sample["value"].as_str().unwrap().parse().unwrap();
            !sample["name"].as_str().unwrap().ends_with("_created") || value < began
        });
        assert_eq!(samples.len() < all, is_counted, "counters and histograms have the time of their creation");
    }
    assert_families(&families);
    let timed = families.iter().find(|family| family["name"] == "operation_duration_seconds").unwrap();
    assert_eq!(timed["unit"], "seconds");
}

#[test]
fn a_failed_call_is_an_exemplar_with_its_trace() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let service = Process::new(env!("CARGO_BIN_EXE_service")).env("PROMETHEUS_PORT", "0");
    let service = service.env("TRACEPARENT", format!("00-{trace}-00f067aa0ba902b7-01")).start();
    let address: SocketAddr = service.wait_for_output("its address", |line| line.parse().ok());
    let url = format!("http://{address}/metrics");
    let text = http::get_with(&url, &[], &[("Accept", "application/openmetrics-text")]).unwrap();
    let families = prometheus_client::parse_openmetrics(&text).unwrap();
    let timed = families.iter().find(|family| family["name"] == "operation_duration_seconds").unwrap();
    let failed = timed["samples"].as_array().unwrap().iter().find(|sample| {
        sample["labels"]["operation"] == "parse"
            && sample["labels"]["outcome"] == "error"
            && !sample["exemplar"].is_null()
    });
    let exemplar = &failed.unwrap_or_else(|| panic!("{text}"))["exemplar"];
    assert_eq!(exemplar["labels"]["trace_id"], trace, "{exemplar}");
    assert!(exemplar["value"].as_f64().is_some() && exemplar["timestamp"].as_f64() > Some(1e9), "{exemplar}");
    let plain = http::get(&url, &[]).unwrap();
    assert!(!plain.contains(trace), "the text format has no exemplars: {plain}");

    let prometheus = Prometheus::scraping(&[address]);
    prometheus.wait_until_up();
    let kept = prometheus.exemplars("operation_duration_seconds_bucket{outcome=\"error\"}");
    assert!(kept.iter().any(|labels| labels["trace_id"] == trace), "{kept:?}");
}

fn assert_families(families: &[serde_json::Value]) {
    assert_eq!(families.len(), FAMILIES.len());
    for family in families {
        let known = FAMILIES.iter().find(|known| known.name.replace('.', "_") == family["name"]).unwrap();
        assert_eq!(
            (&family["help"], &family["type"]),
            (&known.help.into(), &format!("{:?}", known.kind).to_lowercase().into())
        );
    }
    assert_same(&prometheus_client::samples(families).into_inner(), &expected(&service().measured));
}

#[test]
fn prometheus_scrapes_all_metrics() {
    let prometheus = Prometheus::scraping(&[service().guard.metrics_address().unwrap()]);
    prometheus.wait_until_up();
    assert_same(&seen_by(&prometheus), &expected(&service().measured));
    let median = prometheus.value("histogram_quantile(0.5, sum by (le) (bigquery_query_duration_seconds_bucket))");
    assert!((1.0..=2.5).contains(&median), "1.5 s were recorded, the median is {median} s");
}

#[test]
fn node_exporter_reads_the_textfile_and_no_other_file() {
    let damaged = fs::read_to_string(service().textfiles.join("etl_1.prom.damaged")).unwrap();
    assert_eq!(damaged, "garbage", "the earlier content is kept");
    fs::write(service().textfiles.join("etl_1.prom.tmp"), "half of a").unwrap();

    let exporter = NodeExporter::reading(&service().textfiles);
    let prometheus = Prometheus::scraping(&[exporter.address()]);
    prometheus.wait_until_up();
    assert_eq!(prometheus.query("node_textfile_scrape_error == 0").len(), 1, "{}", exporter.log());
    let files = prometheus.query("node_textfile_mtime_seconds");
    assert!(files.len() == 1 && files[0].0["file"].ends_with("/etl_1.prom"), "{files:?}");
    // The textfile has no gauges of the moment, nor the metrics of its own flush.
    let is_lasting = |series: &Series| {
        !["operation_active", "obs_flush_", "obs_last_success_", "process_"]
            .iter()
            .any(|other| series.0.starts_with(other))
    };
    let (mut seen, mut expected) = (seen_by(&prometheus), expected(&service().measured));
    seen.retain(|series, _| is_lasting(series));
    expected.retain(|series, _| is_lasting(series));
    assert_same(&seen, &expected);
}

#[test]
fn unscraped_runs_are_summed_in_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    let job = || Process::new(env!("CARGO_BIN_EXE_short-job")).args(&["return"]);
    let job = || job().env("PROMETHEUS_TEXTFILE_DIR", folder.path()).env("PROMETHEUS_PORT", "0");
    let codes = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| job().run().code())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(codes, [Some(0); 4]);
    let exporter = NodeExporter::reading(folder.path());
    let prometheus = Prometheus::scraping(&[exporter.address()]);
    prometheus.wait_until_up();
    let sum = |of: &str| prometheus.value(&format!("sum({of})"));
    assert_eq!(sum("cli_command_success_total{command=\"short-job\"}"), 4.0);
    assert_eq!(sum("operation_success_total{operation=\"step\"}"), 360.0);
    assert_eq!(sum("operation_duration_seconds_count{operation=\"step\"}"), 400.0);
    assert!(prometheus.query("operation_active").is_empty(), "no run is active");
}

#[test]
fn a_service_that_has_ended_is_down() {
    let service = Process::new(env!("CARGO_BIN_EXE_service")).env("PROMETHEUS_PORT", "0").start();
    let address = service.wait_for_output("its address", |line| line.parse().ok());
    let prometheus = Prometheus::scraping(&[address]);
    prometheus.wait_until_up();
    assert_eq!(prometheus.value("cli_command_success_total{command=\"serve-once\"}"), 1.0);
    assert_eq!(service.finish().code(), Some(0));
    wait::until_true("up == 0", || prometheus.value("up") == 0.0);
}
