//! The end of a program, or of a query's time, while a job runs: the job is cancelled, and what it costs is counted.

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use obs_runtime::Config;
use obs_runtime::bigquery::budget_used;
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::testing::capture_with;
use obs_tests::calendar::within_one_month;
use obs_tests::exposition::Samples;
use obs_tests::process::{Finished, Process, Running};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};
use obs_tests::wait;

use crate::support::TIB;

/// A server whose jobs never end, and bill another amount than estimated: 12.50 USD instead of 6.25 USD.
fn endless() -> ScriptedBigQuery {
    let behaviour = Behaviour { polls: None, estimated_bytes: TIB, billed_bytes: 2 * TIB, ..Behaviour::default() };
    ScriptedBigQuery::start(behaviour)
}

/// Starts a process that runs one kind of query, and waits until BigQuery has the job.
fn start(server: &ScriptedBigQuery, folder: &Path, query: &str) -> Running {
    let mut running = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .env("BIGQUERY_EMULATOR_HOST", server.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("OBS_BUDGETS", "shared=100USD/month")
        .env("OBS_STATE_DIR", folder)
        .env("PROMETHEUS_PORT", "0")
        .env("PROMETHEUS_TEXTFILE_DIR", folder)
        .env("SERVICE_NAME", "user")
        .start();
    writeln!(running.stdin.as_mut().unwrap(), "{query}").unwrap();
    wait::until_true("the job runs", || !server.requests(Call::Results).is_empty());
    running
}

/// US dollars of the budget: spent and held.
fn used(folder: &Path) -> (f64, f64) {
    let config = Config::default().with(|config| {
        config.state_dir = Some(folder.to_owned());
        config.budgets = vec![Budget::new("shared", 100.0, BudgetPeriod::Month)];
    });
    capture_with(config, || budget_used("shared")).value.unwrap()
}

/// Log, metrics and budget of an operation agree on its cost, and nothing is held.
fn assert_spent(ended: &Finished, folder: &Path, operation: &str, usd: f64) {
    let log = ended.log();
    let costs: Vec<_> = log.iter().filter(|line| line["cost_kind"] == "actual").map(|line| &line["cost_usd"]).collect();
    assert_eq!(costs, [usd], "{log:#?}");
    let metrics = Samples::read(&folder.join("user.prom"));
    let total = metrics.value("bigquery_total_cost_usd_total", &[("operation", operation)]);
    assert_eq!(total, Some(usd), "{metrics:?}");
    assert_eq!(used(folder), (usd, 0.0));
}

/// The lines with the cost of a command.
fn of_command(ended: &Finished, command: &str) -> Vec<String> {
    let log = ended.log();
    let messages = log.iter().filter_map(|line| line["message"].as_str());
    messages.filter(|message| message.starts_with(&format!("{command} spent"))).map(str::to_owned).collect()
}

#[test]
fn a_signal_cancels_the_running_query_and_counts_what_the_job_says() {
    within_one_month(|| {
        for (name, number) in [("TERM", 15), ("INT", 2)] {
            let (server, folder) = (endless(), tempfile::tempdir().unwrap());
            let running = start(&server, folder.path(), "until exit");
            running.signal(name);
            let ended = running.finish();
            assert_eq!(ended.status.signal(), Some(number), "{ended:?}");
            assert_eq!((server.jobs(), server.stopped()), (1, 1), "{name}");
            assert_spent(&ended, folder.path(), "limited", 12.5);
            assert_eq!(of_command(&ended, "until-exit"), ["until-exit spent $12.500000 on 1 query"]);
        }
    });
}

#[test]
fn a_signal_counts_the_estimate_when_bigquery_cannot_be_asked() {
    within_one_month(|| {
        let (server, folder) = (endless(), tempfile::tempdir().unwrap());
        (0..99).for_each(|_| server.next(Call::Cancel, Reply::Break));
        let running = start(&server, folder.path(), "limited");
        running.signal("TERM");
        let ended = running.finish();
        assert_eq!(ended.status.signal(), Some(15), "{ended:?}");
        assert_spent(&ended, folder.path(), "limited", 6.25);
        let log = ended.log();
        let said = |line: &&serde_json::Value| {
            line["message"].as_str().is_some_and(|text| text.contains("its estimate of $6.25"))
        };
        let warning = log.iter().find(said).unwrap_or_else(|| panic!("{log:#?}"));
        assert_eq!(warning["level"], "WARNING");
        assert!(ended.duration < Duration::from_mins(1), "{:?}", ended.duration);
    });
}

#[test]
fn exit_from_another_thread_cancels_the_running_query() {
    within_one_month(|| {
        let (server, folder) = (endless(), tempfile::tempdir().unwrap());
        let mut running = start(&server, folder.path(), "until exit");
        writeln!(running.stdin.as_mut().unwrap(), "now").unwrap();
        let ended = running.finish();
        assert_eq!((ended.code(), server.stopped()), (Some(3), 1), "{ended:?}");
        assert_spent(&ended, folder.path(), "limited", 12.5);
    });
}

#[test]
fn a_query_that_is_given_up_counts_what_its_job_billed_before_the_program_ends() {
    within_one_month(|| {
        let (server, folder) = (endless(), tempfile::tempdir().unwrap());
        let ended = start(&server, folder.path(), "brief").finish();
        assert!(ended.stdout.contains("error the query"), "{ended:?}");
        assert_eq!(server.stopped(), 1);
        assert_spent(&ended, folder.path(), "brief", 12.5);
        assert_eq!(of_command(&ended, "brief"), ["brief spent $12.500000 on 1 query"]);
    });
}
