//! Budgets: shared by runs and processes, never exceeded and never lost.

use std::path::Path;

use obs_runtime::bigquery::{CostLimit, budget_used};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::testing::capture_with;
use obs_runtime::{Config, QueryStatistics, bq_cost, reserve_cost, track_cost};
use obs_tests::calendar::{within_one_day, within_one_month};
use obs_tests::process::{Process, Running};
use obs_tests::servers::scripted_bigquery::{Behaviour, ScriptedBigQuery};
use obs_tests::wait;

const TIB: u64 = 1 << 40;

/// A configuration with a budget for a month; see [`within_one_month`].
fn config(folder: &Path, usd: f64) -> Config {
    let budget = Budget::new("shared", usd, BudgetPeriod::Month);
    Config::default().with(|config| {
        config.state_dir = Some(folder.to_owned());
        config.budgets = vec![budget];
        config.bigquery_usd_per_tib = 1.0.into();
    })
}

fn billed(bytes: u64) -> QueryStatistics {
    QueryStatistics { bytes_processed: bytes, bytes_billed: Some(bytes), ..QueryStatistics::default() }
}

#[bq_cost(budget = "shared")]
fn spend(estimate: u64, actual: u64) -> Result<(), obs_runtime::CostRefused> {
    reserve_cost(estimate)?.settle(&billed(actual));
    Ok(())
}

#[test]
fn a_budget_is_held_before_a_query_and_settled_after_it_across_runs() {
    within_one_month(|| {
        let folder = tempfile::tempdir().unwrap();
        let captured = capture_with(config(folder.path(), 10.0), || {
            spend(8 * TIB, 3 * TIB).unwrap();
            assert_eq!(budget_used("shared"), Ok((3.0, 0.0)));
            let refused = spend(8 * TIB, TIB).unwrap_err();
            spend(7 * TIB, 2 * TIB).unwrap();
            refused
        });
        let CostLimit::Budget { name, limit_usd, used_usd, .. } = &captured.value.limit else {
            panic!("{:?}", captured.value)
        };
        assert_eq!((name.as_str(), *limit_usd, *used_usd), ("shared", 10.0, 3.0));
        // The second reason: half of the budget is spent.
        let alerts = ["budget", "threshold"].map(|reason| ("spend".to_owned(), reason.to_owned()));
        assert_eq!(captured.records.cost_alerts, alerts);
        let later = capture_with(config(folder.path(), 10.0), || budget_used("shared"));
        assert_eq!(later.value, Ok((5.0, 0.0)));
    });
}

#[test]
fn another_period_or_time_zone_keeps_what_was_spent() {
    within_one_day(|| {
        let folder = tempfile::tempdir().unwrap();
        let with = |period, zone: &str| {
            let budget = Budget::new("shared", 10.0, period);
            config(folder.path(), 10.0).with(|config| {
                config.budgets = vec![budget];
                config.budget_timezone = zone.to_owned();
            })
        };
        capture_with(with(BudgetPeriod::Month, "UTC"), || spend(4 * TIB, 3 * TIB)).value.unwrap();
        for (period, zone) in
            [(BudgetPeriod::Day, "UTC"), (BudgetPeriod::Week, "UTC"), (BudgetPeriod::Month, "America/Anchorage")]
        {
            let used = capture_with(with(period, zone), || budget_used("shared")).value;
            assert_eq!(used, Ok((3.0, 0.0)), "{period:?} {zone}");
        }
        let refused = capture_with(with(BudgetPeriod::Day, "UTC"), || spend(8 * TIB, TIB)).value.unwrap_err();
        assert!(matches!(refused.limit, CostLimit::Budget { used_usd, .. } if used_usd == 3.0), "{refused}");
    });
}

#[test]
fn cost_without_a_reservation_is_spent_once_for_each_budget() {
    #[bq_cost(budget = "shared")]
    fn outer() {
        inner();
    }
    #[bq_cost(budget = "shared")]
    fn inner() {
        track_cost(&billed(4 * TIB));
        let held = reserve_cost(2 * TIB).unwrap();
        assert_eq!(budget_used("shared"), Ok((4.0, 2.0)));
        held.cancel();
        // Like the reservation of a program that crashed, it is held until its lease ends.
        drop(reserve_cost(TIB));
        assert_eq!(budget_used("shared"), Ok((4.0, 1.0)));
    }
    within_one_month(|| {
        let folder = tempfile::tempdir().unwrap();
        capture_with(config(folder.path(), 10.0), outer);
    });
}

