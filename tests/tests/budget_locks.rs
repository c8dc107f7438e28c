//! A file of budgets that another process has locked: no caller waits for more than two seconds, and nothing is lost.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use obs_runtime::bigquery::{CostLimit, CostReservation, SqliteBudgets, budget_used};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::testing::{Captured, capture_with};
use obs_runtime::{ClosureInContext as _, Config, CostRefused, QueryStatistics, bq_cost, reserve_cost, track_cost};
use obs_tests::calendar::within_one_month;
use obs_tests::process::{Finished, Process, Running};
use obs_tests::servers::scripted_bigquery::{Behaviour, ScriptedBigQuery};
use obs_tests::wait;
use rusqlite::Connection;

const TIB: u64 = 1 << 40;

/// A wait of two seconds on a busy machine.
const TWO_SECONDS: std::ops::Range<Duration> = Duration::from_millis(1900)..Duration::from_secs(4);

fn config(folder: &Path) -> Config {
    Config::default().with(|config| {
        config.state_dir = Some(folder.to_owned());
        config.budgets = vec![Budget::new("shared", 100.0, BudgetPeriod::Month)];
        config.bigquery_usd_per_tib = 1.0.into();
    })
}

fn file(folder: &Path) -> PathBuf {
    folder.join("budgets.sqlite3")
}

/// Holds the file locked, as another process would, until it is dropped.
fn lock(folder: &Path) -> Connection {
    let connection = Connection::open(file(folder)).unwrap();
    connection.busy_timeout(wait::LONG).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

/// Holds a new file locked, also against those that only read.
fn lock_against_readers(folder: &Path) -> Connection {
    let connection = Connection::open(file(folder)).unwrap();
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE new (x)").unwrap();
    connection
}

/// Makes the file.
fn create(folder: &Path) {
    assert_eq!(used(folder), (0.0, 0.0));
}

/// US dollars spent and held.
fn used(folder: &Path) -> (f64, f64) {
    capture_with(config(folder), || budget_used("shared")).value.unwrap()
}

fn billed(bytes: u64) -> QueryStatistics {
    QueryStatistics { bytes_processed: bytes, bytes_billed: Some(bytes), ..QueryStatistics::default() }
}

#[bq_cost(budget = "shared")]
fn refused() -> (CostRefused, Duration) {
    let begun = Instant::now();
    let refused = reserve_cost(TIB).unwrap_err();
    (refused, begun.elapsed())
}

fn waiting_settlements(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("budgets.sqlite3-settlements")).map_or(0, Iterator::count)
}

fn warned<T>(captured: &Captured<T>, text: &str) -> usize {
    captured.records.logs.iter().filter(|line| line.message.contains(text)).count()
}

#[test]
fn a_query_is_refused_after_two_seconds() {
    for (is_there, lock) in [(true, lock as fn(&Path) -> Connection), (false, lock_against_readers)] {
        let folder = tempfile::tempdir().unwrap();
        if is_there {
            create(folder.path());
        }
        let lock = lock(folder.path());
        let (refused, took) = capture_with(config(folder.path()), refused).value;
        drop(lock);
        assert!(TWO_SECONDS.contains(&took), "{took:?}");
        let CostLimit::BudgetUnavailable { name, why } = &refused.limit else { panic!("{refused}") };
        assert!(name == "shared" && why.contains("budgets.sqlite3: locked by another process for 2s"), "{why}");
    }
}

