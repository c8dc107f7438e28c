//! Datadog gets what was measured: everything, once, in a few packets, over each kind of socket, and nobody waits for it.
//!
//! The agent here reads strictly, as its documentation has it; `real_datadog` asks real readers.
#![cfg(unix)]

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use obs_runtime::snapshot::{SeriesValue, Snapshot};
use obs_runtime::{
    Observability, ObservabilityBuilder, QueryStatistics, health_check, track_performance, tracked_command,
};
use obs_tests::agent::Agent;
use obs_tests::dogstatsd::Metric;
use obs_tests::process::{Finished, Process};
use obs_tests::wait;

/// Only one of these tests at a time: obs is initialised once for the process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends to that agent at flushes only.
fn to(url: &str) -> ObservabilityBuilder {
    Observability::builder()
        .without_environment()
        .service_name("etl")
        .environment("test")
        .version("1.2.3")
        .log_level(obs_runtime::Level::Critical)
        .prometheus_port(0)
        .datadog_enabled(true)
        .datadog_agent(url.parse().unwrap())
        .datadog_interval(Duration::from_hours(1))
}

#[track_performance]
fn step(number: u32) -> u32 {
    number
}

const STEP: &[(&str, &str)] = &[("operation", "step")];

fn steps(number: u32) {
    for number in 0..number {
        step(number);
    }
}

#[tracked_command]
fn failing(way: &str) -> Result<(), String> {
    Err(format!("the {way} way\n|#a:b"))
}

#[health_check]
fn database() -> Result<(), String> {
    Err("gone | m:away\nfor good".to_owned())
}

#[health_check]
fn always_well() {}

/// Runs a job that sends to that URL.
fn job(program: &str, way: &str, url: &str) -> Finished {
    let job = Process::new(program).args(&[way]).env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "CRITICAL");
    job.env("DATADOG_ENABLED", "true").env("DD_DOGSTATSD_URL", url).run()
}

/// An agent of each kind.
fn agents(folder: &Path) -> [Agent; 3] {
    [Agent::udp(), Agent::datagram(&folder.join("datagram")), Agent::stream(&folder.join("stream"))]
}

#[test]
fn nothing_is_lost_by_any_ending_over_any_socket() {
    let folder = tempfile::tempdir().unwrap();
    for agent in agents(folder.path()) {
        for way in ["return", "error", "panic", "exit", "process-exit", "TERM", "INT"] {
            let ended = job(env!("CARGO_BIN_EXE_short-lived"), way, agent.url());
            let told = format!("{way} to {}: {}", agent.url(), ended.stderr);
            agent.wait_for("operation.duration.seconds", STEP, 100.0);
            assert_eq!(agent.count("operation.success", STEP), 100.0, "{told}");
            assert_eq!(agent.count("short_lived.rows", &[("table", "users")]), 100.0, "{told}");
            assert_eq!(agent.count("short_lived.batch_rows", &[]), 100.0, "{told}");
            let rows: f64 = agent.metrics("short_lived.batch_rows", &[]).iter().map(Metric::sum).sum();
            assert!((rows - 4950.0).abs() < 1e-6, "{rows}: {told}");
            assert_eq!(agent.count("cli.command.started", &[("command", "short-lived")]), 1.0, "{told}");
            agent.forget();
        }
    }
}

#[test]
fn a_million_calls_are_a_few_packets() {
    let _alone = alone();
    let agent = Agent::udp();
    let guard = to(agent.url()).init().unwrap();
    steps(1_000_000);
    drop(guard);
    agent.wait_for("operation.duration.seconds", STEP, 1e6);
    assert_eq!(agent.count("operation.success", STEP), 1e6);
    assert!(agent.packets().len() <= 5, "{} packets", agent.packets().len());
    assert!(agent.packets().iter().all(|packet| packet.len() <= 1432));
}

