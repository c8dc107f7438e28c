//! `doctor` finds out what does not work and says what to do: the configuration, the machine, the port, and each backend, also
//! those that are absent, refuse or hang.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::ports;
use obs_tests::process::{Finished, Process};
use obs_tests::programs;
use obs_tests::servers::{API_KEY, DatadogApi, OtlpServer, SentryServer};
use serde_json::Value;

/// How long `doctor` waits for each backend here.
const TIMEOUT: &str = "1s";

/// `doctor` of a program that is well configured, but for what the test adds.
fn doctor(arguments: &[&str]) -> Process {
    let process = Process::new(programs::program("embedded"));
    let timeout: &[&str] = if arguments.contains(&"--timeout") { &[] } else { &["--timeout", TIMEOUT] };
    let process = process.args(&[&["doctor", "--format", "json"], timeout, arguments].concat());
    process.env("SERVICE_NAME", "orders").env("TZ", "UTC").env("OBS_STATE_DIR", std::env::temp_dir())
}

fn with(process: Process, variables: &[(&str, &str)]) -> Process {
    variables.iter().fold(process, |process, (name, value)| process.env(name, value))
}

/// The findings about a subject: status, message and advice.
fn about(found: &Finished, subject: &str) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = found.json();
    let findings = all["findings"].as_array().unwrap().iter().filter(|finding| finding["subject"] == subject);
    findings.map(|finding| (text(&finding["status"]), text(&finding["message"]), text(&finding["advice"]))).collect()
}

fn one(found: &Finished, subject: &str) -> (String, String, String) {
    let mut findings = about(found, subject);
    assert_eq!(findings.len(), 1, "{subject}: {found:?}");
    findings.remove(0)
}

/// Whether nothing is wrong but that the schedules of the program are in several time zones, which no machine is in.
fn works(found: &Finished) -> bool {
    let all = found.json();
    let is_wrong = |finding: &&Value| finding["status"] != "ok" && finding["status"] != "off";
    let wrong = all["findings"].as_array().unwrap().iter().filter(is_wrong);
    found.code() == Some(1) && wrong.map(|finding| &finding["subject"]).eq(["time zones"])
}

#[test]
fn a_program_that_works_has_no_problem() {
    let found = doctor(&[]).run();
    assert!(works(&found), "{found:?}");
    let all = found.json();
    assert_eq!((&all["status"], &all["initialised"]), (&"warning".into(), &true.into()));
    assert_eq!((&all["service"], &all["version"]), (&"orders".into(), &"1.2.3".into()));
    assert!(all["features"].as_array().unwrap().contains(&"cli".into()), "{all}");
    for subject in ["build", "configuration", "inventory", "metrics endpoint", "clock", "state folder"] {
        assert_eq!(one(&found, subject).0, "ok", "{subject}: {found:?}");
    }
    let (_, inventory, _) = one(&found, "inventory");
    assert_eq!(
        inventory, "6 commands, 0 other functions, 2 health checks, 4 data-quality checks are linked",
        "those of the catalogue"
    );
    for subject in ["log file", "textfile", "pushgateway", "datadog agent", "sentry", "otlp traces", "TLS roots"] {
        assert_eq!(one(&found, subject).0, "off", "{subject}: {found:?}");
    }
    // Without any backend, no warning says that no health check was run.
    let found = with(doctor(&[]), &[("METRICS_ENABLED", "false")]).run();
    assert!(works(&found) && found.stderr.is_empty(), "{found:?}");
    let process = Process::new(programs::program("embedded")).args(&["doctor"]);
    let text = with(process, &[("SERVICE_NAME", "orders"), ("TZ", "UTC"), ("HOME", "/tmp")]).run();
    assert!(text.stdout.starts_with("warning (orders 1.2.3, dev)\n\nstatus   subject "), "{text:?}");
    assert!(
        text.stdout.ends_with("\nNothing was sent: --send sends a test event through each exporter.\n"),
        "{text:?}"
    );
}

