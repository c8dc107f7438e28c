//! Killed processes: what their jobs cost is booked by the next query with the budget, exactly, and nothing is refused meanwhile
//! that may run.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;

use obs_runtime::bigquery::{CostReservation, budget_used};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::testing::capture_with;
use obs_runtime::{Config, CostRefused, bq_cost, reserve_cost};
use obs_tests::calendar::within_one_month;
use obs_tests::process::{Finished, Process, Running};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, Reply, ScriptedBigQuery};
use obs_tests::wait;
use serde_json::json;

const TIB: u64 = 1 << 40;

/// A server whose jobs are estimated at two dollars and cost one, and a folder for the budget.
struct Site {
    server: ScriptedBigQuery,
    folder: tempfile::TempDir,
    /// `BIGQUERY_USD_PER_TIB`.
    prices: &'static str,
}

impl Site {
    fn new(polls: Option<u32>) -> Self {
        let behaviour = Behaviour { polls, estimated_bytes: 2 * TIB, billed_bytes: TIB, ..Behaviour::default() };
        Self { server: ScriptedBigQuery::start(behaviour), folder: tempfile::tempdir().unwrap(), prices: "1" }
    }

    /// Starts a process that runs queries with a budget of so many US dollars.
    fn start(&self, queries: usize, usd: usize) -> Running {
        let mut running = Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
            .env("BIGQUERY_EMULATOR_HOST", self.server.host())
            .env("GOOGLE_CLOUD_PROJECT", "p")
            .env("BIGQUERY_USD_PER_TIB", self.prices)
            .env("OBS_BUDGETS", format!("shared={usd}USD/month"))
            .env("OBS_STATE_DIR", self.folder.path())
            .env("PROMETHEUS_PORT", "0")
            .start();
        (0..queries).for_each(|_| running.write_line("limited"));
        running
    }

    /// Starts a process and kills it when its job runs.
    fn kill_while_the_job_runs(&self, usd: usize) {
        let before = self.server.jobs();
        // No answer about the job, so that the process cannot see its end.
        (0..99).for_each(|_| self.server.next(Call::Get, Reply::Break));
        let running = self.start(1, usd);
        wait::until_true("the job runs", || self.server.jobs() > before);
        drop(running);
        self.server.clear();
    }

    /// What the next query with the budget says.
    fn touch(&self, usd: usize) -> Finished {
        self.start(1, usd).finish()
    }

    /// US dollars spent and held.
    fn used(&self) -> (f64, f64) {
        used(self.folder.path())
    }

    /// Changes rows of the store, as time would.
    fn change(&self, sql: &str) {
        let file = rusqlite::Connection::open(self.folder.path().join("budgets.sqlite3")).unwrap();
        file.busy_timeout(wait::LONG).unwrap();
        file.execute_batch(sql).unwrap();
    }
}

fn config(folder: &Path) -> Config {
    Config::default().with(|config| {
        config.state_dir = Some(folder.to_owned());
        config.budgets = vec![Budget::new("shared", 1000.0, BudgetPeriod::Month)];
        config.bigquery_usd_per_tib = 1.0.into();
    })
}

fn used(folder: &Path) -> (f64, f64) {
    capture_with(config(folder), || budget_used("shared")).value.unwrap()
}

/// The messages of a process's log that contain a text.
fn said(ended: &Finished, text: &str) -> Vec<String> {
    let log = ended.log();
    let messages = log.iter().filter_map(|line| line["message"].as_str());
    messages.filter(|message| message.contains(text)).map(str::to_owned).collect()
}

fn assert_ran(ended: &Finished) {
    assert!(ended.stdout.lines().any(|line| line == "ok 1"), "{ended:?}");
}

/// A number below `below`.
fn random(below: usize) -> usize {
    let random = RandomState::new().build_hasher().finish();
    usize::try_from(random % u64::try_from(below).unwrap()).unwrap()
}

