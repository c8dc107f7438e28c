//! Agents that are missing, hang or restart.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::{Duration, Instant};

use obs_tests::dogstatsd::Agent;
use obs_tests::faults::UNKNOWN_HOST;
use obs_tests::process::Process;
use obs_tests::{exclusive, wait};

use crate::{STEP, builder, step, steps};

/// Starts an agent on the socket of an earlier one.
type Restart<'a> = Box<dyn Fn() -> Agent + 'a>;

#[test]
fn a_restarted_agent_gets_what_was_recorded_meanwhile() {
    let _exclusive = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let (datagram, stream) = (folder.path().join("datagram"), folder.path().join("stream"));
    let udp = Agent::udp();
    let port = udp.url().rsplit(':').next().unwrap().parse().unwrap();
    let agents: [(Agent, Restart<'_>); 3] = [
        (udp, Box::new(|| Agent::udp_at(port))),
        (Agent::datagram(&datagram), Box::new(|| Agent::datagram(&datagram))),
        (Agent::stream(&stream), Box::new(|| Agent::stream(&stream))),
    ];
    for (agent, restart) in agents {
        let guard = builder(agent.url()).init().unwrap();
        steps(10);
        guard.flush();
        agent.wait_for("operation.success", STEP, 10.0);
        let path = agent.url().split_once("://").map(|(_, path)| path.to_owned()).unwrap();
        drop(agent);
        steps(20);
        guard.flush();
        // A UDP port has no file.
        let _ = std::fs::remove_file(path);
        steps(30);
        guard.flush();
        let agent = restart();
        steps(40);
        drop(guard);
        agent.wait_for("operation.success", STEP, 90.0);
        assert_eq!(agent.count("operation.duration.seconds", STEP), 90.0, "{}", agent.url());
        let failed = agent.count("obs.flush.failed", &[("sink", "datadog")]);
        assert!(failed >= 2.0, "two flushes failed, {failed} counted");
        assert_eq!(agent.count("obs.dropped", &[("sink", "datadog")]), 0.0, "nothing was lost");
    }
}

/// A datagram socket with a full buffer, which is never read.
fn hanging_agent(path: &Path) -> (UnixDatagram, String) {
    let socket = UnixDatagram::bind(path).unwrap();
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(&[b'x'; 4096], path).is_ok() {}
    (socket, format!("unix://{}", path.display()))
}

#[test]
fn a_missing_or_hanging_agent_delays_the_exit_by_the_deadline_of_each_flush_at_most() {
    // Long enough that a busy machine is not mistaken for a wait.
    const DEADLINE: Duration = Duration::from_secs(8);
    let folder = tempfile::tempdir().unwrap();
    let (_socket, hanging) = hanging_agent(&folder.path().join("hanging"));
    let listener = std::os::unix::net::UnixListener::bind(folder.path().join("stream")).unwrap();
    let unread = format!("unixstream://{}", listener.local_addr().unwrap().as_pathname().unwrap().display());
    let missing = format!("unix://{}", folder.path().join("missing").display());
    let unresolved = format!("udp://{UNKNOWN_HOST}:8125");
    let run = |url: &str, flushes_that_wait: u32| {
        let job = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&["return"]).env("PROMETHEUS_PORT", "0");
        let job = job.env("DATADOG_ENABLED", "true").env("DD_DOGSTATSD_URL", url).env("OBS_FLUSH_TIMEOUT", "8s");
        let ended = job.run();
        assert_eq!(ended.code(), Some(0), "{url}: {ended:?}");
        assert!(ended.duration < DEADLINE * (flushes_that_wait + 1), "{url}: {:?}", ended.duration);
        // The stream's buffer takes a short job's metrics although they are never read.
        assert!(url == unread || ended.stderr.contains("failed to flush exporter datadog"), "{url}: {}", ended.stderr);
    };
    // The end of the command and the drop of the guard flush once each.
    std::thread::scope(|scope| {
        for (url, flushes_that_wait) in
            [("udp://127.0.0.1:9", 0), (&unresolved, 2), (&missing, 0), (&hanging, 2), (&unread, 2)]
        {
            scope.spawn(move || run(url, flushes_that_wait));
        }
    });
}

#[test]
fn calls_do_not_wait_for_a_hanging_agent() {
    let _exclusive = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let (socket, url) = hanging_agent(&folder.path().join("hanging"));
    let flush_timeout = Duration::from_millis(300);
    let guard = builder(&url).datadog_interval(Duration::from_millis(10)).flush_timeout(flush_timeout).init().unwrap();
    let call = |number| {
        let start = Instant::now();
        step(number);
        obs_runtime::track_feature("export");
        start.elapsed()
    };
    let mut durations: Vec<_> = (0..2000).map(call).collect();
    durations.sort_unstable();
    // The worker is nearly always inside a delivery, which waits for two seconds. Calls that waited for it would be slow
    // throughout, whereas a busy machine delays a few of them.
    let percentile = durations[durations.len() * 99 / 100];
    assert!(percentile < Duration::from_millis(500), "{percentile:?}");
    wait::for_thread("the guard is dropped", move || drop(guard));
    drop(socket);
}
