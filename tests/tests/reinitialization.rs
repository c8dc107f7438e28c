//! obs can be initialised again after its guard was dropped, with another configuration, and counts nothing twice.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use obs_runtime::sink::{RedactedEvent, Sink, SinkError};
use obs_runtime::{Guard, InitError, Observability, ObservabilityBuilder, track_performance};
use obs_tests::dogstatsd::Agent;
use obs_tests::exposition::Samples;
use obs_tests::{exclusive, http};

#[track_performance]
fn step() {}

#[track_performance(tags(table = table))]
fn load(table: &str) {
    let _ = table;
}

fn start(service: &str, folder: &Path) -> Guard {
    let builder = Observability::builder().without_environment().service_name(service).prometheus_port(0);
    builder.prometheus_textfile_dir(folder).init().unwrap()
}

fn work(rows: &metrics::Counter) {
    for _ in 0..10 {
        step();
        load("users");
        rows.increment(1);
        metrics::counter!("again.rows").increment(1);
    }
}

#[test]
fn a_second_initialisation_has_its_own_labels_textfile_and_port() {
    let _alone = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let value = |service: &str, name: &str, labels: &[(&str, &str)]| {
        Samples::read(&folder.path().join(format!("{service}.prom"))).value(name, labels)
    };
    let step_of = |service| [("operation", "step"), ("service", service)];

    let first = start("first", folder.path());
    let second = Observability::builder().without_environment().prometheus_port(0).init();
    assert!(matches!(second, Err(InitError::AlreadyInitialised)));
    let address = first.metrics_address().unwrap();
    let kept = metrics::counter!("kept.rows");
    work(&kept);
    drop(first);
    assert!(http::get(&format!("http://{address}/metrics"), &[]).is_err(), "the port is closed");
    assert_eq!(value("first", "operation_success_total", &step_of("first")), Some(10.0));
    assert_eq!(value("first", "kept_rows_total", &[("service", "first")]), Some(10.0));

    step();
    load("users");
    metrics::counter!("again.rows").increment(1);

    let second = start("second", folder.path());
    work(&kept);
    let address = second.metrics_address().unwrap();
    let scraped = Samples::parse(&http::get(&format!("http://{address}/metrics"), &[]).unwrap());
    assert!(scraped.iter().all(|((_, labels), _)| labels["service"] == "second"), "{scraped:?}");
    let steps = scraped.value("operation_success_total", &[("operation", "step")]);
    assert_eq!(steps, Some(20.0), "the counters of a process continue");
    drop(second);
    assert_eq!(value("second", "operation_success_total", &step_of("second")), Some(10.0));
    let load = [("operation", "load"), ("service", "second")];
    assert_eq!(value("second", "operation_success_total", &load), Some(10.0));
    for name in ["kept_rows_total", "again_rows_total"] {
        assert_eq!(value("second", name, &[("service", "second")]), Some(10.0), "{name}");
    }
    assert_eq!(value("first", "kept_rows_total", &[]), Some(10.0), "the first file is unchanged");
}

/// Holds up the initialisation that it is given to.
struct HoldsUp {
    begun: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

impl Sink for HoldsUp {
    fn name(&self) -> &'static str {
        self.begun.send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        "holds-up"
    }

    fn accept(&mut self, _: &RedactedEvent) -> Result<(), SinkError> {
        Ok(())
    }
}

#[test]
fn of_two_initialisations_at_once_one_is_an_error_and_leaves_the_other_whole() {
    let _alone = exclusive::lock();
    let agent = Agent::udp();
    let url = agent.url();
    let builder = || -> ObservabilityBuilder {
        let builder = Observability::builder().without_environment().prometheus_port(0);
        builder.datadog_enabled(true).datadog_agent(url.parse().unwrap())
    };
    let (begun, has_begun) = mpsc::channel();
    let (let_go, go_on) = mpsc::channel();
    let results = thread::scope(|scope| {
        let slow = scope.spawn(|| builder().sink(HoldsUp { begun, go_on: Mutex::new(go_on) }).init());
        has_begun.recv().unwrap();
        let quick = builder().init();
        let_go.send(()).unwrap();
        [slow.join().unwrap(), quick]
    });
    let guard = match results {
        [Ok(guard), Err(InitError::AlreadyInitialised)] | [Err(InitError::AlreadyInitialised), Ok(guard)] => guard,
        results => panic!("{results:?}"),
    };
    metrics::counter!("whole.rows").increment(7);
    drop(guard);
    agent.wait_for("whole.rows", &[], 7.0);
}
