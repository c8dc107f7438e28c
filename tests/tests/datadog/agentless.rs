//! The API in place of an agent.

use std::collections::BTreeSet;
use std::time::Duration;

use obs_runtime::{Observability, ObservabilityBuilder, Secret};
use obs_tests::dogstatsd::{Agent, Message};
use obs_tests::exclusive;
use obs_tests::exposition::Labels;
use obs_tests::faults::{Fault, FaultyServer, UNKNOWN_HOST};
use obs_tests::process::{Finished, Process};
use obs_tests::servers::{API_KEY, DatadogApi};

use crate::content::failing;
use crate::{STEP, steps};

/// Sends to the API at this URL, at flushes only.
fn builder(url: &str) -> ObservabilityBuilder {
    Observability::builder()
        .without_environment()
        .service_name("etl")
        .environment("test")
        .version("1.2.3")
        .log_level(obs_runtime::Level::Critical)
        .prometheus_port(0)
        .datadog_enabled(true)
        .datadog_agentless(true)
        .datadog_api_key(Secret::new(API_KEY.to_owned()))
        .datadog_url(url)
        .datadog_hostname("box")
        .datadog_interval(Duration::from_hours(1))
        .flush_timeout(Duration::from_secs(20))
}

/// The job of a few milliseconds, with the API at this URL.
fn job(url: &str) -> Process {
    let job = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["return"]).env("PROMETHEUS_PORT", "0");
    let job = job.env("LOG_LEVEL", "WARNING").env("SERVICE_NAME", "etl").env("DD_HOSTNAME", "box");
    job.env("DATADOG_AGENTLESS", "true").env("DATADOG_API_KEY", API_KEY).env("DD_DD_URL", url)
}

fn dropped() -> u64 {
    obs_runtime::status().sink("datadog").map_or(0, |sink| sink.dropped.values().sum())
}

