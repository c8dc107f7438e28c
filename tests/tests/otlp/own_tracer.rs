//! A tracer provider of the program is used, and what the layer of `tracing-opentelemetry` exports is not exported twice.

use obs_tests::process::{Finished, Process};
use obs_tests::servers::OtlpServer;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;

use crate::context::hexadecimal;

/// A run of the program, with what its own tracer and obs have exported.
struct Run {
    finished: Finished,
    by_program: Vec<Value>,
    by_obs: Vec<Span>,
    headers: Value,
}

/// A span: its name, trace, id and parent.
type Plain = (String, String, String, String);

impl Run {
    fn of(situation: &str) -> Self {
        let server = OtlpServer::start();
        let finished = Process::new(env!("CARGO_BIN_EXE_own-tracer"))
            .args(&[situation])
            .env("PROMETHEUS_PORT", "0")
            .env("OBS_FLUSH_TIMEOUT", "30s")
            .env("TRACING_ENABLED", "true")
            .env("TRACING_SAMPLE_RATE", "1")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url())
            .run();
        assert_eq!(finished.code(), Some(0), "{finished:?}");
        let lines = finished.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let (mut headers, by_program): (Vec<_>, _) = lines.partition(|line| line["headers"].is_object());
        let headers = headers.pop().map(|mut line| line["headers"].take()).unwrap_or_default();
        Self { by_program, by_obs: server.spans(), headers, finished }
    }

    /// The spans of both.
    fn spans(&self) -> Vec<Plain> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let by_program = self
            .by_program
            .iter()
            .map(|span| (text(&span["name"]), text(&span["trace"]), text(&span["id"]), text(&span["parent"])));
        let by_obs = self.by_obs.iter().map(|span| {
            let parent = Some(hexadecimal(&span.parent_span_id)).filter(|id| id.contains(|digit| digit != '0'));
            let (trace, id) = (hexadecimal(&span.trace_id), hexadecimal(&span.span_id));
            (span.name.clone(), trace, id, parent.unwrap_or_default())
        });
        by_program.chain(by_obs).collect()
    }

    /// The name and the name of the parent of each, sorted.
    fn pairs(&self) -> Vec<(String, String)> {
        let spans = self.spans();
        let name = |id: &str| match spans.iter().find(|(_, _, known, _)| known == id) {
            Some((name, ..)) => name.clone(),
            None => id.to_owned(),
        };
        let mut pairs: Vec<_> = spans.iter().map(|(of, _, _, parent)| (of.clone(), name(parent))).collect();
        pairs.sort();
        pairs
    }

    fn of_program(&self, name: &str) -> &Value {
        let of = |span: &&Value| span["name"] == name;
        self.by_program.iter().find(of).unwrap_or_else(|| panic!("{name}: {:#?}", self.by_program))
    }

    /// Every span once, with the right parent, and those of the job in one trace with its lines and its headers.
    fn check(&self) {
        let expected = [
            ("alone", ""),
            ("around_program_span", "job"),
            ("by the program", "around_program_span"),
            ("fails", "job"),
            ("first", "job"),
            ("first of tracing", "first"),
            ("in_task", "job"),
            ("job", ""),
            ("leaf", "by the program"),
            ("leaf", "leaf_later"),
            ("leaf", "request"),
            ("leaf", "tracing in task"),
            ("leaf_in_thread", "job"),
            ("leaf_later", "tracing around"),
            ("never entered", "job"),
            ("request", ""),
            ("tracing around", "in_task"),
            ("tracing in task", "in_task"),
            ("users_have_rows", "job"),
        ];
        let pairs = self.pairs();
        let pairs: Vec<_> = pairs.iter().map(|(name, parent)| (&**name, &**parent)).collect();
        assert_eq!(pairs, expected, "{:#?}", self.spans());
        let spans = self.spans();
        let (_, trace, ..) = spans.iter().find(|(name, ..)| name == "job").unwrap();
        let is_of_job = |name: &str| !matches!(name, "alone" | "request" | "leaf");
        assert!(spans.iter().all(|(name, of, ..)| of == trace || !is_of_job(name)), "{spans:#?}");
        assert_eq!(spans.iter().filter(|(name, of, ..)| name == "leaf" && of == trace).count(), 3);
        let traceparent = self.headers["traceparent"].as_str().unwrap();
        let (_, _, job, _) = spans.iter().find(|(name, ..)| name == "job").unwrap();
        assert_eq!(traceparent, format!("00-{trace}-{job}-01"));
        let log = self.finished.log();
        let of_job: Vec<_> = log.iter().filter(|line| line["operation"] == "job").collect();
        assert!(of_job.len() >= 5 && of_job.iter().all(|line| line["trace_id"] == **trace), "{log:#?}");
        let in_request = log.iter().find(|line| line["message"] == "in the request").unwrap();
        assert!(in_request["trace_id"].is_string() && in_request["trace_id"] != **trace, "{in_request}");
        for line in log.iter().filter(|line| line["message"] == "leaf") {
            assert!(spans.iter().any(|(name, _, id, _)| name == "leaf" && line["span_id"] == **id), "{line}");
        }
    }
}

