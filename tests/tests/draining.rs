//! A service that drains its connections on SIGTERM: obs leaves the end to it, and its readiness probe fails meanwhile.
#![cfg(unix)]

use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::thread;

use obs_tests::exposition::Samples;
use obs_tests::process::{Process, Running};
use obs_tests::{http, wait};

/// A service with one request that waits.
struct Service {
    running: Running,
    metrics: SocketAddr,
    /// The status and the body of the request; none if it was not answered.
    answer: thread::JoinHandle<Option<(u16, String)>>,
}

fn start(way: &str, folder: &Path, environment: &[(&str, &str)]) -> Service {
    let process = Process::new(env!("CARGO_BIN_EXE_draining")).args(&[way]).env("PROMETHEUS_PORT", "0");
    let process = process.env("SERVICE_NAME", "draining").env("PROMETHEUS_TEXTFILE_DIR", folder);
    let process = environment.iter().fold(process, |process, (name, value)| process.env(name, value));
    let running = process.start();
    let address = |text: &str| text.parse::<SocketAddr>().ok();
    let (own, metrics) = running.wait_for_output("its addresses", |line| {
        let (own, metrics) = line.split_once(' ')?;
        Some((address(own)?, address(metrics)?))
    });
    let answer = thread::spawn(move || {
        let mut response = http::agent(wait::LONG).get(format!("http://{own}/slow")).call().ok()?;
        Some((response.status().as_u16(), response.body_mut().read_to_string().ok()?))
    });
    running.wait_for_output("a request waits", |line| (line == "a request is waiting").then_some(()));
    Service { running, metrics, answer }
}

impl Service {
    fn status(&self, path: &str) -> u16 {
        let url = format!("http://{}{path}", self.metrics);
        http::agent(wait::LONG).get(url).call().unwrap().status().as_u16()
    }

    fn wait_until_draining(&self) {
        self.running.wait_for_output("it drains", |line| (line == "draining").then_some(()));
    }

    fn wait_until_unready(&self) {
        wait::until_true("readiness fails", || self.status("/readyz") == 503);
        assert_eq!(self.status("/healthz?group=ready"), 503);
        assert_eq!(self.status("/livez"), 200, "liveness does not follow readiness");
    }
}

fn slow_requests(folder: &Path) -> Option<f64> {
    let file = folder.join("draining.prom");
    file.exists().then(|| Samples::read(&file).value("operation_success_total", &[("operation", "slow")])).flatten()
}

#[test]
fn a_service_with_a_handler_of_its_own_answers_its_last_requests() {
    for (way, environment) in
        [("after", &[][..]), ("before", &[]), ("after", &[("OBS_SIGNALS", "off")]), ("dropped", &[])]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut service = start(way, folder.path(), environment);
        let watched = way != "dropped" && environment.is_empty();
        if way != "dropped" {
            assert_eq!(service.status("/readyz"), 200, "{way}");
        }
        // Orchestrators and people repeat it.
        for _ in 0..2 {
            service.running.signal("TERM");
            service.wait_until_draining();
        }
        if watched {
            service.wait_until_unready();
            assert_eq!(service.status("/metrics"), 200, "{way}: metrics are scraped to the end");
        }
        service.running.write_line("go on");
        assert_eq!(service.answer.join().unwrap(), Some((200, "done".to_owned())), "{way}");
        let ended = service.running.finish();
        assert_eq!(ended.code(), Some(0), "{way}: {ended:?}");
        assert!(ended.stdout.contains("drained"), "{way}: {ended:?}");
        if way != "dropped" {
            assert_eq!(slow_requests(folder.path()), Some(1.0), "{way}: the drop of the guard flushes");
        }
    }
}

#[test]
fn a_service_without_a_handler_ends_after_a_flush() {
    for (way, environment) in [("nothing", &[][..]), ("nothing", &[("OBS_SHUTDOWN_GRACE", "10ms")]), ("ctrl_c", &[])] {
        let folder = tempfile::tempdir().unwrap();
        let service = start(way, folder.path(), environment);
        service.running.signal("TERM");
        // The answer of a request that is cut off.
        assert_eq!(service.answer.join().unwrap(), None);
        let ended = service.running.finish();
        assert_eq!(ended.status.signal(), Some(15), "{way}: {ended:?}");
        assert!(folder.path().join("draining.prom").exists(), "{way}: {ended:?}");
    }
}

#[test]
fn the_grace_keeps_a_service_up_and_unready_until_the_second_signal() {
    for way in ["nothing", "command"] {
        let folder = tempfile::tempdir().unwrap();
        let service = start(way, folder.path(), &[("OBS_SHUTDOWN_GRACE", "1h")]);
        service.running.signal("TERM");
        service.wait_until_unready();
        service.running.signal("TERM");
        let ended = service.running.finish();
        assert_eq!(ended.status.signal(), Some(15), "{way}: {ended:?}");
    }
}

#[test]
fn a_command_that_ends_within_the_grace_ends_as_usual() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = start("command", folder.path(), &[("OBS_SHUTDOWN_GRACE", "1h")]);
    service.running.signal("TERM");
    service.wait_until_draining();
    service.running.write_line("go on");
    assert_eq!(service.answer.join().unwrap(), Some((200, "done".to_owned())));
    let ended = service.running.finish();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let metrics = Samples::read(&folder.path().join("draining.prom"));
    assert_eq!(metrics.value("cli_command_success_total", &[("command", "nightly")]), Some(1.0), "{metrics:?}");
}

#[test]
fn a_running_command_is_ended_although_the_program_handles_the_signal() {
    let folder = tempfile::tempdir().unwrap();
    let service = start("command", folder.path(), &[]);
    service.running.signal("TERM");
    assert_eq!(service.answer.join().unwrap(), None, "the request is cut off");
    let ended = service.running.finish();
    assert_eq!(ended.status.signal(), Some(15), "{ended:?}");
    let metrics = Samples::read(&folder.path().join("draining.prom"));
    let cancelled = metrics.value("cli_command_failure_total", &[("command", "nightly"), ("outcome", "cancelled")]);
    assert_eq!(cancelled, Some(1.0), "{metrics:?}");
}

#[test]
fn a_command_goes_on_where_obs_only_flushes() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = start("command", folder.path(), &[("OBS_SIGNALS", "flush_only")]);
    let file = folder.path().join("draining.prom");
    let written = || std::fs::metadata(&file).and_then(|file| file.modified()).ok();
    let at_start = wait::until("the start of the command is written", wait::LONG, written);
    service.running.signal("TERM");
    service.wait_until_draining();
    wait::until_true("a flush", || written() > Some(at_start));
    service.wait_until_unready();
    service.running.write_line("go on");
    assert_eq!(service.answer.join().unwrap(), Some((200, "done".to_owned())));
    let ended = service.running.finish();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let metrics = Samples::read(&file);
    assert_eq!(metrics.value("cli_command_success_total", &[("command", "nightly")]), Some(1.0), "{metrics:?}");
}

#[test]
fn a_program_without_a_handler_ends_also_where_obs_only_flushes() {
    let folder = tempfile::tempdir().unwrap();
    let service = start("nothing", folder.path(), &[("OBS_SIGNALS", "flush_only")]);
    service.running.signal("TERM");
    assert_eq!(service.answer.join().unwrap(), None);
    assert_eq!(service.running.finish().status.signal(), Some(15));
}
