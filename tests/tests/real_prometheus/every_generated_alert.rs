//! Each alert that `generate prometheus` makes, in a real Prometheus and a real Alertmanager: it rests, fires when its cause happens to a
//! real program, reaches Alertmanager with owner and runbook by the generated route, and rests again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use obs_tests::process::{Process, Running};
use obs_tests::servers::{Alertmanager, NodeExporter, Prometheus, Pushgateway};
use obs_tests::{ports, wait};
use serde_json::Value;

use crate::alert_table::{ALERTS, BEGINS_TO_COST, COUNTED, FAILS_FOR_LONG, Key, When, key, keys};
use crate::generate::generate;
use crate::shortened::shortened;

const JOB: &str = env!("CARGO_BIN_EXE_frequent-job");

/// How long the slowest alert takes: that of a command that does not run, after a minute and its margin.
const SLOWEST: Duration = Duration::from_mins(3);

/// What Alertmanager has shown so far, looked at several times a second.
struct Watch {
    alertmanager: Arc<Alertmanager>,
    seen: Arc<Mutex<BTreeMap<Key, Value>>>,
    stops: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watch {
    fn new(alertmanager: Alertmanager) -> Self {
        let alertmanager = Arc::new(alertmanager);
        let (seen, stops) = (Arc::<Mutex<BTreeMap<Key, Value>>>::default(), Arc::<AtomicBool>::default());
        let (asked, shared, stop) = (Arc::clone(&alertmanager), Arc::clone(&seen), Arc::clone(&stops));
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let active = asked.active();
                let mut seen = shared.lock().unwrap_or_else(PoisonError::into_inner);
                for alert in active {
                    seen.entry(key(&alert)).or_insert(alert);
                }
                drop(seen);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Self { alertmanager, seen, stops, thread: Some(thread) }
    }

    fn seen(&self) -> BTreeMap<Key, Value> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn missing(&self, when: When) -> Vec<Key> {
        let seen = self.seen();
        keys(Some(when)).into_iter().filter(|key| !seen.contains_key(key)).collect()
    }

    /// The alerts that fire now.
    fn firing(&self) -> BTreeSet<Key> {
        self.alertmanager.active().iter().map(key).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A job by textfile and Pushgateway, and a service that does the same.
struct Programs<'f> {
    folder: &'f Path,
    gateway: Pushgateway,
    /// A Pushgateway to which the service pushes, and nobody scrapes.
    sink: Pushgateway,
    ports: [u16; 2],
    service: Option<Running>,
    /// A service of which a run is killed.
    killed: Option<Running>,
    budgets: &'static str,
    lines: usize,
}

impl Programs<'_> {
    const BUDGETS: &'static str = "all=6.25USD/month,nearly=7USD/month,burning=1000USD/month";
    const LARGER: &'static str = "all=1000000USD/month,nearly=1000000USD/month,burning=1000000000USD/month";

    fn process(&self, folder: &str, environment: &str, budgets: &str) -> Process {
        program(self.folder, folder, environment, budgets)
    }

    fn job(&self, way: &str, words: [&str; 2]) -> Running {
        let job = self.process(way, way, self.budgets).args(&words).env("PROMETHEUS_PORT", "0");
        let job = match way {
            "textfile" => job.env("PROMETHEUS_TEXTFILE_DIR", self.folder.join("textfiles")),
            _ => job.env("PROMETHEUS_PUSHGATEWAY_URL", self.gateway.url()),
        };
        job.start()
    }

    /// A run by each way.
    fn run(&mut self, command: &str, way: &str) {
        let jobs = ["textfile", "pushgateway"].map(|of| self.job(of, [command, way]));
        let service = self.service.as_mut().unwrap();
        service.write_line(&format!("{command} {way}"));
        if let (Some(killed), "refresh") = (&mut self.killed, command) {
            killed.write_line("refresh ok");
        }
        self.lines += 1;
        for job in jobs {
            let ended = job.finish();
            assert_eq!(ended.code() == Some(0), !["bad", "spend"].contains(&way), "{ended:?}");
        }
        let lines = self.lines;
        service.wait_for_outputs("the run of the service", |output| output.matches("done").count() == lines);
    }

    /// Starts the service again, which then has larger budgets.
    fn serve_again(&mut self) {
        drop(self.service.take());
        self.service = Some(serve(self.process("service", "scrape", self.budgets), self.ports[0], &self.sink));
        self.lines = 0;
    }

    /// Kills the other service while it runs a command, and starts it again.
    fn kill(&mut self) {
        drop(self.killed.take());
        self.killed = Some(serve(self.process("killed", "scrape", self.budgets), self.ports[1], &self.sink));
        self.write_killed("refresh ok");
    }

    fn write_killed(&mut self, line: &str) {
        self.killed.as_mut().unwrap().write_line(line);
    }
}

fn program(folder: &Path, state: &str, environment: &str, budgets: &str) -> Process {
    Process::new(JOB)
        .env("SERVICE_NAME", "etl")
        .env("ENVIRONMENT", environment)
        .env("OBS_STATE_DIR", folder.join("state").join(state))
        .env("OBS_BUDGETS", budgets)
        .env("OBS_MAX_SERIES", "60")
}

fn serve(process: Process, port: u16, sink: &Pushgateway) -> Running {
    let process = process.args(&["serve"]).env("PROMETHEUS_PORT", port.to_string());
    let service = process.env("PROMETHEUS_PUSHGATEWAY_URL", sink.url()).start();
    service.wait_for_output("its address", |line| line.parse::<SocketAddr>().ok());
    service
}

/// The files of rules, by what they are about: `command-refresh`.
fn rules(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files
        .filter_map(|path| {
            let about = name(&path).strip_prefix("etl.")?.strip_suffix(".rules.yml")?.to_owned();
            Some((about, std::fs::read_to_string(path).unwrap()))
        })
        .collect()
}

/// Kind and name of each alert in the rules.
fn generated(rules: &BTreeMap<String, String>) -> BTreeSet<(&'static str, &str)> {
    let kind = |about: &str, text: &str| match about.split(['-', ' ']).next().unwrap() {
        "command" if text.contains("ObsCommandMissed") => "schedule",
        "command" => "calls",
        "operation" => "operation",
        "check" => "check",
        "cost" => "cost",
        "health" => "health",
        "budgets" => "budgets",
        "telemetry" => "telemetry",
        other => panic!("{other} has no row"),
    };
    let alerts = rules.iter().flat_map(|(about, text)| {
        let names = text.lines().filter_map(|line| line.trim_start().strip_prefix("- alert: "));
        names.map(move |name| (kind(about, text), name))
    });
    alerts.collect()
}

/// Prometheus with the generated rules, but for their windows.
fn prometheus(
    folder: &Path,
    rules: &BTreeMap<String, String>,
    programs: &Programs<'_>,
    exporter: &NodeExporter,
    alertmanager: &Alertmanager,
) -> Prometheus {
    let shorter = folder.join("shorter");
    std::fs::create_dir(&shorter).unwrap();
    for (about, text) in rules {
        std::fs::write(shorter.join(format!("{about}.yml")), shortened(text)).unwrap();
    }
    let [service, killed] = programs.ports;
    let gateway = programs.gateway.url();
    Prometheus::configured(&format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{}/*.yml']\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n\
         scrape_configs:\n\
         - {{job_name: services, static_configs: [{{targets: ['127.0.0.1:{service}', '127.0.0.1:{killed}']}}]}}\n\
         - {{job_name: node, static_configs: [{{targets: ['{}']}}]}}\n\
         - {{job_name: gateway, honor_labels: true, static_configs: [{{targets: ['{}']}}]}}\n",
        shorter.display(),
        alertmanager.address(),
        exporter.address(),
        gateway.trim_start_matches("http://"),
    ))
}

/// Waits until what runs have left behind is scraped: they follow one another too fast to be seen otherwise.
fn wait_for_scrapes(prometheus: &Prometheus) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let scraped = format!("timestamp(cli_command_last_exit_code{{command=\"refresh\"}}) > {now:.3}");
    wait::until_true("a scrape of each target", || prometheus.query(&scraped).len() >= 4);
}

#[test]
fn every_generated_alert_rests_fires_and_rests_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["textfiles", "state", "rules"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    let of_the_rest = ["--owner", "operators", "--runbook", "https://wiki.example/operate"];
    generate(JOB, &[&["obs", "generate", "prometheus"], &of_the_rest[..]].concat(), &folder.join("rules"));
    generate(JOB, &["obs", "generate", "alertmanager", "--owner", "operators"], &folder.join("rules"));
    let rules = rules(&folder.join("rules"));
    let in_table: BTreeSet<_> = ALERTS.iter().map(|(kind, alert, ..)| (*kind, *alert)).collect();
    assert_eq!(generated(&rules), in_table, "each alert has a row");

    let alertmanager = Alertmanager::start(&folder.join("rules/etl.alertmanager.yml"));
    let exporter = NodeExporter::reading(&folder.join("textfiles"));
    let (gateway, sink) = (Pushgateway::start(), Pushgateway::start());
    let ports = [ports::free(), ports::free()];
    let service = serve(program(folder, "service", "scrape", Programs::BUDGETS), ports[0], &sink);
    let killed = serve(program(folder, "killed", "scrape", Programs::BUDGETS), ports[1], &sink);
    let mut programs = Programs {
        folder,
        gateway,
        sink,
        ports,
        service: Some(service),
        killed: Some(killed),
        budgets: Programs::BUDGETS,
        lines: 0,
    };
    let prometheus = prometheus(folder, &rules, &programs, &exporter, &alertmanager);
    let watch = Watch::new(alertmanager);

    let refresh = |programs: &mut Programs<'_>, way: &str| {
        programs.run("refresh", way);
        wait_for_scrapes(&prometheus);
    };
    programs.run("sync", "ok");
    programs.write_killed("refresh ok");
    // Until everything has a past.
    let past = "count(cli_command_last_duration_seconds{command=\"refresh\"} offset 13s) >= 4 and \
                count(obs:operation_duration_seconds:p95_1h offset 14s) >= 2 and \
                count(obs:command_duration_seconds:p95_1h offset 14s) >= 2 and \
                count(obs:operation_cost_usd:increase1d{operation=\"query\"} offset 19s > 0) >= 2";
    wait::until("a past", SLOWEST, || {
        refresh(&mut programs, "ok");
        (!prometheus.query(past).is_empty()).then_some(())
    });
    assert_eq!(watch.firing(), BTreeSet::new(), "everything is in order");

    programs.sink.stop();
    let mut way = "spend";
    let fired = wait::poll(SLOWEST, || {
        refresh(&mut programs, way);
        way = "bad";
        watch.missing(When::Bad).is_empty().then_some(())
    });
    assert!(fired.is_some(), "missing: {:#?}", watch.missing(When::Bad));

    programs.sink.start_again();
    refresh(&mut programs, "errored");
    refresh(&mut programs, "errored");
    let mut ways = ["odd", "ok"].into_iter().cycle();
    let fired = wait::poll(SLOWEST, || {
        let way = if watch.missing(When::Odd).iter().any(|(alert, ..)| alert == "ObsCheckErrored") {
            "errored"
        } else {
            ways.next().unwrap()
        };
        refresh(&mut programs, way);
        watch.missing(When::Odd).is_empty().then_some(())
    });
    assert!(fired.is_some(), "missing: {:#?}", watch.missing(When::Odd));

    // A textfile is written when the outermost command begins, so that it does not know of a command within at once.
    let hanging = [("textfile", "refresh"), ("textfile", "ad-hoc"), ("pushgateway", "refresh")];
    let hanging = hanging.map(|(of, command)| programs.job(of, [command, "hang"]));
    programs.write_killed("refresh hang");
    let too_long = |missing: &Key| missing.0 == "ObsCommandRunsTooLong";
    wait::until_true("a run that takes too long is seen", || !watch.missing(When::Killed).iter().any(too_long));
    for job in hanging {
        job.signal("KILL");
        assert_eq!(job.finish().code(), None);
    }
    programs.budgets = Programs::LARGER;
    programs.kill();
    let fired = wait::poll(SLOWEST, || {
        refresh(&mut programs, "ok");
        (watch.missing(When::Killed).is_empty() && watch.missing(When::Idle).is_empty()).then_some(())
    });
    assert!(fired.is_some(), "missing: {:#?} {:#?}", watch.missing(When::Killed), watch.missing(When::Idle));
    // What says the same less clearly is seen, and not sent.
    let less_clear = watch.alertmanager.alerts("ObsCommandWithoutSuccess");
    assert!(!less_clear.is_empty());
    for alert in less_clear {
        assert_eq!(alert["status"]["state"], "suppressed", "{alert:#}");
    }

    programs.serve_again();
    programs.run("sync", "ok");
    programs.run("late", "ok");
    let rest = wait::poll(SLOWEST, || {
        refresh(&mut programs, "ok");
        watch.firing().is_empty().then_some(())
    });
    assert!(rest.is_some(), "still firing: {:#?}", watch.firing());
    check(&watch.seen());
}

/// Compares what was seen with the table: no other alert fired, and each has its owner, its runbook and the receiver of its owner.
fn check(seen: &BTreeMap<Key, Value>) {
    // A Pushgateway knows what is counted if a scrape comes between begin and end of a run.
    let may = |alert: &str, subject: &str, way: &str| {
        let row = ALERTS.iter().find(|row| (row.1, row.2) == (alert, subject));
        row.is_some_and(|row| row.5 == COUNTED && way == "pushgateway")
            || [BEGINS_TO_COST, FAILS_FOR_LONG].contains(&(alert, subject))
    };
    let expected = keys(None);
    let unexpected: Vec<_> =
        seen.keys().filter(|key| !expected.contains(*key) && !may(&key.0, &key.1, &key.2)).collect();
    assert!(unexpected.is_empty(), "not in the table: {unexpected:#?}");
    for (_, name, subject, _, _, ways, owner, runbook) in ALERTS {
        for way in *ways {
            let alert = &seen[&((*name).to_owned(), (*subject).to_owned(), (*way).to_owned())];
            assert_eq!(alert["labels"]["owner"], *owner, "{alert:#}");
            assert_eq!(alert["annotations"]["runbook"], format!("https://wiki.example/{runbook}"), "{alert:#}");
            let receiver = format!("{owner}-{}", alert["labels"]["severity"].as_str().unwrap());
            assert_eq!(alert["receivers"][0]["name"], receiver, "{alert:#}");
            for text in ["summary", "description"] {
                let text = alert["annotations"][text].as_str().unwrap();
                assert!(!text.is_empty() && !text.contains("{{") && !text.contains("<no value>"), "{alert:#}");
            }
        }
    }
}
