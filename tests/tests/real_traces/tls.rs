//! TLS, with an authority of one's own and with a certificate that is not trusted.

use obs_tests::certificates;
use obs_tests::process::{Finished, Process};
use obs_tests::servers::Jaeger;
use serde_json::Value;

use super::{PROTOCOLS, text, to};

fn warnings(ended: &Finished) -> Vec<String> {
    let lines = ended.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let messages = lines.map(|line| text(&line["message"]).to_owned());
    messages.filter(|message| message.starts_with("otlp_traces: ") || message.contains("_CERTIFICATE=")).collect()
}

#[test]
fn an_authority_can_be_trusted_and_a_rejected_certificate_is_one_clear_warning() {
    let folder = tempfile::tempdir().unwrap();
    certificates::make(folder.path());
    let jaeger = Jaeger::start_with_tls(folder.path());
    for protocol in PROTOCOLS {
        let job = |service: &str| {
            let service = format!("{service} over {protocol}");
            to(&jaeger, protocol, &service, Process::new(env!("CARGO_BIN_EXE_short-lived"))).args(&["return"])
        };
        let ended = job("trusted").env("OTEL_EXPORTER_OTLP_CERTIFICATE", folder.path().join("ca.pem")).run();
        assert_eq!((ended.code(), warnings(&ended)), (Some(0), vec![]), "{protocol}");
        let trace = text(&ended.log()[0]["trace_id"]).to_owned();
        assert_eq!(jaeger.wait_for_spans(&trace, 101).len(), 101, "{protocol}");

        let ended = job("not trusted").env("OBS_FLUSH_TIMEOUT", "5s").run();
        assert_eq!(ended.code(), Some(0), "{protocol}: {ended:?}");
        let warnings_of = warnings(&ended);
        let [warning] = &*warnings_of else { panic!("{protocol}: {ended:?}") };
        assert!(warning.contains("is not trusted") && warning.contains("OTEL_EXPORTER_OTLP_CERTIFICATE"), "{warning}");
        assert_eq!(jaeger.spans(text(&ended.log()[0]["trace_id"])), [] as [Value; 0]);

        let no_certificate = folder.path().join("names");
        let ended = job("no certificate")
            .env("OBS_FLUSH_TIMEOUT", "5s")
            .env("OTEL_EXPORTER_OTLP_CERTIFICATE", no_certificate)
            .run();
        assert_eq!(ended.code(), Some(0), "{protocol}: {ended:?}");
        assert!(warnings(&ended).iter().any(|line| line.contains("no certificate in PEM")), "{protocol}: {ended:?}");
    }
    assert_eq!(jaeger.services().len(), 2, "{:?}", jaeger.services());
}