#[test]
fn what_was_sent_is_not_sent_again_and_a_new_guard_begins_where_the_last_one_ended() {
    let _alone = alone();
    let agent = Agent::udp();
    for round in 1..=3_u8 {
        let guard = to(agent.url()).init().unwrap();
        steps(10);
        guard.flush();
        guard.flush();
        steps(7);
        drop(guard);
        // Nobody counts now.
        steps(1000);
        agent.wait_for("operation.success", STEP, 17.0 * f64::from(round));
        assert_eq!(agent.count("operation.duration.seconds", STEP), 17.0 * f64::from(round));
    }
}

#[test]
fn it_is_sent_at_an_interval_too() {
    let _alone = alone();
    let agent = Agent::udp();
    let _guard = to(agent.url()).datadog_interval(Duration::from_millis(30)).init().unwrap();
    steps(10);
    agent.wait_for("operation.success", STEP, 10.0);
    steps(5);
    agent.wait_for("operation.success", STEP, 15.0);
    let last = wait::until("the next one has noted the last one", Duration::from_secs(30), || {
        agent.metrics("obs.last_success.timestamp.seconds", &[("sink", "datadog")]).pop()
    });
    assert_eq!(last.kind, "g");
    assert!(obs_runtime::status().sink("datadog").is_some_and(|sink| sink.last_success.is_some()));
}

#[test]
fn nothing_is_lost_or_doubled_while_many_count_and_it_is_being_sent() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::datagram(&folder.path().join("datagram"));
    let guard = to(agent.url()).datadog_interval(Duration::from_millis(10)).init().unwrap();
    let seconds = |measured: &Snapshot| {
        let durations = measured.family("operation.duration.seconds").into_iter().flat_map(|found| &found.series);
        let of_step = durations.filter(|series| series.labels.iter().any(|(_, value)| value == "step"));
        of_step.map(|series| if let SeriesValue::Histogram { sum, .. } = series.value { sum } else { 0.0 }).sum::<f64>()
    };
    let before = seconds(&obs_runtime::metrics());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..50_000 {
                    step(number);
                    metrics::counter!("many.rows").increment(2);
                    metrics::histogram!("many.sizes").record(f64::from(number % 100));
                }
            });
        }
        scope.spawn(|| (0..20).for_each(|_| guard.flush()));
    });
    let after = seconds(&obs_runtime::metrics());
    drop(guard);
    agent.wait_for("operation.success", STEP, 200_000.0);
    assert_eq!(agent.count("operation.duration.seconds", STEP), 200_000.0);
    assert_eq!((agent.count("many.rows", &[]), agent.count("many.sizes", &[])), (400_000.0, 200_000.0));
    let sum = |name: &str, tags: &[(&str, &str)]| agent.metrics(name, tags).iter().map(Metric::sum).sum::<f64>();
    let (told, measured) = (sum("operation.duration.seconds", STEP), after - before);
    assert!((told - measured).abs() <= measured * 1e-6, "{told} s of {measured} s");
    let sizes = sum("many.sizes", &[]);
    assert!((sizes - 9_900_000.0).abs() < 1e-3, "{sizes}");
}

#[test]
fn the_last_observations_of_what_is_rare_are_told_exactly() {
    let _alone = alone();
    let agent = Agent::udp();
    let guard = to(agent.url()).init().unwrap();
    let query = |bytes_processed| QueryStatistics { bytes_processed, ..QueryStatistics::default() };
    let bytes = [5_000_000_000, 20_000_000, 7_000_000_000, 7];
    for bytes in bytes {
        obs_runtime::track_query_performance("select", &query(bytes));
    }
    guard.flush();
    let told = || -> Vec<f64> {
        let metrics = agent.metrics("bigquery.query.bytes_processed", &[("query_type", "select")]);
        metrics.into_iter().flat_map(|metric| metric.values).collect()
    };
    wait::until("they come", Duration::from_secs(30), || (told().len() == 4).then_some(()));
    assert_eq!(told(), [5e9, 2e7, 7e9, 7.0]);
    // Of many, count and sum stay exact.
    agent.forget();
    for bytes in 1..=100 {
        obs_runtime::track_query_performance("select", &query(bytes * 1_000_000));
    }
    drop(guard);
    agent.wait_for("bigquery.query.bytes_processed", &[], 100.0);
    let metrics = agent.metrics("bigquery.query.bytes_processed", &[]);
    assert_eq!(metrics.iter().map(Metric::sum).sum::<f64>().round(), 5.05e9);
}

