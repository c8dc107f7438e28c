//! What `generate` makes: its rules pass their own tests, its alerts reach Alertmanager, its timers are due when the schedule is.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use obs_runtime::Schedule;
use obs_tests::process::Process;
use obs_tests::servers::{Alertmanager, NodeExporter, Prometheus};
use obs_tests::{tools, wait};
use serde_json::Value;

const JOB: &str = env!("CARGO_BIN_EXE_alerted-job");

fn generate(target: &str, folder: &Path) {
    let folder = folder.to_str().unwrap();
    let made = Process::new(JOB).args(&["obs", "generate", target, "--service", "etl", "--output", folder]).run();
    assert_eq!(made.code(), Some(0), "{made:?}");
    let checked = Process::new(JOB).args(&["obs", "generate", target, "--service", "etl", "--check", folder]).run();
    assert_eq!(checked.code(), Some(0), "{checked:?}");
}

/// The files in a folder that end with this.
fn files(folder: &Path, end: &str) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(end)).collect()
}

#[test]
fn the_rules_pass_their_own_tests() {
    let folder = tempfile::tempdir().unwrap();
    generate("prometheus", folder.path());
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
    generate("prometheus", &rules);
    generate("alertmanager", &rules);
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

/// The timer of the example, over a year: the clock of Berlin changes on the 29th of March, when there is no 02:30, and on the 25th
/// of October, when there are two.
#[test]
fn a_timer_is_due_when_the_schedule_is() {
    let timer = include_str!("../../../examples/generated/systemd/nightly-load.nightly-load.timer");
    let calendar = timer.lines().find_map(|line| line.strip_prefix("OnCalendar=")).unwrap();
    let mut command = Command::new(tools::program(&["systemd-analyze"]));
    command.args(["calendar", "--iterations=366", "--base-time=2026-01-01 00:00:00 UTC", calendar]).env("TZ", "UTC");
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let due = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [.., date, time, "UTC"] = words[..] else { panic!("{line}") };
        format!("{date}T{time}Z").parse::<jiff::Timestamp>().unwrap()
    };
    let lines = output.lines().filter(|line| line.contains("elapse:") || line.contains("Iter. #"));
    let of_systemd: Vec<jiff::Timestamp> = lines.map(due).collect();
    assert_eq!(of_systemd.len(), 366, "{output}");
    let schedule = Schedule::new("30 2 * * *").timezone("Europe/Berlin");
    // The 1st of January 2026.
    let mut at = UNIX_EPOCH + Duration::from_hours(490_896);
    for expected in of_systemd {
        at = schedule.next_after(at).unwrap();
        assert_eq!(jiff::Timestamp::try_from(at).unwrap(), expected);
    }
}
