//! A job of 50 milliseconds loses no span, however it ends, and sends none twice.

use std::collections::BTreeSet;

use obs_tests::process::Process;
use obs_tests::servers::Jaeger;
use obs_tests::wait;
use serde_json::Value;

use super::{attribute, named, text, to};

/// How often each way is taken.
const RUNS: usize = 20;

#[test]
fn every_span_arrives_once_on_every_ending_over_http() {
    every_span_arrives_once("http/protobuf");
}

#[test]
fn every_span_arrives_once_on_every_ending_over_grpc() {
    every_span_arrives_once("grpc");
}

fn every_span_arrives_once(protocol: &str) {
    let jaeger = Jaeger::start();
    for (way, outcome) in
        [("return", "ok"), ("error", "error"), ("panic", "panic"), ("exit", "error"), ("TERM", "cancelled")]
    {
        for run in 0..RUNS {
            let service = format!("{way}-{run}");
            let ended =
                to(&jaeger, protocol, &service, Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&[way])).run();
            // The program prints its error too.
            let line = ended.stderr.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{ended:?}"));
            let line: Value = serde_json::from_str(line).unwrap();
            let trace = text(&line["trace_id"]);
            let spans = jaeger.wait_for_spans(trace, 101);
            let ids: BTreeSet<_> = spans.iter().map(|span| text(&span["spanId"])).collect();
            let steps = spans.iter().filter(|span| span["name"] == "step").count();
            assert_eq!((spans.len(), ids.len(), steps), (101, 101, 100), "{service}");
            let job = named(&spans, "short-lived");
            assert_eq!(attribute(job, "obs.outcome").as_deref(), Some(outcome), "{service}: {job:#?}");
        }
    }
    let known = || jaeger.services().len();
    wait::until_true("all services", || known() == 5 * RUNS);
}
