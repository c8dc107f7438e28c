//! Each span has the right parent, across everything that a job starts.

use obs_tests::process::Process;
use obs_tests::programs;
use obs_tests::servers::Jaeger;
use obs_tests::wait;

use super::{PROTOCOLS, attribute, named, parents, text, to};

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = expected.iter().map(|(name, parent)| ((*name).to_owned(), (*parent).to_owned())).collect();
    pairs.sort();
    pairs
}

#[test]
fn nightly_load_is_one_trace() {
    let jaeger = Jaeger::start();
    let folder = tempfile::tempdir().unwrap();
    let ended = Process::new(programs::program("nightly-load"))
        .args(&["--output", folder.path().to_str().unwrap()])
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.http_url())
        .run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let lines = ended.log();
    let trace = text(&lines[0]["trace_id"]);
    assert!(lines.iter().all(|line| line["trace_id"] == trace), "{lines:?}");
    let checks =
        ["enough_rows", "lightest_penguin_grams", "missing_body_mass", "repeated_individuals", "unknown_islands"];
    let spans = jaeger.wait_for_spans(trace, 3 + checks.len());
    let mut expected = vec![("nightly-load", ""), ("load_penguins", "nightly-load"), ("price_report", "nightly-load")];
    expected.extend(checks.map(|check| (check, "nightly-load")));
    assert_eq!(parents(&spans), pairs(&expected));
    let of = |name: &str, key: &str| attribute(named(&spans, name), key);
    assert_eq!(of("nightly-load", "obs.outcome").as_deref(), Some("ok"));
    assert_eq!(of("nightly-load", "output").as_deref(), folder.path().to_str());
    assert_eq!(of("nightly-load", "obs.correlation_id").as_deref(), lines[0]["correlation_id"].as_str());
    assert_eq!(of("nightly-load", "code.function.name").as_deref(), Some("nightly_load::nightly_load"));
    assert!(of("load_penguins", "code.file.path").unwrap().ends_with("nightly-load.rs"));
    // Two attributes on one function are one span with what both record.
    assert!(of("load_penguins", "file").unwrap().ends_with("penguins_raw.csv"));
    assert_eq!(of("repeated_individuals", "obs.check.status").as_deref(), Some("failed"));
    assert_eq!(of("repeated_individuals", "obs.check.value").as_deref(), Some("154"));
    assert_eq!(named(&spans, "repeated_individuals")["status"]["code"], 2);
    assert_eq!(of("enough_rows", "obs.check.dataset").as_deref(), Some("penguins"));
    assert!(jaeger.services().contains(&"nightly-load".to_owned()));
}

#[test]
fn one_trace_goes_through_tasks_threads_a_queue_a_child_process_and_a_server() {
    for protocol in PROTOCOLS {
        one_trace_goes_through_everything(protocol);
    }
}

fn one_trace_goes_through_everything(protocol: &str) {
    let jaeger = Jaeger::start();
    let traced = || Process::new(env!("CARGO_BIN_EXE_traced"));
    let server = to(&jaeger, protocol, "server", traced().args(&["server"])).start();
    let url = server.wait_for_output("its URL", |line| line.starts_with("http://").then(|| line.to_owned()));
    let ended = to(&jaeger, protocol, "job", traced().args(&["job", &url])).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(server.finish().code(), Some(0));
    let lines: Vec<_> = ended.log().into_iter().filter(|line| line["operation"] == "traced-job").collect();
    let trace = text(&lines[0]["trace_id"]);
    let expected = [
        ("traced-job", ""),
        ("in_task", "traced-job"),
        ("inner", "in_task"),
        ("in_task", "traced-job"),
        ("inner", "in_task"),
        ("in_blocking", "traced-job"),
        ("in_thread", "traced-job"),
        ("fails", "traced-job"),
        ("fetch", "traced-job"),
        ("handle", "fetch"),
        ("inner", "handle"),
        ("start_child", "traced-job"),
        ("child-job", "start_child"),
        ("inner", "child-job"),
        ("publish", "traced-job"),
        ("consume", "publish"),
    ];
    let spans = jaeger.wait_for_spans(trace, expected.len());
    assert_eq!(parents(&spans), pairs(&expected), "{spans:#?}");
    let mut ids: Vec<_> = spans.iter().map(|span| text(&span["spanId"])).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), expected.len());
    let of = |name: &str, key: &str| attribute(named(&spans, name), key);
    assert_eq!((named(&spans, "handle")["kind"].as_u64(), named(&spans, "fetch")["kind"].as_u64()), (Some(2), Some(1)));
    assert_eq!(
        (of("traced-job", "enduser.id").as_deref(), of("traced-job", "team").as_deref()),
        (Some("ada"), Some("growth"))
    );
    assert!(["1", "2"].contains(&of("in_task", "number").as_deref().unwrap()));
    let failed = named(&spans, "fails");
    assert_eq!((failed["status"]["code"].as_u64(), of("fails", "obs.outcome").as_deref()), (Some(2), Some("error")));
    assert_eq!(of("fails", "error.type").as_deref(), Some("ParseIntError"));
    assert_eq!(
        (of("fails", "file").as_deref(), of("fails", "password").as_deref()),
        (Some("a.csv"), Some("[REDACTED]"))
    );
    let event = &failed["events"][0];
    assert_eq!(
        (&event["name"], attribute(event, "exception.type").as_deref()),
        (&"exception".into(), Some("ParseIntError"))
    );
    assert_eq!(attribute(event, "exception.message").as_deref(), Some("invalid digit found in string"));
    assert!(named(&spans, "traced-job")["status"]["code"].is_null(), "{:#?}", named(&spans, "traced-job"));
}

#[test]
fn a_task_that_begins_after_its_trace_has_ended_is_linked_to_it() {
    let jaeger = Jaeger::start();
    let ended = to(&jaeger, "grpc", "early", Process::new(env!("CARGO_BIN_EXE_traced")).args(&["outlives"])).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let spans = wait::until("two spans", wait::LONG, || {
        Some(jaeger.spans_of_service("early")).filter(|spans| spans.len() == 2)
    });
    let (early, late) = (named(&spans, "early"), named(&spans, "outlives"));
    assert_ne!(early["traceId"], late["traceId"]);
    let link = &late["links"][0];
    assert_eq!((&link["traceId"], &link["spanId"]), (&early["traceId"], &early["spanId"]), "{late:#?}");
    assert_eq!(text(&late["parentSpanId"]), "");
}
