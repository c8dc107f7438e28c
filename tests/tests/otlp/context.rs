//! The context of requests: what is accepted, and what is passed on.

use std::collections::HashMap;

use obs_tests::process::Process;
use obs_tests::servers::OtlpServer;
use opentelemetry_proto::tonic::trace::v1::Span;

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Handles a request with these headers in a process with these variables. Returns what it passes on, and its span.
fn handled(headers: &[&str], variables: &[(&str, &str)]) -> (HashMap<String, String>, Span) {
    let server = OtlpServer::start();
    let program = Process::new(env!("CARGO_BIN_EXE_spans"))
        .args(&[&["context"], headers].concat())
        .env("LOG_LEVEL", "ERROR")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("TRACING_ENABLED", "true")
        .env("TRACING_SAMPLE_RATE", "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url());
    let ended = variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let pairs = ended.stdout.lines().filter_map(|line| line.split_once('='));
    let passed_on = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let span = server.spans().into_iter().find(|span| span.name == "handle").unwrap_or_else(|| panic!("{ended:?}"));
    (passed_on, span)
}

fn names(passed_on: &HashMap<String, String>) -> Vec<&str> {
    let mut names: Vec<_> = passed_on.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The trace id of a `traceparent`.
fn trace_id(traceparent: &str) -> &str {
    &traceparent[3..35]
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn a_trace_and_its_state_are_continued_exported_and_passed_on() {
    let caller = format!("TraceParent={CALLER}");
    let headers = [&*caller, "X-Correlation-Id=run-7", "tracestate=rojo=1", "tracestate=congo=2, vendor=a:b"];
    let environment =
        [("TRACEPARENT", CALLER), ("TRACESTATE", "rojo=1,congo=2,vendor=a:b"), ("OBS_CORRELATION_ID", "run-7")];
    for (headers, variables) in [(&headers[..], &[][..]), (&[], &environment)] {
        let (passed_on, span) = handled(headers, variables);
        let value = |name: &str| passed_on[name].as_str();
        assert_eq!(
            names(&passed_on),
            ["OBS_CORRELATION_ID", "TRACEPARENT", "TRACESTATE", "traceparent", "tracestate", "x-correlation-id"]
        );
        for (header, variable) in
            [("traceparent", "TRACEPARENT"), ("tracestate", "TRACESTATE"), ("x-correlation-id", "OBS_CORRELATION_ID")]
        {
            assert_eq!(value(header), value(variable));
        }
        assert_eq!((value("tracestate"), value("x-correlation-id")), ("rojo=1,congo=2,vendor=a:b", "run-7"));
        let span_id = hexadecimal(&span.span_id);
        assert_eq!(value("traceparent"), format!("00-{}-{span_id}-01", trace_id(CALLER)));
        assert_eq!(
            (hexadecimal(&span.parent_span_id).as_str(), &*span.trace_state),
            ("b7ad6b7169203331", "rojo=1,congo=2,vendor=a:b")
        );
    }
}

#[test]
fn a_state_without_its_trace_an_invalid_one_and_one_with_a_secret_go_nowhere() {
    let (valid, state) = (format!("traceparent={CALLER}"), "tracestate=rojo=1".to_owned());
    for headers in [
        vec![state.clone()],
        vec!["traceparent=00-0-0-01".to_owned(), state.clone()],
        // Which one is right?
        vec![valid.clone(), format!("traceparent={OTHER}"), state],
        vec![valid.clone(), "tracestate=Rojo".to_owned()],
        vec![valid, "tracestate=rojo=ann.lee+x@example.com".to_owned()],
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let (passed_on, span) = handled(&headers, &[]);
        assert!(
            !passed_on.contains_key("tracestate") && !passed_on.contains_key("TRACESTATE"),
            "{headers:?}: {passed_on:?}"
        );
        assert_eq!(span.trace_state, "", "{headers:?}");
    }
    // A process that was started in a trace, and a request in another one.
    let (passed_on, _) =
        handled(&[&format!("traceparent={OTHER}")], &[("TRACEPARENT", CALLER), ("TRACESTATE", "rojo=1")]);
    assert_eq!(trace_id(&passed_on["traceparent"]), trace_id(OTHER));
    assert!(!passed_on.contains_key("tracestate"), "{passed_on:?}");
}

#[test]
fn baggage_has_the_correlation_id_alone_and_only_if_it_is_asked_for() {
    let baggage = "baggage=user=ada, obs.correlation_id=run%2D7;ttl=1,key=value";
    let (passed_on, _) = handled(&[baggage], &[]);
    assert!(!passed_on.contains_key("baggage") && passed_on["x-correlation-id"] != "run-7", "{passed_on:?}");

    let asked = [("OTEL_PROPAGATORS", "tracecontext,baggage")];
    let (passed_on, _) = handled(&[baggage], &asked);
    assert_eq!((&*passed_on["baggage"], &*passed_on["x-correlation-id"]), ("obs.correlation_id=run-7", "run-7"));
    let (passed_on, _) = handled(&[baggage, "x-correlation-id=a,b"], &asked);
    assert_eq!((&*passed_on["BAGGAGE"], &*passed_on["OBS_CORRELATION_ID"]), ("obs.correlation_id=a%2Cb", "a,b"));
    let (passed_on, _) = handled(&[], &[asked[0], ("BAGGAGE", "obs.correlation_id=a%2Cb")]);
    assert_eq!(passed_on["x-correlation-id"], "a,b");
    for wrong in ["baggage=obs.correlation_id=%2", "baggage=obs.correlation_id=a%20b", "baggage=obs.correlation_id"] {
        assert_eq!(handled(&[wrong], &asked).0["x-correlation-id"].len(), 36, "{wrong}");
    }

    let (passed_on, span) =
        handled(&[&format!("traceparent={CALLER}"), "tracestate=a=1"], &[("OTEL_PROPAGATORS", "none")]);
    assert_eq!(names(&passed_on), ["OBS_CORRELATION_ID", "x-correlation-id"]);
    assert_ne!(hexadecimal(&span.trace_id), trace_id(CALLER));
}