#[test]
fn the_api_gets_what_an_agent_gets() {
    let agent = Agent::udp();
    let by_agent = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["return"]).env("PROMETHEUS_PORT", "0");
    let by_agent = by_agent.env("LOG_LEVEL", "WARNING").env("SERVICE_NAME", "etl").env("DATADOG_ENABLED", "true");
    assert_eq!(by_agent.env("DD_DOGSTATSD_URL", agent.url()).run().code(), Some(0));
    let api = DatadogApi::start();
    let ended = job(&api.url()).run();
    assert_eq!((ended.code(), &*ended.stderr), (Some(0), ""));
    agent.wait_for("operation.success", &[("operation", "step")], 100.0);
    // Deliveries differ in what they say of themselves.
    let is_compared = |name: &str| !name.starts_with("obs.");
    let of_agent: BTreeSet<(String, String, Labels)> = agent
        .messages()
        .into_iter()
        .filter_map(|message| if let Message::Metric(metric) = message { Some(metric) } else { None })
        .map(|metric| (metric.name, metric.kind, metric.tags))
        .filter(|(name, ..)| is_compared(name))
        .collect();
    let of_api: BTreeSet<_> = api.identities().into_iter().filter(|(name, ..)| is_compared(name)).collect();
    assert_eq!(of_api, of_agent);
    assert!(of_api.len() > 10, "{of_api:?}");
    for (name, kind, tags) in &of_agent {
        let tags: Vec<_> = tags.iter().map(|(name, value)| (&**name, &**value)).collect();
        match &**kind {
            "c" => assert_eq!(api.sum(name, &tags), agent.count(name, &tags), "{name}{tags:?}"),
            "d" => {
                let values = api.observations(name, &tags);
                assert_eq!(u32::try_from(values.len()).map(f64::from), Ok(agent.count(name, &tags)), "{name}{tags:?}");
            }
            _ => {}
        }
    }
    // Those of the program have the same values in both runs.
    let rows = |values: &[f64]| values.iter().sum::<f64>();
    let of_agent: f64 =
        agent.metrics("short_lived.batch_rows", &[]).iter().map(obs_tests::dogstatsd::Metric::sum).sum();
    let of_api = rows(&api.observations("short_lived.batch_rows", &[]));
    assert!((of_api - of_agent).abs() < 1e-9 * of_agent && of_agent > 0.0, "{of_api}, not {of_agent}");
    let hosts: BTreeSet<_> = api
        .bodies("/api/v2/series")
        .iter()
        .flat_map(|body| body["series"].as_array().unwrap().clone())
        .map(|series| series["resources"][0]["name"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(hosts, BTreeSet::from([Some("box".to_owned())]));
}

#[test]
fn many_flushes_in_one_second_lose_nothing() {
    let _exclusive = exclusive::lock();
    let api = DatadogApi::start();
    let guard = builder(&api.url()).init().unwrap();
    for _ in 0..10 {
        steps(7);
        guard.flush();
    }
    drop(guard);
    assert_eq!(api.sum("operation.success", STEP), 70.0);
    assert_eq!(api.observations("operation.duration.seconds", STEP).len(), 70);
    assert_eq!(api.gauge("operation.active", STEP), Some(0.0));
}

#[test]
fn what_is_not_accepted_at_first_is_repeated_and_counts_once() {
    let _exclusive = exclusive::lock();
    let header = |text: &str| vec![text.to_owned()];
    for answers in [
        vec![(503, Vec::new())],
        vec![(500, Vec::new()), (408, Vec::new())],
        vec![(429, header("X-RateLimit-Reset: 1"))],
        vec![(429, header("Retry-After: 1"))],
    ] {
        let before = dropped();
        let api = DatadogApi::answering(answers.clone());
        let guard = builder(&api.url()).init().unwrap();
        steps(3);
        guard.flush();
        steps(4);
        drop(guard);
        assert_eq!(api.sum("operation.success", STEP), 7.0, "{answers:?}");
        assert_eq!(api.observations("operation.duration.seconds", STEP).len(), 7, "{answers:?}");
        assert_eq!(api.sum("obs.flush.failed", &[]), 0.0, "{answers:?}");
        let retried = api.requests().len() - api.accepted().len();
        assert_eq!((retried, dropped() - before), (answers.len(), 0), "{answers:?}");
        let sink = obs_runtime::status().sink("datadog").cloned().unwrap();
        assert!(sink.last_success.is_some() && sink.failure.is_none() && sink.queued == 0, "{sink:?}");
    }
}

#[test]
fn requests_that_are_too_large_are_halved() {
    let _exclusive = exclusive::lock();
    let before = dropped();
    let api = DatadogApi::limited_to(500);
    let guard = builder(&api.url()).init().unwrap();
    for number in 0..100 {
        obs_runtime::track_feature(format!("feature-{number}"));
    }
    steps(5);
    drop(guard);
    assert_eq!((api.sum("cli.feature.usage", &[]), api.sum("operation.success", STEP)), (100.0, 5.0));
    assert!(api.requests().len() > api.accepted().len());
    assert_eq!(dropped(), before);
}

#[test]
fn health_checks_and_failed_commands_arrive_with_the_tags_of_metrics() {
    let _exclusive = exclusive::lock();
    let api = DatadogApi::start();
    let guard = builder(&api.url()).datadog_command_events(true).init().unwrap();
    obs_runtime::run_health_checks().wait();
    assert!(failing("wrong").is_err());
    drop(guard);
    let checks = api.service_checks();
    let constant = ["service:etl", "env:test", "version:1.2.3"];
    let of = |name: &str| {
        let tag = format!("check:{name}");
        let has_tag = |check: &&serde_json::Value| check["tags"].as_array().unwrap().iter().any(|found| *found == *tag);
        checks.iter().find(has_tag).unwrap_or_else(|| panic!("{checks:?}"))
    };
    assert_eq!((&of("always_healthy")["status"], &of("always_healthy")["check"]), (&0.into(), &"health_check".into()));
    let database = of("database");
    assert_eq!((&database["status"], &database["host_name"]), (&2.into(), &"box".into()));
    assert_eq!(database["message"], "gone | m:away\nfor good");
    let events = api.events();
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&event["title"], &event["alert_type"]), (&"failing failed".into(), &"error".into()));
    assert_eq!((&event["aggregation_key"], &event["host"]), (&"failing".into(), &"box".into()));
    let text = event["text"].as_str().unwrap();
    assert!(text.contains("the wrong way\n|#a:b") && text.contains("correlation_id: "), "{text}");
    for tagged in [database, event] {
        let tags = tagged["tags"].as_array().unwrap();
        assert!(constant.iter().all(|tag| tags.iter().any(|found| found == tag)), "{tags:?}");
    }
}

/// What is dropped of the metrics of three calls, and why, while the API fails in this way.
fn fails(url: &str) -> (Vec<&'static str>, String) {
    let before = obs_runtime::status().sink("datadog").map(|sink| sink.dropped.clone()).unwrap_or_default();
    let guard = builder(url).flush_timeout(Duration::from_secs(2)).init().unwrap();
    steps(3);
    drop(guard);
    let sink = obs_runtime::status().sink("datadog").cloned().unwrap();
    let grown = sink.dropped.iter().filter(|(reason, count)| before.get(*reason).is_none_or(|earlier| earlier < count));
    (grown.map(|(reason, _)| *reason).collect(), sink.failure.unwrap_or_default())
}

