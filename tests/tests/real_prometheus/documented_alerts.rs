//! Each alert of the documentation through each way that knows it: it rests, and fires when its cause happens.

use std::net::SocketAddr;
use std::path::Path;

use obs_tests::exposition::Labels;
use obs_tests::process::{Process, Running};
use obs_tests::servers::{Collector, NodeExporter, Prometheus, Pushgateway, StatsdExporter};
use obs_tests::{ports, wait};

use crate::documented;
use crate::documented::WAYS;

const JOB: &str = env!("CARGO_BIN_EXE_alerted-job");

/// The place of the service among [`WAYS`]: it has runs of its own.
const SCRAPE: usize = 2;

/// A job by textfile, Pushgateway, `statsd_exporter` and a Collector, and a service that does the same.
struct Setup {
    folder: tempfile::TempDir,
    gateway: Pushgateway,
    statsd: StatsdExporter,
    collector: Collector,
    service: Running,
    _exporter: NodeExporter,
    prometheus: Prometheus,
    /// The label `instance` of each of [`WAYS`].
    instances: [String; 5],
    runs: f64,
}

impl Setup {
    fn start() -> Self {
        let (folder, gateway) = (tempfile::tempdir().unwrap(), Pushgateway::start());
        for name in ["files", "state", "service", "service/files"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let exporter = NodeExporter::reading(&folder.path().join("files"));
        let statsd = StatsdExporter::start(folder.path());
        let collector = Collector::start();
        let port = ports::free();
        let service = serve(port, folder.path());
        let scraped = SocketAddr::from(([127, 0, 0, 1], port));
        let pushed: SocketAddr = gateway.url().trim_start_matches("http://").parse().unwrap();
        let targets = [exporter.address(), pushed, scraped, statsd.address(), collector.address()];
        let prometheus = Prometheus::scraping(&targets);
        prometheus.wait_until_up();
        let instances = targets.map(|target| target.to_string());
        Self { folder, gateway, statsd, collector, service, _exporter: exporter, prometheus, instances, runs: 0.0 }
    }

    fn job(&self, way: &str) -> Process {
        Process::new(JOB)
            .args(&[way])
            .env("PROMETHEUS_PORT", "0")
            .env("PROMETHEUS_TEXTFILE_DIR", self.folder.path().join("files"))
            .env("PROMETHEUS_PUSHGATEWAY_URL", self.gateway.url())
            .env("DATADOG_ENABLED", "true")
            .env("DD_DOGSTATSD_URL", format!("udp://127.0.0.1:{}", self.statsd.udp_port()))
            .env("OTEL_METRICS_EXPORTER", "otlp")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", self.collector.http_url())
            // One for all runs, so that each replaces the one before.
            .env("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=host-1")
            .env("OBS_STATE_DIR", self.folder.path().join("state"))
            .env("OBS_BUDGETS", "nightly=7USD/month")
    }

    /// A run of the job and of the service, whose ends are scraped.
    fn run(&mut self, way: &str) {
        let ended = self.job(way).run();
        assert_eq!(ended.code() == Some(0), matches!(way, "ok" | "bad"), "{ended:?}");
        self.service.write_line(way);
        self.runs += 1.0;
        self.wait_for_run(way, |code| code >= 0.0, &[0, 1, 2, 3, 4]);
    }

    /// Waits until the last run is scraped, with an exit code that holds.
    fn wait_for_run(&self, what: &str, holds: impl Fn(f64) -> bool, ways: &[usize]) {
        let started = |way: usize| self.value(way, "cli_command_last_start_timestamp_seconds").unwrap_or(f64::NAN);
        wait::until_true(&format!("the run {what} is scraped"), || {
            ways.iter().all(|&way| {
                let is_last = match way {
                    0 | SCRAPE => self.value(way, "cli_command_started_total") == Some(self.runs),
                    way => (started(way) - started(0)).abs() < 0.01,
                };
                is_last && self.value(way, "cli_command_last_exit_code").is_some_and(&holds)
            })
        });
    }

    /// The value of a metric that one command has.
    fn value(&self, way: usize, metric: &str) -> Option<f64> {
        let query =
            format!("{metric}{{instance=\"{}\",environment!=\"staging\",env!=\"staging\"}}", self.instances[way]);
        self.prometheus.query(&query).first().map(|(_, value)| *value)
    }

    /// Through which ways a query finds something, in production or in staging.
    fn fires(&self, query: &str, environment: &str) -> [bool; 5] {
        let found = self.prometheus.query(query);
        let is_of = |labels: &Labels, instance: &String| {
            let of = labels.get("environment").or(labels.get("env"));
            labels["instance"] == *instance && of.is_none_or(|of| of == environment)
        };
        self.instances.each_ref().map(|instance| found.iter().any(|(labels, _)| is_of(labels, instance)))
    }

    /// Waits until an alert fires, or rests, through all ways that know it.
    #[track_caller]
    fn wait_until(&self, name: &str, change: impl Fn(&str) -> String, fires: bool) {
        let alert = documented::alert(name);
        let query = change(alert.query);
        let holds = |of: [bool; 5]| of.iter().zip(alert.is_known_by).all(|(of, known)| *of == fires || !known);
        let held = wait::poll(wait::LONG, || holds(self.fires(&query, "dev")).then_some(()));
        let state = self.fires(&query, "dev");
        assert!(
            held.is_some(),
            "{name} should be {fires} by {:?} of {WAYS:?}, is {state:?}: {query}",
            alert.is_known_by
        );
    }

    #[track_caller]
    fn assert_fires(&self, name: &str) {
        self.wait_until(name, str::to_owned, true);
    }

    #[track_caller]
    fn assert_rests(&self, name: &str) {
        self.wait_until(name, str::to_owned, false);
    }
}

/// Starts the service.
fn serve(port: u16, folder: &Path) -> Running {
    let service = Process::new(JOB)
        .args(&["serve"])
        .env("PROMETHEUS_PORT", port.to_string())
        .env("PROMETHEUS_TEXTFILE_DIR", folder.join("service/files"))
        .env("OBS_STATE_DIR", folder.join("service"))
        .env("OBS_BUDGETS", "nightly=7USD/month")
        .start();
    service.wait_for_output("its address", |line| line.parse::<SocketAddr>().ok());
    service
}

#[test]
fn every_alert_rests_and_fires_through_each_way_that_knows_it() {
    let mut setup = Setup::start();
    assert_eq!(documented::alerts().len(), 20);

    setup.run("error");
    for name in ["last run failed", "a run failed within the hour", "never succeeded"] {
        setup.assert_fires(name);
    }
    setup.run("ok");
    for name in ["last run failed", "never succeeded"] {
        setup.assert_rests(name);
    }
    setup.assert_fires("a run failed within the hour");
    // As if an hour were 15 seconds.
    setup.wait_until(
        "a run failed within the hour",
        |query| query.replace("[1h:15s]", "[15s:1s]").replace("3600", "15"),
        false,
    );

    // A job in another environment, whose only run fails.
    assert_eq!(setup.job("error").env("ENVIRONMENT", "staging").run().code(), Some(1));
    let never = documented::alert("never succeeded").query;
    wait::until_true("the run in staging is known", || {
        setup.fires(never, "staging") == [true, true, false, true, true]
    });
    assert_eq!(setup.fires(never, "dev"), [false; 5]);
    setup.run("ok");
    let resting = documented::alerts().into_iter().map(|alert| alert.name).filter(|name| {
        // The durations of short runs vary, and a failure is less than an hour ago.
        !["duration doubled", "a run failed within the hour"].contains(name)
    });
    resting.for_each(|name| setup.assert_rests(name));

    setup.run("error");
    setup.assert_fires("last run failed");
    setup.assert_rests("failed twice in a row");
    setup.run("panic");
    setup.assert_fires("last run failed");
    setup.assert_fires("failed twice in a row");

    setup.run("bad");
    for name in [
        "duration doubled",
        "cost of a day",
        "cost alert",
        "80 % of a budget",
        "a check fails now",
        "unhealthy",
        "burn rate of 99.9 %",
        "latency objective",
    ] {
        setup.assert_fires(name);
    }
    setup.run("ok");
    for name in ["last run failed", "failed twice in a row", "a check fails now", "unhealthy", "runs too long"] {
        setup.assert_rests(name);
    }
    // As if 25 and 26 hours were 2 seconds.
    for name in ["no success in 26 hours", "schedule missed", "a check did not run"] {
        setup.assert_rests(name);
        setup.wait_until(name, |query| query.replace("25 * 3600", "2").replace("26 * 3600", "2"), true);
    }

    let folder = setup.folder.path().join("service/files");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "no folder").unwrap();
    let refusing = format!("http://127.0.0.1:{}", ports::free());
    assert_eq!(setup.job("ok").env("PROMETHEUS_PUSHGATEWAY_URL", refusing).run().code(), Some(0));
    setup.service.write_line("ok");
    setup.runs += 1.0;
    setup.assert_fires("telemetry lost");

    setup.assert_rests("a run was killed");
    let killed = setup.job("hang").start();
    setup.service.write_line("hang");
    setup.runs += 1.0;
    setup.wait_for_run("that hangs", |code| code == -1.0, &[0, 1, 2, 4]);
    setup.assert_fires("runs too long");
    killed.signal("KILL");
    assert_eq!(killed.finish().code(), None);
    setup.assert_fires("runs too long");
    assert_eq!(setup.job("ok").run().code(), Some(0));
    setup.assert_fires("a run was killed");
    wait::until_true("a later run is known", || {
        let [jobs @ .., otlp] = setup.fires(documented::alert("runs too long").query, "dev");
        let [textfile, pushgateway, _, statsd] = jobs;
        ![textfile, pushgateway, statsd, otlp].contains(&true)
    });
    setup.service.signal("KILL");
    setup.assert_fires("service down");
}
