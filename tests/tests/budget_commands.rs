//! `budget list`, `show`, `set` and `reset`, and alerts of what is spent, over several processes.

use std::path::Path;

use obs_tests::calendar::within_one_month;
use obs_tests::process::{Finished, Process, Running};
use obs_tests::servers::scripted_bigquery::{Behaviour, ScriptedBigQuery};
use obs_tests::wait;
use serde_json::{Value, json};

const TIB: u64 = 1 << 40;

/// Runs a command of obs with the budgets `other` and `shared`.
fn command(folder: &Path, arguments: &[&str]) -> Finished {
    Process::new(env!("CARGO_BIN_EXE_embedded"))
        .args(&["budget"])
        .args(arguments)
        .env("LOG_LEVEL", "off")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_BUDGETS", "shared=10USD/month,other=1.5USD/week")
        .env("OBS_STATE_DIR", folder)
        .run()
}

/// Starts a process that runs a query of one dollar for each line of its input.
fn start(server: &ScriptedBigQuery, folder: &Path, usd: u32) -> Running {
    Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .env("BIGQUERY_EMULATOR_HOST", server.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("BIGQUERY_USD_PER_TIB", "1")
        .env("OBS_BUDGETS", format!("shared={usd}USD/month"))
        .env("OBS_STATE_DIR", folder)
        .env("PROMETHEUS_PORT", "0")
        .start()
}

/// Runs one query in a process that is running, and returns its line.
fn query(running: &mut Running, number: usize) -> String {
    running.write_line("limited");
    let line = std::cell::OnceCell::new();
    running.wait_for_outputs("the query has ended", |text| {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().nth(number).is_some_and(|found| line.set(found.to_owned()).is_ok())
    });
    line.into_inner().unwrap()
}

fn server(polls: Option<u32>) -> ScriptedBigQuery {
    ScriptedBigQuery::start(Behaviour { polls, estimated_bytes: TIB, billed_bytes: TIB, ..Behaviour::default() })
}

/// The fields of a budget in the answer of `show`.
fn shown(folder: &Path) -> Value {
    let shown = command(folder, &["show", "shared", "--format", "json"]);
    assert_eq!(shown.code(), Some(0), "{shown:?}");
    shown.json()
}

#[test]
fn budgets_are_listed_as_a_table_and_as_json() {
    within_one_month(|| {
        let (server, folder) = (server(Some(1)), tempfile::tempdir().unwrap());
        let mut running = start(&server, folder.path(), 10);
        assert_eq!(query(&mut running, 1), "ok 1");
        let _ = running.finish();
        let list = command(folder.path(), &["list"]);
        assert_eq!(list.code(), Some(0), "{list:?}");
        let rows: Vec<Vec<&str>> = list.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
        let heading = ["budget", "limit", "period", "spent", "of", "it", "estimated", "held", "left", "source"];
        assert_eq!(rows[0], heading);
        assert_eq!((rows[1][0], rows[1][1]), ("other", "1.5USD/week"));
        assert_eq!(rows[2][..2], ["shared", "10USD/month"]);
        assert_eq!(rows[2][3..], ["1.000000", "0.000000", "0.000000", "9.000000", "OBS_BUDGETS"]);
        let list = command(folder.path(), &["list", "--format", "json"]).json();
        assert_eq!(list[1], shown(folder.path()));
        assert_eq!(list[1]["spent_usd"], 1.0);
        assert_eq!(list[0]["left_usd"], 1.5);
    });
}

#[test]
fn a_limit_that_is_set_holds_for_processes_that_run() {
    within_one_month(|| {
        let (server, folder) = (server(Some(1)), tempfile::tempdir().unwrap());
        let mut running = start(&server, folder.path(), 10);
        assert_eq!(query(&mut running, 1), "ok 1");
        let set = command(folder.path(), &["set", "shared", "1.5 usd / Month"]);
        assert!(set.code() == Some(0) && set.stdout.contains("1.5USD/month"), "{set:?}");
        assert!(query(&mut running, 2).contains("$1.000000 of $1.5 are used"));
        assert_eq!(command(folder.path(), &["set", "shared", "2USD/month"]).code(), Some(0));
        assert_eq!(query(&mut running, 3), "ok 1");
        assert_eq!(
            (&shown(folder.path())["source"], &shown(folder.path())["limit"]),
            (&json!("budget set"), &json!("2USD/month"))
        );
        assert_eq!(command(folder.path(), &["reset", "shared", "--limit"]).code(), Some(0));
        assert_eq!(query(&mut running, 4), "ok 1");
        let shown = shown(folder.path());
        assert_eq!((&shown["source"], &shown["spent_usd"]), (&json!("OBS_BUDGETS"), &json!(3.0)));
    });
}

#[test]
fn a_reset_forgets_what_was_spent_and_keeps_what_is_held() {
    within_one_month(|| {
        let (server, folder) = (server(Some(1)), tempfile::tempdir().unwrap());
        let mut running = start(&server, folder.path(), 10);
        assert_eq!(query(&mut running, 1), "ok 1");
        server.change(|behaviour| behaviour.polls = None);
        running.write_line("limited");
        wait::until_true("the second job runs", || server.jobs() == 2);
        let reset = command(folder.path(), &["reset", "shared"]);
        assert_eq!(reset.code(), Some(0), "{reset:?}");
        let shown_now = shown(folder.path());
        assert_eq!((&shown_now["spent_usd"], &shown_now["held_usd"]), (&json!(0.0), &json!(1.0)));
        assert_eq!(shown_now["unsettled_jobs"], json!([]));
        // Its process is killed: the job is listed until a query asks BigQuery about it.
        drop(running);
        let unsettled = &shown(folder.path())["unsettled_jobs"];
        assert_eq!((&unsettled[0]["project"], &unsettled[0]["estimate_usd"]), (&json!("p"), &json!(1.0)));
        let table = command(folder.path(), &["show", "shared"]).stdout;
        assert!(table.contains("unsettled job") && table.contains("obs_"), "{table}");
    });
}

#[test]
fn wrong_use_is_said_with_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, error) in [
        (["show", "sharde"], "error: there is no budget `sharde`: define it, as OBS_BUDGETS=\"sharde=50USD/day\"\n"),
        (["reset", "sharde"], "error: there is no budget `sharde`: define it, as OBS_BUDGETS=\"sharde=50USD/day\"\n"),
    ] {
        let ended = command(folder.path(), &arguments);
        assert_eq!((ended.code(), &*ended.stderr, &*ended.stdout), (Some(3), error, ""));
    }
    for (limit, near) in [("50USD/days", "50USD/day"), ("50/week", "50USD/week"), ("50EUR/month", "50USD/month")] {
        let ended = command(folder.path(), &["set", "shared", limit]);
        let error = format!(
            "error: `{limit}` is no limit; allowed: 50USD/day, 50USD/week or 50USD/month; did you mean `{near}`?\n"
        );
        assert_eq!((ended.code(), ended.stderr), (Some(3), error));
    }
    for limit in ["", "much", "1USD/day,2USD/day", "1USD/day,b=2USD/day"] {
        let ended = command(folder.path(), &["set", "shared", limit]);
        assert!(ended.code() == Some(3) && ended.stderr.contains("is no limit; allowed:"), "{ended:?}");
    }
    let unwritable = command(obs_tests::faults::read_only_folder(), &["list"]);
    assert!(unwritable.code() == Some(3) && unwritable.stderr.contains("cannot be read or written"), "{unwritable:?}");
}