#[test]
fn a_settlement_returns_after_two_seconds_and_is_booked_once() {
    #[bq_cost(budget = "shared")]
    fn settle_while_locked(folder: &Path) -> Duration {
        let (first, second) = (reserve_cost(8 * TIB).unwrap(), reserve_cost(4 * TIB).unwrap());
        let lock = lock(folder);
        let begun = Instant::now();
        first.settle(&billed(3 * TIB));
        let took = begun.elapsed();
        second.cancel();
        track_cost(&billed(2 * TIB));
        // They count at once, and are not booked.
        assert_eq!((budget_used("shared"), waiting_settlements(folder)), (Ok((5.0, 0.0)), 3));
        drop(lock);
        took
    }
    within_one_month(|| {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path());
        let captured = capture_with(config(folder.path()), || settle_while_locked(folder.path()));
        assert!(TWO_SECONDS.contains(&captured.value), "{:?}", captured.value);
        assert_eq!(warned(&captured, "are booked by the next query"), 3, "{:?}", captured.records.logs);
        assert_eq!(used(folder.path()), (5.0, 0.0));
        // Two processes book them at the same time.
        std::thread::scope(|scope| {
            for id in ["1", "2"] {
                let folder = folder.path();
                scope.spawn(move || SqliteBudgets::new(file(folder)).touch(id));
            }
        });
        assert_eq!((used(folder.path()), waiting_settlements(folder.path())), ((5.0, 0.0), 0));
    });
}

trait Touch {
    fn touch(&self, id: &str);
}

impl Touch for SqliteBudgets {
    /// A transaction that changes nothing.
    fn touch(&self, id: &str) {
        use obs_runtime::bigquery::BudgetStore as _;
        self.remove_limit(id).unwrap();
    }
}

#[test]
fn many_threads_wait_together() {
    #[bq_cost(budget = "shared")]
    fn settle_in_threads(folder: &Path) -> Duration {
        let held: Vec<_> = (0..16).map(|_| reserve_cost(TIB).unwrap()).collect();
        let lock = lock(folder);
        let begun = Instant::now();
        let settle =
            |held: CostReservation| std::thread::spawn((move || held.settle(&billed(TIB))).in_current_context());
        let threads: Vec<_> = held.into_iter().map(settle).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap().usd, 1.0);
        }
        drop(lock);
        begun.elapsed()
    }
    within_one_month(|| {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path());
        let captured = capture_with(config(folder.path()), || settle_in_threads(folder.path()));
        assert!(TWO_SECONDS.contains(&captured.value), "{:?}", captured.value);
        assert_eq!(used(folder.path()), (16.0, 0.0));
    });
}

fn start(server: &ScriptedBigQuery, folder: &Path) -> Running {
    Process::new(env!("CARGO_BIN_EXE_bigquery-user"))
        .env("BIGQUERY_EMULATOR_HOST", server.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("BIGQUERY_USD_PER_TIB", "1")
        .env("OBS_BUDGETS", "shared=100USD/month")
        .env("OBS_STATE_DIR", folder)
        .env("PROMETHEUS_PORT", "0")
        .start()
}

fn one_query(server: &ScriptedBigQuery, folder: &Path) -> Finished {
    let mut running = start(server, folder);
    running.write_line("limited");
    running.finish()
}

#[test]
fn what_a_process_could_not_book_is_booked_by_the_next_one_also_if_it_is_killed() {
    within_one_month(|| {
        let behaviour = Behaviour { polls: None, estimated_bytes: 2 * TIB, billed_bytes: TIB, ..Behaviour::default() };
        let server = ScriptedBigQuery::start(behaviour);
        let folder = tempfile::tempdir().unwrap();
        create(folder.path());
        let mut running = start(&server, folder.path());
        running.write_line("limited");
        wait::until_true("the job runs", || server.jobs() == 1);
        // The job ends while the file is locked.
        let lock = lock(folder.path());
        server.change(|behaviour| behaviour.polls = Some(0));
        running.wait_for_outputs("the answer", |output| output.contains("ok 1"));
        drop(running);
        drop(lock);
        assert_eq!((used(folder.path()), waiting_settlements(folder.path())), ((1.0, 0.0), 1));
        let ended = one_query(&server, folder.path());
        assert!(ended.stdout.contains("ok 1"), "{ended:?}");
        assert_eq!((used(folder.path()), waiting_settlements(folder.path())), ((2.0, 0.0), 0));
    });
}
