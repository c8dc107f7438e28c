//! Metrics to endpoints that fail: they are read when they are sent, so what is not accepted is part of the next request.

use std::collections::BTreeSet;

use obs_tests::process::Process;
use obs_tests::servers::{OtlpAnswer, OtlpServer};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, HistogramDataPoint, Metric, NumberDataPoint};

use crate::ended::{self, each_fault_is_warned_of, says_what_to_do, status, warnings};

/// The name of the exporter.
const EXPORTER: &str = "otlp_metrics";

/// A job that prints its status.
fn job(endpoint: &str) -> Process {
    ended::job("return", endpoint).env("OTEL_METRICS_EXPORTER", "otlp")
}

fn numbers(metric: &Metric) -> &[NumberDataPoint] {
    match &metric.data {
        Some(Data::Sum(sum)) => &sum.data_points,
        Some(Data::Gauge(gauge)) => &gauge.data_points,
        other => panic!("{other:?}"),
    }
}

fn histogram(metric: &Metric) -> &[HistogramDataPoint] {
    let Some(Data::Histogram(histogram)) = &metric.data else { panic!("{metric:?}") };
    &histogram.data_points
}

/// The metrics of that name in a request.
fn named<'a>(request: &'a [Metric], name: &'a str) -> impl Iterator<Item = &'a Metric> {
    request.iter().filter(move |metric| metric.name == name)
}

/// The sum of a counter over its series.
fn sum(request: &[Metric], name: &str) -> f64 {
    let points = named(request, name).flat_map(numbers);
    points
        .map(|point| if let Some(Number::AsDouble(number)) = point.value { number } else { panic!("{point:?}") })
        .sum()
}

#[test]
fn a_failing_endpoint_is_warned_of_and_delays_the_exit_by_one_deadline_at_most() {
    each_fault_is_warned_of(EXPORTER, job, |fault, warning, status| {
        assert!(says_what_to_do(warning) || fault.hangs(), "{fault:?}: {warning}");
        assert_eq!(status["queued"], 0, "{fault:?}: {status}");
    });
}

#[test]
fn a_server_that_asks_to_wait_gets_no_request_until_then() {
    for status in [429, 503] {
        let server = OtlpServer::answering([OtlpAnswer::Status(status, vec!["Retry-After: 3600".to_owned()])]);
        let ended = job(&server.url()).run();
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(server.requests(), 1, "{status}: {ended:?}");
    }
}

#[test]
fn what_a_server_does_not_accept_is_part_of_the_next_request() {
    for (temporality, delta) in [("cumulative", false), ("delta", true)] {
        let server = OtlpServer::answering([OtlpAnswer::Status(503, vec![])]);
        let ended = job(&server.url()).env("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality).run();
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        let requests = server.metrics();
        let successes: Vec<f64> = requests.iter().map(|request| sum(request, "cli.command.success")).collect();
        let all = if delta { successes.iter().sum() } else { *successes.last().unwrap() };
        assert_eq!(all, 1.0, "{temporality}: {successes:?}");
        let wanted = if delta { AggregationTemporality::Delta } else { AggregationTemporality::Cumulative } as i32;
        for metric in requests.iter().flatten() {
            match &metric.data {
                Some(Data::Sum(sum)) => {
                    assert!(sum.is_monotonic && sum.aggregation_temporality == wanted, "{metric:?}");
                }
                Some(Data::Histogram(histogram)) => assert_eq!(histogram.aggregation_temporality, wanted),
                other => assert!(matches!(other, Some(Data::Gauge(_))), "{metric:?}"),
            }
        }
        let calls: Vec<&HistogramDataPoint> = requests
            .iter()
            .flat_map(|request| named(request, "operation.duration.seconds"))
            .flat_map(histogram)
            .collect();
        let counted: u64 =
            if delta { calls.iter().map(|point| point.count).sum() } else { calls.last().unwrap().count };
        assert_eq!(counted, 1, "{temporality}: {calls:?}");
        for point in calls {
            assert!(0 < point.start_time_unix_nano && point.start_time_unix_nano < point.time_unix_nano, "{point:?}");
            assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
            assert!(point.sum.is_some_and(|sum| sum > 0.0), "{point:?}");
        }
    }
}

#[test]
fn rejected_points_are_counted_and_a_request_that_is_too_large_is_halved() {
    let server = OtlpServer::answering([OtlpAnswer::Partial(3, "the quota is used up")]);
    let ended = job(&server.url()).run();
    assert_eq!(status(&ended, EXPORTER)["dropped"], serde_json::json!({ "rejected": 3 }), "{ended:?}");
    let warnings = warnings(&ended, EXPORTER);
    assert!(warnings.iter().any(|warning| warning.contains("the quota is used up")), "{ended:?}");

    let whole = OtlpServer::start();
    let names = |requests: Vec<Vec<Metric>>| -> BTreeSet<String> {
        requests.into_iter().flatten().map(|metric| metric.name).collect()
    };
    assert_eq!(job(&whole.url()).run().code(), Some(0));
    let halved = OtlpServer::answering([OtlpAnswer::Status(413, vec![]), OtlpAnswer::Status(413, vec![])]);
    let ended = job(&halved.url()).run();
    assert!(status(&ended, EXPORTER)["failure"].is_null(), "{ended:?}");
    assert!(whole.requests() < halved.requests());
    let requests = halved.metrics();
    assert!(requests[0].len() < requests.last().unwrap().len(), "the first ones are parts");
    assert_eq!(names(requests), names(whole.metrics()));
}

#[test]
fn a_failed_call_is_an_exemplar_with_its_trace_and_no_secret_is_sent() {
    let server = OtlpServer::start();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let service = Process::new(env!("CARGO_BIN_EXE_service")).env("PROMETHEUS_PORT", "0");
    let service = service.env("TRACEPARENT", format!("00-{trace}-00f067aa0ba902b7-01"));
    let service = service.env("OTEL_METRICS_EXPORTER", "otlp").env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url());
    let service = service.env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2%2C");
    let service = service.env("OTEL_RESOURCE_ATTRIBUTES", "team=data,note=ann.lee%40example.com,password=hunter2");
    assert_eq!(service.run().code(), Some(0));
    let requests = server.metrics();
    let points = requests.iter().flat_map(|request| named(request, "operation.duration.seconds")).flat_map(histogram);
    let traces: BTreeSet<String> = points
        .flat_map(|point| &point.exemplars)
        .map(|exemplar| {
            let number = exemplar.trace_id.iter().fold(0, |number: u128, byte| number << 8 | u128::from(*byte));
            format!("{number:032x}")
        })
        .collect();
    assert_eq!(traces, BTreeSet::from([trace.to_owned()]));
    assert!(server.heads().iter().all(|head| head.ends_with("api-key: hunter2,")), "{:?}", server.heads());
    // The check of the endpoint sends a request of nothing.
    for body in server.bodies().iter().filter(|body| !body.is_empty()) {
        let body = String::from_utf8_lossy(body);
        assert!(body.contains("team") && !body.contains("hunter2") && !body.contains("ann.lee"), "{body}");
    }
}
