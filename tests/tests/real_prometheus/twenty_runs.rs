//! Twenty runs of a job, of which three return an error and one panics, with a new version at run 11 and 6.25 US dollars each:
//! the queries of a team are right by the textfile, a Pushgateway and the scrape of a service.

use std::net::SocketAddr;

use obs_tests::process::Process;
use obs_tests::servers::{NodeExporter, Prometheus, Pushgateway};
use obs_tests::wait;

use crate::documented;

const JOB: &str = env!("CARGO_BIN_EXE_alerted-job");

/// How each run ends.
const RUNS: [&str; 20] = [
    "ok", "ok", "error", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "ok", "error", "ok", "ok", "ok", "error", "panic",
    "ok", "ok", "ok",
];

/// What Prometheus scrapes, by the label `instance`.
struct Ways {
    prometheus: Prometheus,
    textfile: String,
    pushgateway: String,
    scrape: String,
}

impl Ways {
    /// The only value of a query, in which `$` stands for the labels that select a way.
    fn value(&self, way: &str, query: &str) -> Option<f64> {
        let selected = query.replace('$', &format!("instance=\"{way}\""));
        match &self.prometheus.query(&selected)[..] {
            [] => None,
            [(_, value)] => Some(*value),
            several => panic!("{selected}: {several:?}"),
        }
    }

    /// Waits until the end of a run was scraped.
    fn wait_for_run(&self, number: u32) {
        let ended = |way: &String| self.value(way, "cli_command_last_exit_code{$} >= 0").is_some();
        let started = |way: &String| self.value(way, "cli_command_last_start_timestamp_seconds{$}");
        wait::until_true(&format!("run {number} is scraped"), || {
            let counted = |way: &String| self.value(way, "cli_command_started_total{$}") == Some(f64::from(number));
            [&self.textfile, &self.scrape].into_iter().all(counted)
                && self.all().iter().all(|way| ended(way))
                && started(&self.textfile) == started(&self.pushgateway)
        });
    }

    fn all(&self) -> [&String; 3] {
        [&self.textfile, &self.pushgateway, &self.scrape]
    }

    /// The values by textfile, Pushgateway and scrape.
    fn values(&self, query: &str) -> [Option<f64>; 3] {
        self.all().map(|way| self.value(way, query))
    }

    /// Whether the query finds something by textfile, Pushgateway and scrape.
    fn fires(&self, query: &str) -> [bool; 3] {
        self.values(query).map(|value| value.is_some())
    }
}