/// The variables that make a backend of an address, and the subjects of what is found about it.
fn backends(address: &str) -> [(&'static str, Vec<(&'static str, String)>); 3] {
    let set = |name, value: &str| (name, value.to_owned());
    [
        ("sentry", vec![set("SENTRY_ENABLED", "true"), ("SENTRY_DSN", format!("http://k3y@{address}/1"))]),
        ("pushgateway", vec![("PROMETHEUS_PUSHGATEWAY_URL", format!("http://ada:hunter2@{address}"))]),
        (
            "otlp traces",
            vec![set("TRACING_ENABLED", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"))],
        ),
    ]
}

#[test]
fn a_backend_that_is_absent_refuses_or_hangs_is_a_problem_in_bounded_time() {
    let faults = [
        (Fault::Refuse, "refused"),
        (Fault::Hang, "1s"),
        (Fault::Trickle, "1s"),
        (Fault::internal_error(), "500"),
        (Fault::Answer(401, Vec::new(), "who are you?".to_owned()), "401"),
        (Fault::web_page(), ""),
        (Fault::Garbage, ""),
        (Fault::Close, ""),
    ];
    for (fault, cause) in faults {
        let server = FaultyServer::start(fault.clone());
        let all = backends(&server.address().to_string());
        let variables: Vec<_> = all.iter().flat_map(|(_, variables)| variables).collect();
        let process = variables.iter().fold(doctor(&[]), |process, (name, value)| process.env(name, value));
        let found = process.env("OBS_FLUSH_TIMEOUT", "500ms").run();
        assert_eq!(found.code(), Some(2), "{fault:?}: {found:?}");
        // All at once; the flush of the guard, too.
        assert!(found.duration < Duration::from_secs(10), "{fault:?}: {:?}", found.duration);
        for (subject, _) in &all {
            let (status, message, advice) = one(&found, subject);
            assert_eq!(status, "problem", "{fault:?}, {subject}: {message}");
            assert!(message.contains(cause), "{fault:?}, {subject}: {message}");
            assert!(!advice.is_empty(), "{fault:?}, {subject}");
        }
        for secret in ["hunter2", "k3y"] {
            assert!(!found.stdout.contains(secret), "{fault:?}: {found:?}");
        }
    }
}

#[test]
fn a_server_that_limits_the_rate_is_a_warning() {
    let server = FaultyServer::start(Fault::too_many_requests(30));
    let [sentry, _, otlp] = backends(&server.address().to_string());
    for (subject, variables) in [sentry, otlp] {
        let process = variables.iter().fold(doctor(&[]), |process, (name, value)| process.env(name, value));
        let found = process.run();
        assert_eq!((found.code(), &*one(&found, subject).0), (Some(1), "warning"), "{found:?}");
    }
}

#[test]
fn backends_that_answer_are_ok_and_the_clock_is_compared_with_theirs() {
    let healthy = |date: &str| FaultyServer::start(Fault::Answer(200, vec![format!("Date: {date}")], String::new()));
    let now = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&jiff::Timestamp::now()).unwrap();
    for (date, status, says) in
        [(&*now, "ok", ", as at "), ("Wed, 21 Oct 2099 07:28:00 GMT", "problem", "s behind the clock of ")]
    {
        let server = healthy(date);
        let all = backends(&server.address().to_string());
        let variables = all.iter().flat_map(|(_, variables)| variables);
        let found = variables.fold(doctor(&[]), |process, (name, value)| process.env(name, value)).run();
        for (subject, _) in &all {
            assert_eq!(one(&found, subject).0, "ok", "{found:?}");
        }
        let (_, traces, _) = one(&found, "otlp traces");
        assert!(traces.ends_with("; 10 % of the traces are sent (TRACING_SAMPLE_RATE)"), "{traces}");
        let (found_status, message, advice) = one(&found, "clock");
        assert!(message.contains(says), "{message}");
        assert_eq!((&*found_status, advice.is_empty()), (status, status == "ok"));
    }
}

#[test]
fn a_datadog_agent_that_is_not_there_is_a_problem() {
    let port = ports::free().to_string();
    let found =
        with(doctor(&[]), &[("DATADOG_ENABLED", "true"), ("DD_AGENT_HOST", "127.0.0.1"), ("DD_DOGSTATSD_PORT", &port)]);
    let (status, message, advice) = one(&found.run(), "datadog agent");
    assert_eq!(status, "problem");
    assert!(message.starts_with("no Datadog agent listens at udp://127.0.0.1:"), "{message}");
    assert!(advice.contains("DD_AGENT_HOST"), "{advice}");
}

#[test]
fn datadogs_api_is_asked_for_the_key_and_confirms_the_test_event() {
    let api = DatadogApi::start();
    let url = api.url();
    let asked = |key: &str, arguments: &[&str]| {
        let settings = [("DATADOG_AGENTLESS", "true"), ("DATADOG_API_KEY", key), ("DD_DD_URL", &*url)];
        with(doctor(arguments), &settings).env("OBS_FLUSH_TIMEOUT", "20s").run()
    };
    let found = asked(API_KEY, &["--send"]);
    let (status, message, _) = one(&found, "send to datadog");
    assert_eq!((&*status, &*message), ("ok", "accepted operation.success{operation:obs.doctor}"), "{found:?}");
    assert_eq!(one(&found, "datadog api").0, "ok", "{found:?}");
    assert_eq!(about(&found, "datadog agent"), [], "{found:?}");
    assert_eq!(api.sum("operation.success", &[("operation", "obs.doctor")]), 1.0);
    let found = asked("another0key", &["--send"]);
    for subject in ["datadog api", "send to datadog"] {
        let (status, message, _) = one(&found, subject);
        assert!(status == "problem" && message.contains("compare DATADOG_API_KEY with DATADOG_SITE"), "{message}");
    }
    let (_, _, advice) = one(&found, "datadog api");
    assert!(advice.contains("DATADOG_API_KEY") && advice.contains("DATADOG_SITE"), "{advice}");
    assert!(!format!("{found:?}").contains("another0key") && !format!("{found:?}").contains(API_KEY));
}

#[test]
fn doctor_and_config_tell_why_obs_was_not_initialised() {
    let wrong = [("LOG_FORMAT", "jsno"), ("OBS_MAX_SERIES", "none"), ("PROMETHEUS_PORT", "tcp://10.0.0.1:8000")];
    let found = with(doctor(&[]), &wrong).run();
    assert_eq!((found.code(), &found.json()["initialised"]), (Some(2), &false.into()), "{found:?}");
    let problems = about(&found, "configuration");
    for part in ["LOG_FORMAT: `jsno`", "OBS_MAX_SERIES: `none`", "PROMETHEUS_PORT: `tcp:"] {
        let of_it = problems.iter().find(|(status, message, _)| status == "problem" && message.contains(part));
        let (_, _, advice) = of_it.unwrap_or_else(|| panic!("{part}: {problems:?}"));
        assert_eq!(part.starts_with("PROMETHEUS_PORT"), advice.contains("enableServiceLinks"), "{advice}");
    }
    // What the program itself sets, and a file that cannot be opened.
    let file = Path::new("/proc/no/such/folder/job.log").display().to_string();
    for (name, value, part) in [("TEST_RATE", "7", "TRACING_SAMPLE_RATE: `7`"), ("LOG_FILE", &*file, &*file)] {
        let found = with(doctor(&[]), &[(name, value)]).run();
        assert_eq!((found.code(), &found.json()["initialised"]), (Some(2), &false.into()), "{found:?}");
        assert!(about(&found, "configuration")[0].1.contains(part), "{found:?}");
        let config = Process::new(programs::program("embedded")).args(&["config"]).env(name, value).run();
        assert_eq!(config.code(), Some(3), "{config:?}");
        assert!(config.stderr.contains(part), "{config:?}");
    }
    // Backends are asked all the same, and get the test event.
    let gateway = FaultyServer::start(Fault::Answer(200, Vec::new(), String::new()));
    let process = with(doctor(&["--send"]), &wrong);
    let found = process.env("PROMETHEUS_PUSHGATEWAY_URL", gateway.url("")).run();
    for subject in ["pushgateway", "send to pushgateway"] {
        assert_eq!(one(&found, subject).0, "ok", "{found:?}");
    }
}

#[test]
fn what_is_valid_and_not_meant_is_a_warning() {
    let odd = [("OBS_MAX_SERIS", "5"), ("SENTRY_DSN", "http://k@localhost/1"), ("SSL_CERT_FILE", "/etc/ca.pem")];
    let https = [("OTEL_METRICS_EXPORTER", "otlp"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:1")];
    let found = with(with(doctor(&[]), &odd), &https).env("SERVICE_NAME", "").env("TZ", "Europe/Berlin").run();
    let warnings = about(&found, "configuration");
    for part in ["did you mean OBS_MAX_SERIES?", "SENTRY_DSN has no effect", "no name of its own"] {
        let is_found = warnings
            .iter()
            .any(|(status, message, advice)| status == "warning" && message.contains(part) && !advice.is_empty());
        assert!(is_found, "{part}: {warnings:?}");
    }
    let (status, message, advice) = one(&found, "time zones");
    assert!(status == "warning" && message.contains("the schedule of "), "{message}");
    assert!(message.contains("Europe/Berlin") && advice.contains("CRON_TZ="), "{message}: {advice}");
    assert_eq!(one(&found, "TLS roots").0, "warning", "{found:?}");
    // A secret that is missing is not one that is hidden.
    let found = with(doctor(&[]), &[("SENTRY_ENABLED", "true")]).run();
    assert!(about(&found, "configuration")[0].1.starts_with("there is no SENTRY_DSN; allowed: the DSN"), "{found:?}");
    let found = with(doctor(&[]), &[("OBS_ENABLED", "false"), ("SERVICE_NAME", "")]).run();
    assert!(one(&found, "configuration").1.starts_with("OBS_ENABLED=false: "), "{found:?}");
    assert_eq!(about(&found, "initialisation"), [], "{found:?}");
    // Two checks of one name.
    let found = with(doctor(&[]), &[("TEST_TWICE", "1")]).run();
    assert!(about(&found, "inventory").iter().any(|(status, ..)| status == "problem"), "{found:?}");
}

#[test]
fn the_owner_of_the_port_is_named() {
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = |port: u16| with(doctor(&[]), &[("TEST_PORT", &*port.to_string())]).run();
    let found = at(stranger.local_addr().unwrap().port());
    let (status, message, advice) = one(&found, "metrics endpoint");
    assert!(status == "warning" && message.contains("in use") && advice.contains("PROMETHEUS_PORT=0"), "{found:?}");
    for (build, status, says) in [
        ("service=\"orders\",version=\"1.2.3\"", "ok", "another process of orders 1.2.3 answers"),
        ("service=\"orders\",version=\"1.2.2\"", "warning", "orders 1.2.2 answers"),
        ("service=\"returns\",version=\"1.2.3\"", "warning", "of the service `returns`"),
    ] {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let body = format!("# TYPE obs_build_info gauge\nobs_build_info{{{build}}} 1\n");
        std::thread::spawn(move || {
            for mut stream in other.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                let head = "HTTP/1.1 200 OK\r\nObs-Instance: 0\r\nConnection: close\r\n";
                let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
            }
        });
        let found = at(port);
        let (found_status, message, _) = one(&found, "metrics endpoint");
        assert_eq!(found_status, status, "{message}");
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn folders_that_cannot_be_written_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let textfiles = folder.path().join("textfiles");
    let found = doctor(&[]).env("PROMETHEUS_TEXTFILE_DIR", &textfiles).run();
    let (status, _, advice) = one(&found, "textfile");
    assert!(status == "warning" && advice.contains("PROMETHEUS_TEXTFILE_DIR"), "it is made at the flush: {found:?}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let found = doctor(&[]).env("PROMETHEUS_TEXTFILE_DIR", &file).run();
    let (status, message, _) = one(&found, "textfile");
    assert!(status == "problem" && message.contains(&file.display().to_string()), "{found:?}");
    let log = folder.path().join("logs/job.log");
    let found = doctor(&["--send"]).env("PROMETHEUS_TEXTFILE_DIR", &textfiles).env("LOG_FILE", &log).run();
    for subject in ["textfile", "log file", "send to textfile", "send to log"] {
        assert_eq!(one(&found, subject).0, "ok", "{subject}: {found:?}");
    }
    assert!(std::fs::read_to_string(log).unwrap().contains("a test event of `doctor`"));
    let written = std::fs::read_to_string(textfiles.join("orders.prom")).unwrap();
    assert!(written.contains("operation_success_total{") && written.contains("operation=\"obs.doctor\""), "{written}");
}

#[test]
fn the_test_event_is_sent_only_when_asked_for_and_its_delivery_is_true() {
    let (sentry, otlp) = (SentryServer::start(), OtlpServer::start());
    let dsn = sentry.dsn();
    let settings = |process| {
        let all = [
            ("SENTRY_ENABLED", "true"),
            ("SENTRY_DSN", &*dsn),
            ("TRACING_ENABLED", "true"),
            ("OTEL_METRICS_EXPORTER", "otlp"),
            ("OTEL_LOGS_EXPORTER", "otlp"),
            ("OBS_FLUSH_TIMEOUT", "30s"),
            ("TRACING_SAMPLE_RATE", "0"),
        ];
        with(process, &all).env("OTEL_EXPORTER_OTLP_ENDPOINT", otlp.url())
    };
    let found = settings(doctor(&[])).run();
    assert!(works(&found), "{found:?}");
    assert_eq!((sentry.items("event").len(), otlp.spans().len(), otlp.logs().len()), (0, 0, 0), "{found:?}");
    let found = settings(doctor(&["--send"])).run();
    assert!(works(&found), "{found:?}");
    let (status, message, _) = one(&found, "send to sentry");
    let event = sentry.items("event").pop().unwrap();
    let id = event["event_id"].as_str().unwrap();
    assert_eq!((&*status, &*message), ("ok", &*format!("accepted the event {id}")));
    assert_eq!(event["logentry"]["message"], "a test event of `doctor`", "{event}");
    for subject in ["send to otlp traces", "send to otlp metrics", "send to otlp logs", "send to log"] {
        assert_eq!(one(&found, subject).0, "ok", "{subject}: {found:?}");
    }
    assert!(otlp.spans().iter().any(|span| span.name == "obs.doctor"), "{found:?}");
    assert!(!otlp.logs().is_empty() && !otlp.metrics().is_empty());
    // A server that answers the question, and not the event.
    let found = with(doctor(&["--send"]), &[("SENTRY_ENABLED", "true"), ("OBS_FLUSH_TIMEOUT", "500ms")]);
    let refusing = FaultyServer::start(Fault::internal_error());
    let found = found.env("SENTRY_DSN", format!("http://k@{}/1", refusing.address())).run();
    let (status, message, _) = one(&found, "send to sentry");
    assert!(status == "problem" && message.contains("500"), "{message}");
}

#[test]
#[cfg(feature = "real")]
fn real_servers_accept_the_test_event() {
    use obs_tests::servers::{Bugsink, Collector, Pushgateway, StatsdExporter};

    let folder = tempfile::tempdir().unwrap();
    let (bugsink, collector, gateway) = (Bugsink::start(), Collector::start(), Pushgateway::start());
    let agent = StatsdExporter::start(folder.path());
    let project = bugsink.project();
    let port = agent.udp_port().to_string();
    let settings = [
        ("SENTRY_ENABLED", "true"),
        ("SENTRY_DSN", &*bugsink.dsn(&project)),
        ("PROMETHEUS_PUSHGATEWAY_URL", &*gateway.url()),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.http_url()),
        ("DATADOG_ENABLED", "true"),
        ("DD_AGENT_HOST", "127.0.0.1"),
        ("DD_DOGSTATSD_PORT", &*port),
        ("OBS_FLUSH_TIMEOUT", "30s"),
    ];
    let found = with(doctor(&["--send", "--timeout", "20s"]), &settings).run();
    assert!(found.code().is_some_and(|code| code < 2), "{found:?}");
    let (status, message, _) = one(&found, "send to sentry");
    let events = bugsink.events(&project, 1);
    let id = events[0]["event_id"].as_str().unwrap().replace('-', "");
    assert_eq!((&*status, message.contains(&id)), ("ok", true), "{message}, {events:?}");
    for subject in [
        "sentry",
        "pushgateway",
        "otlp metrics",
        "otlp logs",
        "datadog agent",
        "send to pushgateway",
        "send to datadog",
    ]
    .into_iter()
    .chain(["send to otlp metrics", "send to otlp logs"])
    {
        assert_eq!(one(&found, subject).0, "ok", "{subject}: {found:?}");
    }
    let pushed = gateway.samples();
    let count = |samples: &obs_tests::exposition::Samples| {
        samples.sum("operation_success_total", &[("operation", "obs.doctor")])
    };
    assert_eq!(count(&pushed), Some(1.0));
    assert!(collector.metrics().contains("operation=\"obs.doctor\""), "{}", collector.metrics());
    agent.wait_for("operation_success", &[("operation", "obs.doctor")], 1.0);
}