#[test]
fn twenty_processes_of_which_a_third_is_killed_at_random_leave_an_exact_budget() {
    within_one_month(|| {
        const QUERIES: usize = 8;
        let site = Site::new(Some(1));
        // All queries together cost at most 160 dollars, and running ones hold twice their cost.
        let usd = 20 * QUERIES + 20 * 2;
        let mut processes: Vec<Running> = (0..20).map(|_| site.start(QUERIES, usd)).collect();
        let survivors = processes.split_off(7);
        let mut kills: Vec<(usize, Running)> = processes.into_iter().map(|running| (random(100), running)).collect();
        kills.sort_by_key(|(at, _)| *at);
        let points: Vec<usize> = kills.iter().map(|(at, _)| *at).collect();
        for (at, running) in kills {
            wait::until_true("queries run", || site.server.requests(Call::Insert).len() >= at);
            drop(running);
        }
        for ended in survivors.into_iter().map(Running::finish) {
            let lines: Vec<&str> = ended.stdout.lines().skip(1).collect();
            assert_eq!(lines, ["ok 1"; QUERIES], "killed at {points:?}: {ended:?}");
        }
        // The jobs of killed processes end, and their requests are no longer on their way.
        site.server.change(|behaviour| behaviour.polls = Some(0));
        site.change("UPDATE holds SET at = at - 60000");
        // What is left is just enough, if each job is booked at its cost.
        let jobs = site.server.jobs();
        let ended = site.touch(jobs + 2);
        assert_ran(&ended);
        assert_eq!(site.server.jobs(), jobs + 1);
        let jobs = f64::from(u32::try_from(jobs + 1).unwrap());
        assert_eq!(site.used(), (jobs, 0.0), "killed at {points:?}: {}", ended.stderr);
    });
}

#[test]
fn a_killed_job_costs_what_bigquery_says_and_is_held_while_it_runs() {
    within_one_month(|| {
        let site = Site::new(None);
        site.kill_while_the_job_runs(100);
        assert_eq!(site.used(), (0.0, 2.0));
        // The job still runs when the next process asks.
        site.server.next(Call::Get, Reply::Answer(200, json!({"status": {"state": "RUNNING"}})));
        site.server.change(|behaviour| behaviour.polls = Some(1));
        let ended = site.touch(100);
        assert_ran(&ended);
        assert_eq!((site.used(), said(&ended, "whose process has ended")), ((1.0, 2.0), vec![]));
        site.server.change(|behaviour| behaviour.polls = Some(0));
        let ended = site.touch(100);
        assert_ran(&ended);
        assert_eq!(site.used(), (3.0, 0.0));
        let said = said(&ended, "whose process has ended, cost $1.000000 of the $2.000000 held for it");
        assert_eq!(said.len(), 1, "{}", ended.stderr);
    });
}

#[test]
fn a_killed_job_costs_what_its_location_costs() {
    within_one_month(|| {
        let site = Site { prices: "1,europe-west3=3", ..Site::new(None) };
        site.server.change(|behaviour| "europe-west3".clone_into(&mut behaviour.location));
        site.kill_while_the_job_runs(100);
        assert_eq!(site.used(), (0.0, 6.0));
        site.server.change(|behaviour| behaviour.polls = Some(0));
        let ended = site.touch(100);
        assert!(ended.stdout.lines().any(|line| line == "ok 3"), "{ended:?}");
        let asked = site.server.requests(Call::Get);
        assert!(asked.iter().all(|request| request.path.contains("location=europe-west3")), "{asked:?}");
        assert_eq!((site.used(), said(&ended, "cost $3.000000 of the $6.000000 held").len()), ((6.0, 0.0), 1));
    });
}