#[test]
fn what_a_failing_api_does_not_accept_is_counted_by_reason_and_never_a_success() {
    let _exclusive = exclusive::lock();
    let answer = |status, headers: &[&str]| {
        let headers = headers.iter().map(|header| (*header).to_owned()).collect();
        Fault::Answer(status, headers, format!(r#"{{"errors":["no {API_KEY}"]}}"#))
    };
    for (fault, reason, says) in [
        (Fault::Refuse, "network", "cannot be reached"),
        (Fault::Hang, "network", "no answer within 2s (OBS_FLUSH_TIMEOUT)"),
        (Fault::NeverRead, "network", "no answer within 2s (OBS_FLUSH_TIMEOUT)"),
        (Fault::Trickle, "network", "no answer within 2s (OBS_FLUSH_TIMEOUT)"),
        (Fault::Garbage, "network", "cannot be reached"),
        (Fault::Close, "network", "cannot be reached"),
        (Fault::web_page(), "not_datadog", "a web page"),
        (Fault::Answer(200, Vec::new(), "ok".to_owned()), "not_datadog", "no JSON object"),
        (answer(202, &[]), "refused", "[REDACTED]"),
        (answer(400, &[]), "refused", "answers 400"),
        (answer(403, &[]), "forbidden", "DATADOG_API_KEY with DATADOG_SITE"),
        (answer(413, &[]), "too_large", "413"),
        (answer(429, &["X-RateLimit-Reset: 30"]), "rate_limited", "for 30 s"),
        (answer(500, &[]), "unavailable", "answers 500"),
        (answer(503, &["Retry-After: 30"]), "unavailable", "answers 503"),
        (answer(302, &["Location: http://127.0.0.1:9/"]), "refused", "answers 302"),
    ] {
        let server = FaultyServer::start(fault.clone());
        let (dropped, failure) = fails(&server.url(""));
        assert_eq!(dropped, [reason], "{fault:?}: {failure}");
        assert!(
            failure.contains(says) && failure.contains(server.url("").trim_end_matches('/')),
            "{fault:?}: {failure}"
        );
        assert!(!failure.contains(API_KEY), "{failure}");
    }
    let (dropped, failure) = fails(&format!("http://{UNKNOWN_HOST}"));
    assert!(dropped == ["network"] && failure.contains(UNKNOWN_HOST), "{dropped:?} {failure}");
}

#[test]
fn a_failing_api_delays_the_exit_by_one_deadline_at_most() {
    // Long enough that a busy machine is not mistaken for a wait.
    const DEADLINE: Duration = Duration::from_secs(8);
    let run = |fault: Fault| {
        let server = FaultyServer::start(fault.clone());
        let ended = job(&server.url("")).env("OBS_FLUSH_TIMEOUT", "8s").run();
        assert_eq!(ended.code(), Some(0), "{fault:?}: {ended:?}");
        assert_eq!(ended.stderr.matches("failed to flush exporter datadog").count(), 1, "{fault:?}: {ended:?}");
        assert!(ended.duration < 2 * DEADLINE, "{fault:?} took {:?}", ended.duration);
    };
    std::thread::scope(|scope| {
        for fault in Fault::all().into_iter().chain([Fault::web_page()]) {
            scope.spawn(move || run(fault));
        }
    });
}

#[test]
fn the_api_needs_a_key_and_a_platform_without_an_agent_is_told_in_one_message() {
    let without_key =
        Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["return"]).env("DATADOG_AGENTLESS", "true");
    let ended = without_key.env("PROMETHEUS_PORT", "0").run();
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("there is no DATADOG_API_KEY;") && ended.stderr.contains("required if DATADOG_AGENTLESS"),
        "{ended:?}"
    );
    let on_cloud_run = |url: &str, key: &str, more: &[(&str, &str)]| {
        let job = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["return"]).env("PROMETHEUS_PORT", "0");
        let job = job.env("K_SERVICE", "loader").env("DATADOG_ENABLED", "true").env("DATADOG_API_KEY", key);
        let job = job.env("DD_AGENT_HOST", "127.0.0.1").env("DD_DOGSTATSD_PORT", "9").env("DD_URL", url);
        more.iter().fold(job.env("LOG_LEVEL", "WARNING"), |job, (name, value)| job.env(name, value)).run()
    };
    let about = |ended: &Finished| {
        let lines = ended.stderr.lines().filter(|line| line.contains("this is Cloud Run (K_SERVICE is set)"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let api = DatadogApi::start();
    let ended = on_cloud_run(&api.url(), API_KEY, &[]);
    let said = about(&ended);
    assert!(said.len() == 1 && said[0].contains(&format!("its API at {} gets all", api.url())), "{ended:?}");
    assert!(!ended.stderr.contains(API_KEY) && ended.stderr.lines().count() == 1, "{ended:?}");
    assert_eq!(api.sum("operation.success", STEP), 100.0);
    let api = DatadogApi::start();
    let ended = on_cloud_run(&api.url(), "", &[]);
    assert!(about(&ended).len() == 1 && about(&ended)[0].contains("Datadog gets nothing"), "{ended:?}");
    for decided in ["true", "false"] {
        let ended = on_cloud_run(&api.url(), API_KEY, &[("DATADOG_AGENTLESS", decided)]);
        assert_eq!(about(&ended), [""; 0], "{ended:?}");
    }
    assert_eq!(api.sum("operation.success", STEP), 100.0, "of the one that asked for it");
}