#[test]
fn a_tracer_provider_of_the_program_gets_all_spans() {
    let run = Run::of("provider");
    assert_eq!(run.by_obs, []);
    run.check();
    let fails = run.of_program("fails");
    assert_eq!(fails["attributes"]["file"], "a.csv");
    assert_eq!(fails["attributes"]["password"], "[REDACTED]");
    assert_eq!(
        (&fails["attributes"]["obs.outcome"], &fails["attributes"]["error.type"]),
        (&"error".into(), &"ParseIntError".into())
    );
    assert!(fails["status"].as_str().unwrap().contains("invalid digit"), "{fails}");
    assert_eq!(fails["events"][0]["name"], "exception");
    assert!(
        run.by_program.iter().filter(|span| span["name"] != "alone").all(|span| span["is_over"] == true),
        "{:#?}",
        run.by_program
    );
    assert_eq!(run.of_program("users_have_rows")["attributes"]["obs.check.status"], "passed");
    let by_the_program = run.of_program("by the program");
    assert_eq!(by_the_program["attributes"]["rows"], "7");
}

#[test]
fn a_provider_and_the_layer_of_tracing_opentelemetry_export_each_span_once() {
    for situation in ["provider-and-layer-above", "provider-and-layer-below"] {
        let run = Run::of(situation);
        assert_eq!(run.by_obs, [], "{situation}");
        run.check();
    }
}

#[test]
fn the_layer_exports_the_spans_of_tracing_and_obs_its_own() {
    for situation in ["layer-above", "layer-below"] {
        let run = Run::of(situation);
        run.check();
        let names = |is_tracing: &dyn Fn(&str) -> bool| {
            let spans = run.by_program.iter().map(|span| span["name"].as_str().unwrap());
            spans.filter(|name| is_tracing(name)).count()
        };
        assert_eq!(names(&|_| true), 7, "{situation}: {:#?}", run.by_program);
        assert_eq!(names(&|name| name.contains("tracing")), 3, "{situation}");
    }
}

#[test]
fn what_the_provider_does_not_sample_is_not_exported() {
    let run = Run::of("sampled-out");
    assert_eq!((run.by_program.len(), run.by_obs.len()), (0, 0), "{:#?}", run.by_obs);
    assert!(run.headers["traceparent"].as_str().unwrap().ends_with("-00"), "{}", run.headers);
}

#[test]
fn a_span_that_the_program_has_moved_to_another_trace_is_exported_once() {
    for situation in ["moved-above", "moved-below"] {
        let run = Run::of(situation);
        assert_eq!(run.by_obs, [], "{situation}");
        let pairs = run.pairs();
        let pairs: Vec<_> = pairs.iter().map(|(name, parent)| (&**name, &**parent)).collect();
        let (caller, moved) = ("0000000000000007", "tracing moved");
        assert_eq!(
            pairs,
            [("leaf", "moves"), ("moves", ""), ("tracing inside", moved), (moved, caller)],
            "{situation}"
        );
    }
}

#[test]
fn a_span_processor_may_call_annotated_functions() {
    let run = Run::of("processor");
    assert_eq!(run.pairs().iter().filter(|(name, _)| name == "leaf").count(), 1, "{:#?}", run.spans());
    assert_eq!(run.pairs().len(), 3, "{:#?}", run.spans());
    assert!(!run.finished.stderr.contains("panic"), "{}", run.finished.stderr);
}

#[test]
fn the_tracer_of_the_program_follows_a_command_that_is_not_sampled() {
    for situation in ["unsampled-above", "unsampled-below"] {
        let run = Run::of(situation);
        assert_eq!((&run.by_obs, &run.by_program), (&vec![], &vec![]), "{situation}");
        let traceparent = run.headers["traceparent"].as_str().unwrap();
        assert!(traceparent.ends_with("-00"), "{traceparent}");
        let log = run.finished.log();
        let of_job: Vec<_> = log.iter().filter(|line| line["operation"] == "unsampled").collect();
        let trace = &traceparent[3..35];
        assert!(of_job.len() >= 5 && of_job.iter().all(|line| line["trace_id"] == trace), "{log:#?}");
    }
}