#[test]
fn everything_bears_service_env_and_version_and_whose_it_is() {
    let _alone = alone();
    let agent = Agent::udp();
    let guard =
        to(agent.url()).datadog_service("loader").datadog_env("prod").datadog_entity_id("a-pod").init().unwrap();
    steps(1);
    obs_runtime::run_health_checks().wait();
    drop(guard);
    agent.wait_for("operation.success", STEP, 1.0);
    let constant = [("service", "loader"), ("env", "prod"), ("version", "1.2.3"), ("dd.internal.entity_id", "a-pod")];
    for name in agent.names() {
        assert_eq!(agent.metrics(&name, &[]), agent.metrics(&name, &constant), "{name}");
        // The one or the other says whose it is.
        assert!(agent.metrics(&name, &[]).iter().all(|metric| metric.container.is_none()));
    }
    for check in agent.service_checks() {
        assert!(constant.iter().all(|(name, value)| check.tags.get(*name).is_some_and(|is| is == value)), "{check:?}");
    }
}

#[test]
fn health_checks_are_service_checks() {
    let _alone = alone();
    let agent = Agent::udp();
    let guard = to(agent.url()).init().unwrap();
    obs_runtime::run_health_checks().wait();
    drop(guard);
    agent.wait_for("health_check.status", &[("check", "always_well")], 1.0);
    let checks = agent.service_checks();
    let check =
        |name: &str| checks.iter().find(|check| check.tags["check"] == name).unwrap_or_else(|| panic!("{checks:?}"));
    assert_eq!((check("always_well").status, &*check("always_well").name), (0, "health_check"));
    assert_eq!(check("database").status, 2);
    assert_eq!(check("database").message.as_deref(), Some("gone / m\\:away\\nfor good"));
    assert!(check("database").time.is_some_and(|time| time > 1_700_000_000));
}

#[test]
fn a_failed_command_is_an_event_where_asked() {
    let _alone = alone();
    let agent = Agent::udp();
    for (asked, events) in [(false, 0), (true, 1)] {
        let guard = to(agent.url()).datadog_command_events(asked).init().unwrap();
        assert!(failing("wrong").is_err());
        drop(guard);
        agent.wait_for("cli.command.failure", &[("command", "failing")], 1.0);
        let found = agent.events();
        assert_eq!(found.len(), events, "{found:?}");
        agent.forget();
        let Some(event) = found.first() else { continue };
        assert_eq!((&*event.title, event.alert.as_deref()), ("failing failed", Some("error")));
        assert!(event.text.contains("the wrong way\n|#a:b") && event.text.contains("correlation_id: "), "{event:?}");
        assert_eq!(
            (&*event.tags["command"], &*event.tags["outcome"], event.key.as_deref()),
            ("failing", "error", Some("failing"))
        );
    }
}

/// Starts an agent where one was.
type Again<'a> = Box<dyn Fn() -> Agent + 'a>;

#[test]
fn an_agent_that_comes_back_gets_what_came_meanwhile() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (datagram, stream) = (folder.path().join("datagram"), folder.path().join("stream"));
    let udp = Agent::udp();
    let port = udp.url().rsplit(':').next().unwrap().parse().unwrap();
    let agents: [(Agent, Again<'_>); 3] = [
        (udp, Box::new(|| Agent::udp_at(port))),
        (Agent::datagram(&datagram), Box::new(|| Agent::datagram(&datagram))),
        (Agent::stream(&stream), Box::new(|| Agent::stream(&stream))),
    ];
    for (agent, again) in agents {
        let guard = to(agent.url()).init().unwrap();
        steps(10);
        guard.flush();
        agent.wait_for("operation.success", STEP, 10.0);
        let path = agent.url().split_once("://").map(|(_, path)| path.to_owned()).unwrap();
        drop(agent);
        steps(20);
        guard.flush();
        // Of UDP there is nothing to remove.
        let _ = std::fs::remove_file(path);
        steps(30);
        guard.flush();
        let agent = again();
        steps(40);
        drop(guard);
        agent.wait_for("operation.success", STEP, 90.0);
        assert_eq!(agent.count("operation.duration.seconds", STEP), 90.0, "{}", agent.url());
        let dropped = agent.count("obs.dropped", &[("sink", "datadog"), ("reason", "flush")]);
        assert!(dropped >= 2.0, "two flushes failed: {dropped}");
    }
}

