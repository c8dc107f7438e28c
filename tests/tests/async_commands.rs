//! What waits at the end of an async command, or for a budget, does not block the executor: another task of the same thread
//! goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

use obs_runtime::bigquery::{
    BigQueryError, BudgetShare, BudgetStore, BudgetStoreError, BudgetUse, Client, set_budget_store,
};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::sink::{RedactedEvent, Sink, SinkError};
use obs_runtime::testing::capture_with;
use obs_runtime::{Config, Observability, bq_cost, tracked_command};
use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::servers::scripted_bigquery::{Behaviour, ScriptedBigQuery};
use obs_tests::{exclusive, logs};

/// How often something else has run on the thread of the executor.
static TICKS: (Mutex<u64>, Condvar) = (Mutex::new(0), Condvar::new());

fn tick() {
    *TICKS.0.lock().unwrap() += 1;
    TICKS.1.notify_all();
}

/// Waits for three ticks. Returns whether they came.
fn wait_for_ticks() -> bool {
    let ticks = TICKS.0.lock().unwrap();
    let until = *ticks + 3;
    let waited = TICKS.1.wait_timeout_while(ticks, Duration::from_secs(20), |ticks| *ticks < until).unwrap();
    !waited.1.timed_out()
}

async fn tick_for_ever() {
    loop {
        tokio::time::sleep(Duration::from_millis(1)).await;
        tick();
    }
}

/// Delivers once something else has run on the thread of the executor.
#[derive(Debug, Default)]
struct WaitingSink {
    delivered: Arc<AtomicU64>,
}

impl Sink for WaitingSink {
    fn name(&self) -> &'static str {
        "waiting"
    }

    fn accept(&mut self, _: &RedactedEvent) -> Result<(), SinkError> {
        Ok(())
    }

    fn flush(&mut self, _: Instant) -> Result<(), SinkError> {
        if wait_for_ticks() {
            self.delivered.fetch_add(1, Ordering::SeqCst);
            return Ok(());
        }
        Err("the executor was blocked".into())
    }
}

#[tracked_command]
async fn job() -> u8 {
    tokio::task::yield_now().await;
    7
}

#[tracked_command]
fn job_with_a_returned_future() -> impl Future<Output = u8> + Send {
    async { 7 }
}

#[tracked_command]
async fn outer_job() -> u8 {
    job().await
}

/// A returned value that is not `Send`.
type NotSend = Result<u8, Box<dyn std::error::Error>>;

#[tracked_command]
async fn job_with_an_output_that_is_not_send() -> NotSend {
    tokio::task::yield_now().await;
    Ok(7)
}