#[test]
fn a_crash_loop_cannot_spend_more_than_the_budget() {
    within_one_month(|| {
        let site = Site::new(None);
        (0..3).for_each(|_| site.kill_while_the_job_runs(6));
        // Three jobs hold two dollars each.
        for _ in 0..2 {
            let refused = site.touch(6);
            assert!(refused.stdout.contains("refused which is over what is left of the budget"), "{refused:?}");
        }
        assert_eq!((site.server.jobs(), site.used()), (3, (0.0, 6.0)));
        site.server.change(|behaviour| behaviour.polls = Some(0));
        assert_ran(&site.touch(6));
        assert_eq!((site.server.jobs(), site.used()), (4, (4.0, 0.0)));
    });
}

#[test]
fn a_job_that_was_never_created_costs_nothing() {
    within_one_month(|| {
        let site = Site::new(Some(1));
        // The insert is not answered and has no effect; the process is killed meanwhile.
        (0..99).for_each(|_| site.server.next(Call::Insert, Reply::Break));
        let running = site.start(1, 100);
        wait::until_true("the job is sent", || !site.server.requests(Call::Insert).is_empty());
        drop(running);
        site.server.clear();
        // BigQuery may not show the job yet.
        assert_ran(&site.touch(100));
        assert_eq!((site.server.jobs(), site.used()), (1, (1.0, 2.0)));
        site.change("UPDATE holds SET at = at - 60000");
        assert_ran(&site.touch(100));
        assert_eq!((site.server.jobs(), site.used()), (2, (2.0, 0.0)));
    });
}

#[test]
fn what_bigquery_does_not_say_by_the_end_of_the_lease_is_booked_at_the_estimate() {
    within_one_month(|| {
        let forbidden = || Reply::error(403, "accessDenied", "Access Denied: Job p:obs_1");
        let site = Site::new(Some(1));
        site.kill_while_the_job_runs(100);
        site.server.next(Call::Get, forbidden());
        let ended = site.touch(100);
        assert_ran(&ended);
        assert_eq!(site.used(), (1.0, 2.0), "its lease has not ended");
        // The server ends the job, but denies access to it once more.
        site.change("UPDATE holds SET at = at - 700000, lease_ends = lease_ends - 700000");
        assert_eq!(site.used(), (3.0, 0.0));
        site.server.next(Call::Get, forbidden());
        let ended = site.touch(100);
        assert_ran(&ended);
        assert_eq!(site.used(), (4.0, 0.0));
        let said = said(&ended, "(accessDenied): its estimate of $2.000000 counts as spent");
        assert_eq!(said.len(), 1, "{}", ended.stderr);
    });
}

#[test]
fn a_cancelled_query_that_bigquery_was_not_asked_about_is_booked_by_the_next_process() {
    within_one_month(|| {
        let site = Site::new(None);
        (0..99).for_each(|_| site.server.next(Call::Cancel, Reply::Break));
        let running = site.start(1, 100);
        wait::until_true("the job runs", || site.server.jobs() == 1);
        running.signal("TERM");
        let _ = running.finish();
        assert_eq!(site.used(), (2.0, 0.0), "the estimate, until BigQuery is asked");
        site.server.clear();
        site.server.change(|behaviour| behaviour.polls = Some(0));
        assert_ran(&site.touch(100));
        assert_eq!(site.used(), (2.0, 0.0), "one dollar for each job");
        assert_eq!(site.server.jobs(), 2);
    });
}

#[bq_cost(budget = "shared")]
fn hold() -> Result<CostReservation, CostRefused> {
    reserve_cost(TIB)
}

#[test]
fn a_clock_that_jumps_forward_frees_nothing_that_a_running_process_holds() {
    within_one_month(|| {
        let site = Site::new(None);
        let running = site.start(1, 100);
        wait::until_true("the job runs", || site.server.jobs() == 1);
        let captured = capture_with(config(site.folder.path()), || {
            let held = hold().unwrap();
            // As the rows look after a jump of the clock to another month.
            site.change("UPDATE holds SET lease_ends = 1, at = 1");
            let used = budget_used("shared");
            held.cancel();
            used
        });
        assert_eq!(captured.value, Ok((0.0, 3.0)));
        assert_eq!(site.used(), (0.0, 2.0));
        drop(running);
    });
}