/// Takes what fits into its buffer, and nothing more.
fn hanging(path: &Path) -> (UnixDatagram, String) {
    let socket = UnixDatagram::bind(path).unwrap();
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(&[b'x'; 4096], path).is_ok() {}
    (socket, format!("unix://{}", path.display()))
}

#[test]
fn an_agent_that_is_away_or_hangs_delays_the_end_by_no_more_than_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let (_socket, hanging) = hanging(&folder.path().join("hanging"));
    let listener = std::os::unix::net::UnixListener::bind(folder.path().join("stream")).unwrap();
    let unread = format!("unixstream://{}", listener.local_addr().unwrap().as_pathname().unwrap().display());
    let missing = format!("unix://{}", folder.path().join("nobody").display());
    for (url, limit) in [
        ("udp://127.0.0.1:9", Duration::from_millis(500)),
        ("udp://no-such-host.invalid:8125", Duration::from_millis(1500)),
        (&missing, Duration::from_millis(500)),
        (&hanging, Duration::from_millis(1500)),
        (&unread, Duration::from_millis(1500)),
    ] {
        let job = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["return"]).env("PROMETHEUS_PORT", "0");
        let job = job.env("DATADOG_ENABLED", "true").env("DD_DOGSTATSD_URL", url).env("OBS_FLUSH_TIMEOUT", "500ms");
        let ended = job.run();
        assert_eq!(ended.code(), Some(0), "{url}: {ended:?}");
        // A command's end and the guard's drop flush once each, 500 ms at most; the rest is a loaded machine's.
        assert!(ended.duration < limit * 3, "{url}: {:?}", ended.duration);
        assert!(url == unread || ended.stderr.contains("failed to flush exporter datadog"), "{url}: {}", ended.stderr);
    }
}

#[test]
fn nobody_waits_for_an_agent_that_hangs() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let (socket, url) = hanging(&folder.path().join("hanging"));
    let guard =
        to(&url).datadog_interval(Duration::from_millis(10)).flush_timeout(Duration::from_millis(300)).init().unwrap();
    let longest = (0..2000)
        .map(|number| {
            let begun = Instant::now();
            step(number);
            obs_runtime::track_feature("export");
            std::hint::black_box(begun.elapsed())
        })
        .max()
        .unwrap();
    // A delivery waits for two seconds: whoever waited for it would show.
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    let begun = Instant::now();
    drop(guard);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    drop(socket);
}

#[test]
fn two_series_that_datadog_cannot_tell_apart_are_told_of_once() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let agent = Agent::udp();
    let guard = to(agent.url()).log_level(obs_runtime::Level::Warning).log_file(&file).init().unwrap();
    for feature in ["csv export", "csv_export", "CSV_export"] {
        obs_runtime::track_feature(feature);
    }
    guard.flush();
    guard.flush();
    drop(guard);
    agent.wait_for("cli.feature.usage", &[("feature", "csv_export")], 2.0);
    assert_eq!(agent.count("cli.feature.usage", &[]), 3.0);
    let log = std::fs::read_to_string(&file).unwrap();
    let told: Vec<_> = log.lines().filter(|line| line.contains("cannot tell apart")).collect();
    assert!(told.len() == 1 && told[0].contains("csv_export") && told[0].contains("1 more"), "{log}");
}