#[tracked_command]
async fn never_ends() {
    std::future::pending::<()>().await;
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// How often the sink has delivered during `run`, and the failures of its flushes.
fn delivered(run: impl FnOnce(&tokio::runtime::Runtime, &AtomicU64)) -> Vec<String> {
    let _exclusive = exclusive::lock();
    let (sink, lines) = (WaitingSink::default(), logs::MemoryLog::default());
    let delivered = Arc::clone(&sink.delivered);
    let builder = Observability::builder().without_environment().log_output(lines.output());
    let guard = builder.prometheus_port(0).flush_timeout(Duration::from_mins(1)).sink(sink).init().unwrap();
    run(&current_thread(), &delivered);
    // The last flush waits for what still runs in the background.
    let ticks = std::thread::spawn(|| {
        while TICKING.load(Ordering::SeqCst) {
            tick();
            std::thread::yield_now();
        }
    });
    drop(guard);
    TICKING.store(false, Ordering::SeqCst);
    ticks.join().unwrap();
    TICKING.store(true, Ordering::SeqCst);
    let warnings =
        lines.take().into_iter().filter(|line| line["level"] == "WARNING" && line["logger"] == "obs_runtime");
    warnings.map(|line| line["message"].to_string()).collect()
}

static TICKING: AtomicBool = AtomicBool::new(true);

#[test]
fn the_future_of_a_command_waits_for_the_flush_and_another_task_of_its_thread_goes_on() {
    let warnings = delivered(|runtime, delivered| {
        let delivered = || delivered.load(Ordering::SeqCst);
        runtime.block_on(async {
            let ticker = tokio::spawn(tick_for_ever());
            assert_eq!((job().await, delivered()), (7, 1));
            let status = obs_runtime::status();
            assert!(status.sink("waiting").is_some_and(|sink| sink.last_success.is_some()), "{status:?}");
            assert_eq!((job_with_a_returned_future().await, delivered()), (7, 2));
            assert_eq!((outer_job().await, delivered()), (7, 3), "the outermost command flushes, and no other");
            // Those that end during a flush wait for the next one.
            let jobs: Vec<_> = (0..20).map(|_| tokio::spawn(job())).collect();
            for job in jobs {
                assert_eq!(job.await.unwrap(), 7);
            }
            let flushes = delivered() - 3;
            assert!((1..=20).contains(&flushes), "{flushes} flushes");
            ticker.abort();
        });
    });
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn a_command_that_returns_what_is_not_send_or_is_dropped_does_not_wait() {
    let ends: [fn(&tokio::runtime::Runtime); 2] = [
        |runtime| assert!(runtime.block_on(job_with_an_output_that_is_not_send()).is_ok()),
        |runtime| {
            let limit = Duration::from_millis(1);
            assert!(runtime.block_on(async { tokio::time::timeout(limit, never_ends()).await }).is_err());
        },
    ];
    for end in ends {
        let warnings = delivered(|runtime, delivered| {
            // The flush waits for ticks, which nothing gives before this returns.
            end(runtime);
            assert_eq!(delivered.load(Ordering::SeqCst), 0);
        });
        assert_eq!(warnings, [""; 0]);
    }
}

#[test]
fn the_future_of_a_command_waits_no_longer_than_the_deadline() {
    // Long enough that a busy machine is not mistaken for a wait.
    const TIMEOUT: Duration = Duration::from_secs(4);
    let _exclusive = exclusive::lock();
    let server = FaultyServer::start(Fault::Hang);
    let builder = Observability::builder().without_environment().prometheus_port(0).flush_timeout(TIMEOUT);
    let guard = builder.prometheus_pushgateway_url(server.url("")).init().unwrap();
    let begun = Instant::now();
    assert_eq!(current_thread().block_on(async { tokio::join!(job(), job()) }), (7, 7));
    assert!(begun.elapsed() < 2 * TIMEOUT, "{:?}", begun.elapsed());
    assert!(!server.requests().is_empty());
    let begun = Instant::now();
    drop(guard);
    assert!(begun.elapsed() < 2 * TIMEOUT, "{:?}", begun.elapsed());
}

/// A store each of whose transactions waits until the other task has run three times more.
#[derive(Debug, Default)]
struct SlowStore {
    transactions: AtomicU64,
    blocked: AtomicBool,
}

impl SlowStore {
    fn wait(&self) {
        self.transactions.fetch_add(1, Ordering::SeqCst);
        if !wait_for_ticks() {
            self.blocked.store(true, Ordering::SeqCst);
        }
    }
}

impl BudgetStore for SlowStore {
    fn hold(&self, _: &BudgetShare, _: u64, _: Duration) -> Result<BudgetUse, BudgetStoreError> {
        self.wait();
        Ok(BudgetUse::default())
    }

    fn renew(&self, _: &BudgetShare, _: Duration) -> Result<(), BudgetStoreError> {
        self.wait();
        Ok(())
    }

    fn settle(&self, _: &BudgetShare, _: u64) -> Result<(), BudgetStoreError> {
        self.wait();
        Ok(())
    }

    fn used(&self, _: &str, _: SystemTime) -> Result<BudgetUse, BudgetStoreError> {
        Ok(BudgetUse::default())
    }
}

#[bq_cost(budget = "slow")]
async fn query(client: &Client, sql: &str) -> Result<(), BigQueryError> {
    client.query(sql).run().await.map(drop)
}

#[test]
fn another_task_goes_on_while_a_query_waits_for_its_budget() {
    let _exclusive = exclusive::lock();
    let store = Arc::new(SlowStore::default());
    set_budget_store(Arc::clone(&store) as Arc<dyn BudgetStore>);
    let server = ScriptedBigQuery::start(Behaviour::default());
    let config = Config::default().with(|config| {
        config.bigquery_emulator_host = Some(server.host());
        config.budgets = vec![Budget::new("slow", 1e9, BudgetPeriod::Month)];
    });
    capture_with(config, || {
        current_thread().block_on(async {
            let ticker = tokio::spawn(tick_for_ever());
            let client = Client::builder().project("p").build().await.unwrap();
            query(&client, "SELECT 1").await.unwrap();
            ticker.abort();
        });
    });
    assert!(store.transactions.load(Ordering::SeqCst) >= 2, "one to hold, one to settle");
    assert!(!store.blocked.load(Ordering::SeqCst), "the executor was blocked");
}