#[test]
fn an_unknown_or_unavailable_budget_refuses_with_the_reason() {
    #[bq_cost(budget = "unknown")]
    fn unknown() -> Result<(), obs_runtime::CostRefused> {
        reserve_cost(1).map(drop)
    }
    let folder = tempfile::tempdir().unwrap();
    let refused = capture_with(config(folder.path(), 10.0), unknown).value.unwrap_err();
    assert_eq!(refused.limit, CostLimit::UnknownBudget { name: "unknown".into() });
    assert!(refused.to_string().contains("OBS_BUDGETS=\"unknown=50USD/day\""), "{refused}");
    let unwritable = config(obs_tests::faults::read_only_folder(), 10.0);
    let refused = capture_with(unwritable, || spend(1, 1)).value.unwrap_err();
    assert!(matches!(&refused.limit, CostLimit::BudgetUnavailable { why, .. } if why.contains("fdinfo")), "{refused}");
}

struct Jobs {
    processes: Vec<Running>,
    server: ScriptedBigQuery,
    folder: tempfile::TempDir,
}

/// Starts processes that each run queries of one dollar with a shared budget.
fn jobs(processes: usize, queries: usize, usd: u32) -> Jobs {
    let server = ScriptedBigQuery::start(Behaviour { estimated_bytes: TIB, billed_bytes: TIB, ..Behaviour::default() });
    let folder = tempfile::tempdir().unwrap();
    let start = |_| {
        let mut running = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
            .env("BIGQUERY_EMULATOR_HOST", server.host())
            .env("GOOGLE_CLOUD_PROJECT", "p")
            .env("BIGQUERY_USD_PER_TIB", "1")
            .env("OBS_BUDGETS", format!("shared={usd}USD/month"))
            .env("OBS_STATE_DIR", folder.path())
            .env("PROMETHEUS_PORT", "0")
            .start();
        let input = running.stdin.as_mut().unwrap();
        std::io::Write::write_all(input, "limited\n".repeat(queries).as_bytes()).unwrap();
        running
    };
    Jobs { processes: (0..processes).map(start).collect(), server, folder }
}

/// US dollars spent and held.
fn used(folder: &Path) -> (f64, f64) {
    capture_with(config(folder, 0.0), || budget_used("shared")).value.unwrap()
}

fn assert_database_is_intact(folder: &Path) {
    let file = rusqlite::Connection::open(folder.join("budgets.sqlite3")).unwrap();
    let check: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn twenty_processes_of_fifty_queries_spend_exactly_the_budget() {
    within_one_month(|| {
        let Jobs { processes, server, folder } = jobs(20, 50, 400);
        let ended: Vec<_> = processes.into_iter().map(Running::finish).collect();
        let lines = |begin: &str| {
            ended.iter().flat_map(|job| job.stdout.lines()).filter(|line| line.starts_with(begin)).count()
        };
        assert_eq!((lines("ok 1"), lines("refused"), server.jobs()), (400, 600, 400), "{}", ended[0].stdout);
        assert_eq!(used(folder.path()), (400.0, 0.0));
        assert_database_is_intact(folder.path());
    });
}

#[test]
fn killed_processes_neither_exceed_nor_damage_a_budget() {
    within_one_month(|| {
        let Jobs { mut processes, server, folder } = jobs(20, 50, 400);
        wait::until_true("the processes run queries", || server.jobs() > 100);
        let survivors = processes.split_off(10);
        // The drop kills them, mostly between a reservation and its settlement.
        drop(processes);
        let ended: Vec<_> = survivors.into_iter().map(Running::finish).collect();
        let ok = ended.iter().flat_map(|job| job.stdout.lines()).filter(|line| line.starts_with("ok 1")).count();
        assert!(ended.iter().all(|job| job.stdout.lines().count() == 51), "{}", ended[0].stdout);
        assert_database_is_intact(folder.path());
        let (spent, held) = used(folder.path());
        let (ok, ran) = (f64::from(u32::try_from(ok).unwrap()), f64::from(u32::try_from(server.jobs()).unwrap()));
        // What ran is spent, or held for the killed processes: at most one dollar each.
        assert!(
            ok <= spent && ran <= spent + held && spent + held <= 400.0 && held <= 10.0,
            "{ok} {spent} {held} {ran}"
        );
    });
}