#[test]
fn the_queries_of_a_team_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Pushgateway::start();
    let exporter = NodeExporter::reading(folder.path());
    let mut service = Process::new(JOB).args(&["serve"]).env("PROMETHEUS_PORT", "0").start();
    let scraped: SocketAddr = service.wait_for_output("its address", |line| line.parse().ok());
    let pushed: SocketAddr = gateway.url().trim_start_matches("http://").parse().unwrap();
    let ways = Ways {
        prometheus: Prometheus::scraping(&[exporter.address(), pushed, scraped]),
        textfile: exporter.address().to_string(),
        pushgateway: pushed.to_string(),
        scrape: scraped.to_string(),
    };
    ways.prometheus.wait_until_up();
    let job = |way: &str, version: &str| {
        let process = Process::new(JOB).args(&[way]).env("PROMETHEUS_PORT", "0").env("OBS_COMMIT", version);
        process.env("PROMETHEUS_TEXTFILE_DIR", folder.path()).env("PROMETHEUS_PUSHGATEWAY_URL", gateway.url())
    };
    assert_eq!(
        ways.value(&ways.scrape, "cli_command_failure_total{$,outcome=\"error\"}"),
        Some(0.0),
        "the counters of a declared command are there before it runs"
    );
    for (number, way) in (1..).zip(RUNS) {
        let ended = job(way, if number <= 10 { "first" } else { "second" }).run();
        assert_eq!(ended.code() == Some(0), way == "ok", "{ended:?}");
        service.write_line(way);
        ways.wait_for_run(number);
        match number {
            3 => {
                assert_eq!(ways.fires("cli_command_last_exit_code{$} > 0"), [true; 3], "the last run failed");
                let first_failure = ways.value(&ways.scrape, "sum(increase(cli_command_failure_total{$}[10m])) > 0.5");
                assert!(first_failure.is_some(), "the first failure is a step");
            }
            17 => {
                let failed_twice = ways.values("cli_command_consecutive_failures{$}");
                assert_eq!([failed_twice[0], failed_twice[2]], [Some(2.0); 2]);
            }
            _ => {}
        }
    }
    for way in [&ways.textfile, &ways.scrape] {
        // The first scrape of the textfile is after the first run.
        let failures = ways.value(way, "sum(increase(cli_command_failure_total{$}[10m]))").unwrap();
        assert!((3.6..=4.6).contains(&failures), "{way}: {failures} failures");
        let ratio = "sum(increase(cli_command_failure_total{$}[10m])) / (sum(increase(cli_command_failure_total{$}[10m])) \
                     + sum(increase(cli_command_success_total{$}[10m])))";
        let ratio = ways.value(way, ratio).unwrap();
        assert!((0.18..=0.23).contains(&ratio), "{way}: the error ratio is {ratio}");
        let cost = ways.value(way, "sum(increase(bigquery_total_cost_usd_total{$}[10m]))").unwrap();
        assert!((112.0..=140.0).contains(&cost), "{way}: {cost} USD over a deploy");
        assert_eq!(ways.value(way, "bigquery_total_cost_usd_total{$}"), Some(125.0));
        assert_eq!(ways.value(way, "cli_command_success_total{$}"), Some(16.0), "one series over a deploy");
    }
    assert_eq!(ways.fires("cli_command_last_exit_code{$} > 0"), [false; 3], "the last run succeeded");
    assert_eq!(ways.fires("max_over_time(cli_command_last_exit_code{$}[1h]) > 0"), [true; 3], "one has failed");
    assert_eq!(ways.values("cli_command_consecutive_failures{$}"), [Some(0.0); 3]);
    assert_eq!(ways.fires("time() - cli_command_last_success_timestamp_seconds{$} > 3600"), [false; 3]);
    let never = "cli_command_last_start_timestamp_seconds{$} unless on (instance, command) \
                 cli_command_last_success_timestamp_seconds";
    assert_eq!(ways.fires(never), [false; 3], "never succeeded");
    assert_eq!(ways.values("data_quality_check_status{$}"), [Some(1.0); 3]);
    assert_eq!(ways.fires("time() - data_quality_check_last_run_timestamp_seconds{$} > 600"), [false; 3]);
    assert_eq!(ways.values("cli_command_schedule_info{$,cron=\"0 3 * * *\"}"), [Some(1.0); 3]);
    assert_eq!(ways.prometheus.query(documented::alert("runs too long").query), []);
    assert_eq!(ways.value(&ways.textfile, "obs_build_info{$}"), Some(1.0), "one version");
    assert_eq!(ways.value(&ways.textfile, "obs_build_info{$,commit=\"second\"}"), Some(1.0));
    assert_eq!(ways.fires("changes(process_start_time_seconds{$}[10m]) > 0"), [false; 3], "no crash loop");
    assert_eq!(ways.fires("increase(obs_flush_failed_total{$,sink=\"textfile\"}[10m]) > 0"), [false; 3]);

    let killed = job("hang", "second").start();
    wait::until_true("the start of a run is scraped", || {
        ways.fires("cli_command_last_exit_code{$} == -1 and cli_command_running == 1")[..2] == [true; 2]
    });
    killed.signal("KILL");
    assert_eq!(killed.finish().code(), None);
    assert_eq!(ways.fires("cli_command_last_success_timestamp_seconds{$}")[..2], [true; 2], "the last success stays");
    assert_eq!(service.finish().code(), Some(0));
}
