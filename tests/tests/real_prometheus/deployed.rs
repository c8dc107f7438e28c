//! What `generate` makes for Kubernetes and systemd, by their own schemas and programs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use obs_runtime::Schedule;
use obs_tests::{kubernetes, tools};

use crate::generate::generate;

const PROGRAM: &str = env!("CARGO_BIN_EXE_embedded");

/// The commands of the program by their schedules: how many files each has for systemd and for Kubernetes.
const COMMANDS: [&str; 6] = ["load", "month-end", "nightly", "office-hours", "refresh", "twice-a-month"];

/// The text of each file, by its name without that of the service.
fn generated(target: &str, folder: &Path, arguments: &[&str]) -> Vec<(String, String)> {
    generate(PROGRAM, &[&["generate", target], arguments].concat(), folder);
    let read = |entry: Result<fs::DirEntry, std::io::Error>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().strip_prefix("etl.").unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(read).collect();
    files.sort();
    files
}

#[test]
fn kubernetes_accepts_cron_jobs_and_a_deployment_with_probes() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--image", "registry.example/etl:1", "--namespace", "data", "--cpu", "500m", "--memory", "512Mi"];
    let more = ["--service-port", "8000", "--environment", "prod", "--arguments", "nightly=load --all"];
    let more = [&more[..], &["--variable", "PROMETHEUS_PUSHGATEWAY_URL=http://pushgateway:9091"]].concat();
    let files = generated("kubernetes", folder.path(), &[&arguments[..], &more].concat());
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    let mut expected: Vec<_> = COMMANDS.iter().map(|name| format!("{name}.cronjob.yml")).collect();
    expected.push("deployment.yml".to_owned());
    expected.sort();
    assert_eq!(names, expected);
    let manifests: Vec<String> = files.into_iter().map(|(_, text)| text).collect();
    assert_eq!(kubernetes::remarks(&manifests), [""; 0]);
    // The least that can be said.
    let folder = tempfile::tempdir().unwrap();
    let files = generated("kubernetes", folder.path(), &["--image", "etl", "--service-port", "8000"]);
    let manifests: Vec<String> = files.into_iter().map(|(_, text)| text).collect();
    assert_eq!(kubernetes::remarks(&manifests), [""; 0]);

    let deployment = manifests.iter().find(|text| text.contains("kind: Deployment")).unwrap();
    for (wrong, by) in [("livenessProbe:", "livelinessProbe:"), ("containerPort: 8000", "containerPort: http")] {
        assert!(deployment.contains(wrong), "{deployment}");
        assert_ne!(kubernetes::remarks(&[deployment.replace(wrong, by)]), [""; 0]);
    }
}

#[test]
fn systemd_verifies_every_unit() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--program", "/bin/true", "--user", "root", "--environment-file", "/etc/os-release"];
    let more = ["--environment", "prod", "--arguments", "nightly=load --all 100%", "--variable", "WORDS=a \"b\" $c %d"];
    let files = generated("systemd", folder.path(), &[arguments, more].concat());
    assert_eq!(files.len(), 2 * COMMANDS.len(), "{files:?}");
    let verify = || {
        let units = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut command = Command::new(tools::program(&["systemd-analyze"]));
        let output = command.args(["verify", "--man=no"]).args(units).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    assert_eq!(verify(), (true, String::new()));
    let timer = folder.path().join("etl.nightly.timer");
    let text = fs::read_to_string(&timer).unwrap();
    fs::write(&timer, text.replace("OnCalendar=", "OnCalender=")).unwrap();
    let (_, remarks) = verify();
    assert!(remarks.contains("OnCalender"), "{remarks}");
}

/// When the lines of a timer elapse in 2026, each less often than `most` times.
fn elapses(timer: &str, most: usize) -> BTreeSet<Timestamp> {
    let mut all = BTreeSet::new();
    for calendar in timer.lines().filter_map(|line| line.strip_prefix("OnCalendar=")) {
        let mut command = Command::new(tools::program(&["systemd-analyze"]));
        command.args(["calendar", &format!("--iterations={most}"), "--base-time=2026-01-01 00:00:00 UTC", calendar]);
        let output = String::from_utf8(command.env("TZ", "UTC").output().unwrap().stdout).unwrap();
        let due = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [.., date, time, "UTC"] = words[..] else { panic!("{line}") };
            format!("{date}T{time}Z").parse::<Timestamp>().unwrap()
        };
        all.extend(output.lines().filter(|line| line.contains("elapse:") || line.contains("Iter. #")).map(due));
    }
    all.into_iter().filter(|time| time.strftime("%Y").to_string() == "2026").collect()
}

/// The clock of Berlin changes on the 29th of March, when there is no 02:30, and on the 25th of October, when there are two; those of
/// New York and Lord Howe change on other days, the latter by half an hour.
#[test]
fn timers_elapse_when_the_schedules_are_due_over_a_year() {
    let folder = tempfile::tempdir().unwrap();
    let files = generated("systemd", folder.path(), &["--program", "/bin/true"]);
    // The 1st of January 2026.
    let begin = UNIX_EPOCH + Duration::from_hours(490_896);
    let end: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    for (name, cron, zone, runs) in [
        ("load", "0 0 * * *", "UTC", 364),
        ("month-end", "0 0 31 * *", "UTC", 7),
        ("nightly", "*/30 0-4 * * *", "Europe/Berlin", 3647),
        ("office-hours", "*/30 8-17 * * mon-fri", "America/New_York", 5220),
        ("twice-a-month", "45 1 1,15 * sun", "Australia/Lord_Howe", 70),
    ] {
        let (_, timer) = files.iter().find(|(file, _)| *file == format!("{name}.timer")).unwrap();
        let schedule = Schedule::new(cron).timezone(zone);
        let next = |time: &SystemTime| schedule.next_after(*time);
        let due = std::iter::successors(schedule.next_after(begin), next);
        let due: BTreeSet<_> =
            due.map(|time| Timestamp::try_from(time).unwrap()).take_while(|time| *time < end).collect();
        assert_eq!(due.len(), runs, "{name}");
        let elapses = elapses(timer, runs + 10);
        let different: Vec<_> = elapses.symmetric_difference(&due).collect();
        assert!(different.is_empty(), "{name}: {different:?}\n{timer}");
    }
}
