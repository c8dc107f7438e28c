//! The rules of an objective against those of [sloth](https://sloth.dev) for the same one: over days of series with errors, slow calls, pauses
//! and a restart, their alerts fire and rest at the same times. sloth v0.16.0 made `sloth/request.rules.yml` of `sloth/request.yml`;
//! `tests/run.sh sloth` does so again and compares.
//!
//! What has a schedule is not compared: its objective counts runs, and sloth has nothing like it. A job that runs once a day has no error
//! ratio over an hour, so by sloth's rules its first failure would page for five minutes, and never again.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use obs_tests::tools;

use crate::generate::generate;

const JOB: &str = env!("CARGO_BIN_EXE_frequent-job");

/// Minutes, calls a minute, failures a minute, slow calls a minute: each pair of windows has something to fire on, and something not to.
const PHASES: [(u32, f64, f64, f64); 19] = [
    (1440, 600.0, 0.1, 0.2),
    // 13.44 times the budget and more, for longer than an hour, and for a moment.
    (70, 600.0, 12.0, 0.0),
    (300, 600.0, 0.0, 0.0),
    (4, 600.0, 600.0, 0.0),
    (400, 600.0, 0.0, 9.0),
    // No calls.
    (180, 0.0, 0.0, 0.0),
    (120, 600.0, 0.3, 30.0),
    (240, 600.0, 0.6, 0.6),
    // 5.6 times the budget for hours, at its edge.
    (400, 600.0, 3.5, 3.5),
    (600, 600.0, 0.0, 0.1),
    // 2.8 times for a day.
    (1000, 600.0, 1.8, 0.5),
    (300, 20.0, 0.0, 0.0),
    (30, 20.0, 20.0, 1.0),
    (700, 600.0, 0.0, 1.7),
    (600, 600.0, 0.59, 0.5),
    (60, 600.0, 8.0, 8.4),
    (600, 600.0, 0.2, 0.0),
    (10, 600.0, 100.0, 100.0),
    (1000, 600.0, 0.0, 0.0),
];

/// The minute at which the program restarts: its counters begin at 0 again.
const RESTART: u32 = 2000;

/// The values of successes, failures, all calls and those in time, two minutes apart.
fn series() -> [String; 4] {
    let mut totals = [0.0; 4];
    let mut texts: [String; 4] = std::array::from_fn(|_| "0".to_owned());
    let mut minute = 0;
    for (minutes, calls, failures, slow) in PHASES {
        for _ in 0..minutes / 2 {
            minute += 2;
            if minute == RESTART {
                totals = [0.0; 4];
            }
            for ((total, text), more) in
                totals.iter_mut().zip(&mut texts).zip([calls - failures, failures, calls, calls - slow])
            {
                *total += 2.0 * more;
                write!(text, " {total:.2}").unwrap();
            }
        }
    }
    texts
}

#[test]
fn objectives_fire_and_rest_when_those_of_sloth_do() {
    let folder = tempfile::tempdir().unwrap();
    generate(JOB, &["obs", "generate", "prometheus"], folder.path());
    std::fs::write(folder.path().join("sloth.yml"), include_str!("sloth/request.rules.yml")).unwrap();
    std::fs::write(folder.path().join("test.yml"), test()).unwrap();
    let output = promtool(folder.path());
    assert!(output.is_ok(), "{}", output.unwrap_err());

    // It is told when they differ: an objective of another budget, and another window.
    let rules = folder.path().join("etl.operation-request.rules.yml");
    let text = std::fs::read_to_string(&rules).unwrap();
    let other = text.replace("> 0.0056\n", "> 0.006\n").replace("ratio_rate3d{", "ratio_rate1d{");
    assert_ne!(text, other);
    std::fs::write(&rules, other).unwrap();
    let remarks = promtool(folder.path()).unwrap_err();
    // Each of the four alerts.
    assert_eq!(remarks.matches("got:").count(), 4, "{remarks}");
}

fn promtool(folder: &Path) -> Result<(), String> {
    let mut command = Command::new(tools::program(&["promtool"]));
    let output = command.args(["test", "rules", "test.yml"]).current_dir(folder).output().unwrap();
    let mut remarks = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    remarks.truncate(8000);
    if output.status.success() { Ok(()) } else { Err(remarks) }
}

/// The unit test for promtool: at each ten minutes both fire or both rest, and each does both for a while.
fn test() -> String {
    let mut text = "rule_files: [etl.operation-request.rules.yml, sloth.yml]\nevaluation_interval: 10m\ngroup_eval_order:\n\
                    - etl operation request\n- sloth-slo-sli-recordings-etl-request-errors\n- sloth-slo-meta-recordings-etl-request-errors\n\
                    - sloth-slo-alerts-etl-request-errors\n- sloth-slo-sli-recordings-etl-request-latency\n\
                    - sloth-slo-meta-recordings-etl-request-latency\n- sloth-slo-alerts-etl-request-latency\n\
                    tests:\n- interval: 2m\n  input_series:\n"
        .to_owned();
    let labels = "service=\"etl\",environment=\"prod\",operation=\"request\",job=\"app\",instance=\"host-1\"";
    let names = ["success_total", "failure_total", "duration_seconds_count", "duration_seconds_bucket"];
    for (name, values) in names.into_iter().zip(series()) {
        let more = match name {
            "failure_total" => ",outcome=\"error\"",
            "duration_seconds_bucket" => ",outcome=\"ok\",le=\"0.25\"",
            "duration_seconds_count" => ",outcome=\"ok\"",
            _ => "",
        };
        writeln!(text, "  - series: 'operation_{name}{{{labels}{more}}}'\n    values: '{values}'").unwrap();
    }
    text += "  promql_expr_test:\n";
    let last = PHASES.iter().map(|(minutes, ..)| minutes).sum::<u32>() / 10 * 10;
    let mut ask = |expr: String| {
        writeln!(text, "  - {{expr: '{expr}', eval_time: {last}m, exp_samples: [{{labels: '{{}}', value: 1}}]}}")
            .unwrap();
    };
    for (ours, theirs, severity) in [
        ("ObsObjectiveBurnsFast", "RequestErrors", "page"),
        ("ObsObjectiveBurns", "RequestErrors", "ticket"),
        ("ObsLatencyObjectiveBurnsFast", "RequestLatency", "page"),
        ("ObsLatencyObjectiveBurns", "RequestLatency", "ticket"),
    ] {
        let fires = |selector: String| format!("(count(ALERTS{{alertstate=\"firing\",{selector}}}) or vector(0))");
        let ours_fires = fires(format!("alertname=\"{ours}\""));
        let theirs_fires = fires(format!("alertname=\"{theirs}\",sloth_severity=\"{severity}\""));
        ask(format!("min_over_time(({ours_fires} == bool {theirs_fires})[{last}m:10m])"));
        let steps = format!("sum(count_over_time(ALERTS{{alertstate=\"firing\",alertname=\"{ours}\"}}[{last}m]))");
        ask(format!("{steps} > bool 10"));
        ask(format!("{steps} < bool {}", last / 10 - 50));
    }
    text
}
