//! What `generate` makes for Prometheus and Alertmanager: rules pass their own tests, alerts arrive with owner and runbook, and what says
//! the same less clearly is not sent.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use obs_tests::process::Process;
use obs_tests::servers::{Alertmanager, NodeExporter, Prometheus};
use obs_tests::{tools, wait};
use serde_json::{Value, json};

use crate::generate::generate;

const JOB: &str = env!("CARGO_BIN_EXE_alerted-job");

/// The files in a folder that end with this.
fn files(folder: &Path, end: &str) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(end)).collect()
}

#[test]
fn the_rules_pass_their_own_tests() {
    let folder = tempfile::tempdir().unwrap();
    generate(JOB, &["obs", "generate", "prometheus"], folder.path());
    for (words, end) in [(["check", "rules"], ".rules.yml"), (["test", "rules"], ".rules.test.yml")] {
        let files = files(folder.path(), end);
        assert!(files.len() >= 6, "{files:?}");
        let mut command = Command::new(tools::program(&["promtool"]));
        let output = command.args(words).args(&files).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    }
    // A file that was changed does not fit.
    let changed = folder.path().join("etl.command-nightly.rules.yml");
    let text = std::fs::read_to_string(&changed).unwrap();
    std::fs::write(&changed, text.replace("> 0", "> 1")).unwrap();
    let path = folder.path().to_str().unwrap();
    let checked = Process::new(JOB).args(&["obs", "generate", "prometheus", "--service", "etl", "--check", path]).run();
    assert_eq!(checked.code(), Some(1), "{checked:?}");
}

#[test]
fn alerts_reach_alertmanager_with_owner_and_runbook_and_rest_again() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, textfiles) = (folder.path().join("rules"), folder.path().join("textfiles"));
    std::fs::create_dir(&textfiles).unwrap();
    generate(JOB, &["obs", "generate", "prometheus"], &rules);
    generate(JOB, &["obs", "generate", "alertmanager"], &rules);
    let alertmanager = Alertmanager::start(&rules.join("etl.alertmanager.yml"));
    let exporter = NodeExporter::reading(&textfiles);
    let more = format!(
        "rule_files: ['{}/*.rules.yml']\nalerting:\n  alertmanagers:\n  - static_configs:\n    - targets: ['{}']\n",
        rules.display(),
        alertmanager.address()
    );
    let prometheus = Prometheus::scraping_with(&[exporter.address()], &more);
    prometheus.wait_until_up();
    let job = |way: &str| {
        let job = Process::new(JOB).args(&[way]).env("PROMETHEUS_PORT", "0").env("SERVICE_NAME", "etl");
        job.env("PROMETHEUS_TEXTFILE_DIR", &textfiles).env("OBS_STATE_DIR", folder.path().join("state"))
    };
    let seen = |name: &str| wait::until(name, wait::LONG, || alertmanager.alerts(name).into_iter().next());
    let is = |alert: &Value, owner: &str, runbook: &str| {
        assert_eq!(alert["labels"]["owner"], owner, "{alert:#}");
        assert_eq!(alert["annotations"]["runbook"], runbook, "{alert:#}");
    };
    let rests = |name: &str| {
        wait::until_true(name, || {
            prometheus.query(&format!("ALERTS{{alertname=\"{name}\",alertstate=\"firing\"}}")).is_empty()
        });
    };

    assert_eq!(job("error").run().code(), Some(1));
    is(&seen("ObsCommandFailed"), "data-platform", "https://wiki.example/nightly");
    let _ = job("bad").env("OBS_BUDGETS", "nightly=7USD/month").run();
    is(&seen("ObsCheckFailed"), "growth", "https://wiki.example/ids");
    let hangs = job("hang").start();
    is(&seen("ObsCommandRunsTooLong"), "data-platform", "https://wiki.example/nightly");
    hangs.signal("KILL");
    assert_eq!(hangs.finish().code(), None);
    assert_eq!(job("ok").run().code(), Some(0));
    for name in ["ObsCommandFailed", "ObsCheckFailed", "ObsCommandRunsTooLong"] {
        rests(name);
    }
}

/// What fires, what is then not sent, and the label of what both are about.
const INHIBITED: [(&str, &str, &str); 9] = [
    ("ObsCommandFailed", "ObsCommandWithoutSuccess", "command"),
    ("ObsCommandMissed", "ObsCommandWithoutSuccess", "command"),
    ("ObsCommandRunsTooLong", "ObsCommandWithoutSuccess", "command"),
    ("ObsObjectiveBurnsFast", "ObsObjectiveBurns", "command"),
    ("ObsObjectiveBurnsFast", "ObsObjectiveBurns", "operation"),
    ("ObsLatencyObjectiveBurnsFast", "ObsLatencyObjectiveBurns", "command"),
    ("ObsLatencyObjectiveBurnsFast", "ObsLatencyObjectiveBurns", "operation"),
    ("ObsBudgetUsedUp", "ObsBudgetBurns", "budget"),
    ("ObsCheckStopped", "ObsCheckErrored", "check"),
];

#[test]
fn what_says_the_same_less_clearly_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    generate(JOB, &["obs", "generate", "alertmanager"], folder.path());
    let alertmanager = Alertmanager::start(&folder.path().join("etl.alertmanager.yml"));
    let alert = |name: &str, subject: (&str, &str), instance: &str| {
        let mut labels = json!({"alertname": name, "service": "etl", "environment": "prod", "instance": instance});
        labels[subject.0] = subject.1.into();
        json!({ "labels": labels })
    };
    let (mut sources, mut targets, mut expected) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (row, (source, target, label)) in INHIBITED.into_iter().enumerate() {
        let of = |name: &str| format!("{row}-{name}");
        let (same, other) = (of("same"), of("other"));
        // Objectives that count calls have no instance.
        for instance in ["host-1", ""] {
            sources.push(alert(source, (label, &same), instance));
            targets.push(alert(target, (label, &same), instance));
            expected.insert((target.to_owned(), same.clone(), instance.to_owned()));
        }
        targets.push(alert(target, (label, &other), "host-1"));
        targets.push(alert(target, (label, &same), "host-2"));
    }
    // One objective says nothing of the other.
    sources.push(alert("ObsObjectiveBurnsFast", ("command", "load"), "host-1"));
    targets.push(alert("ObsLatencyObjectiveBurns", ("command", "load"), "host-1"));
    let sent = sources.len() + targets.len();
    alertmanager.receive(&sources.into());
    alertmanager.receive(&targets.into());
    let text = |alert: &Value, name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
    let suppressed = || {
        let active = alertmanager.active();
        let is_suppressed = |alert: &&Value| alert["status"]["state"] == "suppressed";
        let key = |alert: &Value| {
            let subject = ["command", "operation", "budget", "check"].map(|label| text(alert, label)).concat();
            (text(alert, "alertname"), subject, text(alert, "instance"))
        };
        (active.len(), active.iter().filter(is_suppressed).map(key).collect::<BTreeSet<_>>())
    };
    wait::until_true("all alerts", || {
        let (active, suppressed) = suppressed();
        active == sent && suppressed.len() >= expected.len()
    });
    assert_eq!(suppressed().1, expected);
}