#[test]
fn each_part_of_a_budget_is_alerted_of_once_over_all_processes() {
    within_one_month(|| {
        let (server, folder) = (server(Some(1)), tempfile::tempdir().unwrap());
        let mut running: Vec<Running> = (0..4).map(|_| start(&server, folder.path(), 20)).collect();
        for process in &mut running {
            (0..5).for_each(|_| process.write_line("limited"));
        }
        let ended: Vec<Finished> = running.into_iter().map(Running::finish).collect();
        let alerts = |ended: &[Finished]| {
            let lines = ended.iter().flat_map(Finished::log).filter(|line| line["reason"] == "threshold");
            let mut alerts: Vec<(f64, String)> =
                lines.map(|line| (line["threshold_usd"].as_f64().unwrap(), line["budget"].to_string())).collect();
            alerts.sort_by(|left, right| left.0.total_cmp(&right.0));
            alerts
        };
        let shared = || "\"shared\"".to_owned();
        assert_eq!(alerts(&ended), [(10.0, shared()), (16.0, shared()), (20.0, shared())], "{}", ended[0].stderr);
        // Of several parts at once only the highest.
        assert_eq!(command(folder.path(), &["reset", "shared"]).code(), Some(0));
        let mut again = start(&server, folder.path(), 1);
        assert_eq!(query(&mut again, 1), "ok 1");
        assert_eq!(alerts(&[again.finish()]), [(1.0, shared())]);
    });
}
