//! Schedules at changes of the clock and at the ends of months: the real program, at such times, writes when its next run is due, and
//! promtool goes through the time until then with these values and the generated rules. A run in the last second that is allowed is no
//! alert; one that comes a minute later is one, until it comes; and so is one that does not come.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use obs_tests::process::Process;
use obs_tests::tools;

use crate::generate::generate;

const JOB: &str = env!("CARGO_BIN_EXE_calendar-job");

/// `margin` of the commands, in seconds.
const MARGIN: i64 = 600;

/// Seconds between two samples near the time at which a run is due.
const STEP: i64 = 30;

/// A start and the time at which the next run is due.
const CASES: [(&str, &str, &str); 9] = [
    // At the end of March 02:30 does not come: two days until the next run, less an hour.
    ("at-half-past-two", "2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"),
    ("at-half-past-two", "2026-03-27T01:30:00Z", "2026-03-28T01:30:00Z"),
    // At the end of October it comes twice: the first one counts, and the second one is no run that is due.
    ("at-half-past-two", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"),
    ("at-half-past-two", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
    // 23 hours and 25 hours.
    ("at-three", "2026-03-28T02:00:00Z", "2026-03-29T01:00:00Z"),
    ("at-three", "2026-10-24T01:00:00Z", "2026-10-25T02:00:00Z"),
    // February has no 31st, neither has April.
    ("at-the-end", "2027-01-31T23:30:00Z", "2027-03-31T23:30:00Z"),
    ("at-the-end", "2027-03-31T23:30:00Z", "2027-05-31T23:30:00Z"),
    ("at-the-end", "2026-12-31T23:30:00Z", "2027-01-31T23:30:00Z"),
];

/// A run's start, and when the next one is due, as the program writes them.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: f64,
    due: f64,
}

fn float(second: i64) -> f64 {
    i32::try_from(second).unwrap().into()
}

fn seconds(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_second()
}

/// Runs the command at this time, by the clock of `faketime`.
fn run_at(command: &str, second: i64) -> (Run, String) {
    let folder = tempfile::tempdir().unwrap();
    let time = Timestamp::from_second(second).unwrap().strftime("%Y-%m-%d %H:%M:%S").to_string();
    let job = Process::new(tools::program(&["faketime"])).args(&[&time, JOB, command]).env("TZ", "UTC");
    let job = job.env("PROMETHEUS_TEXTFILE_DIR", folder.path()).env("OBS_STATE_DIR", folder.path().join("state"));
    let ended = job.env("SERVICE_NAME", "etl").env("PROMETHEUS_PORT", "0").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let text = std::fs::read_to_string(folder.path().join("etl.prom")).unwrap();
    let of_command = format!("command=\"{command}\"");
    let line = |name: &str| text.lines().find(|line| line.starts_with(name) && line.contains(&of_command)).unwrap();
    let value = |name: &str| line(name).rsplit_once(' ').unwrap().1.parse::<f64>().unwrap();
    let run = Run {
        start: value("cli_command_last_start_timestamp_seconds"),
        due: value("cli_command_next_run_timestamp_seconds"),
    };
    assert!((0.0..60.0).contains(&(run.start - float(second))), "{time}: {run:?}");
    let schedule = line("cli_command_schedule_info").rsplit_once('}').unwrap().0.split_once('{').unwrap().1.to_owned();
    (run, schedule)
}

/// A run, and the one that follows it, or none.
struct Story {
    first: Run,
    then: Option<Run>,
    schedule: String,
}

impl Story {
    /// The samples of a metric from one time to another, as seconds since `begin`.
    fn values(&self, of: impl Fn(Run) -> f64, begin: i64, end: i64, step: i64) -> String {
        let mut text = String::new();
        for at in (begin..=end).step_by(usize::try_from(step).unwrap()) {
            // A start is seen by the scrape after it.
            let run = self.then.filter(|run| run.start <= float(at)).unwrap_or(self.first);
            write!(text, " {:.3}", of(run) - float(begin)).unwrap();
        }
        text.trim_start().to_owned()
    }

    /// A unit test from one time to another, with the times at which the alert fires and all at which it is asked.
    fn test(&self, command: &str, begin: i64, end: i64, step: i64, fires: impl Fn(i64) -> bool) -> String {
        let process =
            format!("service=\"etl\",environment=\"dev\",command=\"{command}\",job=\"node\",instance=\"host-1\"");
        let mut text = format!("- interval: {step}s\n  input_series:\n");
        let mut series = |name: &str, labels: &str, values: String| {
            writeln!(text, "  - series: '{name}{{{labels}}}'\n    values: '{values}'").unwrap();
        };
        series("cli_command_last_start_timestamp_seconds", &process, self.values(|run| run.start, begin, end, step));
        series("cli_command_next_run_timestamp_seconds", &process, self.values(|run| run.due, begin, end, step));
        let schedule = format!("{},job=\"node\",instance=\"host-1\"", self.schedule);
        series("cli_command_schedule_info", &schedule, format!("1x{}", (end - begin) / step));
        let firing = "ALERTS{alertname=\"ObsCommandMissed\",alertstate=\"firing\"}";
        let times: Vec<i64> = (begin..=end).step_by(usize::try_from(step).unwrap()).filter(|at| fires(*at)).collect();
        text += "  promql_expr_test:\n";
        let mut ask = |expr: &str, at: i64, value: usize| {
            let at = at - begin;
            writeln!(
                text,
                "  - {{expr: '{expr}', eval_time: {at}s, exp_samples: [{{labels: '{{}}', value: {value}}}]}}"
            )
            .unwrap();
        };
        // When it fires first and last, and how often.
        for at in [times.first(), times.last()].into_iter().flatten() {
            ask(&format!("count({firing})"), *at, 1);
        }
        ask(&format!("sum(count_over_time({firing}[{}s])) or vector(0)", end - begin), end, times.len());
        text
    }
}

fn promtool(folder: &Path, command: &str, interval: i64, tests: &str) -> Result<(), String> {
    let text =
        format!("rule_files: [etl.command-{command}.rules.yml]\nevaluation_interval: {interval}s\ntests:\n{tests}");
    std::fs::write(folder.join("calendar.test.yml"), text).unwrap();
    let mut promtool = Command::new(tools::program(&["promtool"]));
    let output = promtool.args(["test", "rules", "calendar.test.yml"]).current_dir(folder).output().unwrap();
    let mut remarks = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    remarks.truncate(2000);
    if output.status.success() { Ok(()) } else { Err(remarks) }
}

#[test]
fn runs_are_due_at_changes_of_the_clock_and_at_ends_of_months() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    generate(JOB, &["obs", "generate", "prometheus"], folder);
    let mut commands: std::collections::BTreeMap<&str, [String; 2]> = std::collections::BTreeMap::new();
    for (command, start, due) in CASES {
        let (start, due) = (seconds(start), seconds(due));
        let (first, schedule) = run_at(command, start);
        assert_eq!(first.due, float(due), "{command} after {start}");
        let last = due + MARGIN;
        let story =
            |then: Option<i64>| Story { first, then: then.map(|at| run_at(command, at).0), schedule: schedule.clone() };
        let (begin, end) = (due - 7200, last + 3600);
        let [fine, coarse] = commands.entry(command).or_default();
        // In time, a minute too late, and not at all.
        let in_time = story(Some(last - STEP));
        *fine += &in_time.test(command, begin, end, STEP, |_| false);
        *fine += &story(Some(last + 60 - STEP)).test(command, begin, end, STEP, |at| at > last && at < last + 60);
        *fine += &story(None).test(command, begin, end, STEP, |at| at > last);
        // All the time between two runs.
        *coarse += &in_time.test(command, start + 900, due, 900, |_| false);
    }
    for (command, [fine, coarse]) in &commands {
        for (interval, tests) in [(STEP, fine), (900, coarse)] {
            let passed = promtool(folder, command, interval, tests);
            assert!(passed.is_ok(), "{command}: {}", passed.unwrap_err());
        }
    }

    // A rule that takes each day for 24 hours fires before the run is due, or after it, at each change of the clock.
    let rules = folder.join("etl.command-at-half-past-two.rules.yml");
    let text = std::fs::read_to_string(&rules).unwrap();
    let by_days =
        text.replace("cli_command_next_run_timestamp_seconds", "86400 + cli_command_last_start_timestamp_seconds");
    assert_ne!(text, by_days);
    std::fs::write(&rules, by_days).unwrap();
    let [fine, coarse] = &commands["at-half-past-two"];
    for (interval, tests) in [(STEP, fine), (900, coarse)] {
        let remarks = promtool(folder, "at-half-past-two", interval, tests);
        assert!(remarks.is_err_and(|remarks| remarks.contains("got:")), "every {interval} s");
    }
}
