//! What is held and spent, against what the emulator reports for its jobs.

use std::path::Path;
use std::time::Instant;

use obs_runtime::bigquery::{BigQueryError, Client, budget_used};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::snapshot::{SeriesValue, Snapshot};
use obs_runtime::{Config, bq_cost, track_cli_command};
use obs_tests::calendar::within_one_month;
use obs_tests::servers::BigQueryEmulator;
use obs_tests::wait;

use crate::support::{DOLLAR_PER_BYTE, config, run};

/// The sum of a histogram's observations, over all its series.
fn sum(metrics: &Snapshot, family: &str) -> f64 {
    let series = metrics.family(family).unwrap().series.iter();
    let sums = series.map(|series| match &series.value {
        SeriesValue::Histogram { sum, .. } => *sum,
        other => panic!("{other:?}"),
    });
    sums.sum()
}

/// A configuration with a high price and a budget.
fn priced(emulator: &BigQueryEmulator, folder: &Path) -> Config {
    let budget = Budget::new("emulated", 1e9, BudgetPeriod::Month);
    config(emulator).with(|config| {
        config.bigquery_usd_per_tib = (DOLLAR_PER_BYTE / 1000.0).into();
        config.state_dir = Some(folder.to_owned());
        config.budgets = vec![budget];
    })
}

#[bq_cost(max_usd = 1e9, budget = "emulated")]
async fn scope(client: &Client) -> Result<(f64, Vec<String>), BigQueryError> {
    let (mut spent, mut jobs) = (0.0, Vec::new());
    for number in [10, 100, 1000] {
        let sql = format!("SELECT x FROM UNNEST(GENERATE_ARRAY(1, {number})) AS x");
        let job = client.query(sql).run().await?;
        spent += job.price.usd;
        jobs.push(job.id);
    }
    Ok((spent, jobs))
}

#[test]
fn metrics_logs_scope_and_budget_have_the_same_cost() {
    within_one_month(|| {
        let emulator = BigQueryEmulator::start();
        let folder = tempfile::tempdir().unwrap();
        let captured = run(priced(&emulator, folder.path()), |client| async move {
            let mut spent = (0.0, Vec::new());
            let runtime = tokio::runtime::Handle::current();
            track_cli_command("emulated", || {
                let inside = obs_runtime::ClosureInContext::in_current_context(|| runtime.block_on(scope(&client)));
                spent = std::thread::scope(|threads| threads.spawn(inside).join().unwrap())?;
                Ok::<_, BigQueryError>(())
            })
            .unwrap();
            (spent, budget_used("emulated").unwrap())
        });
        let ((spent, jobs), (of_budget, held)) = captured.value;
        // The bytes that the emulator reports for its jobs.
        let bytes = |key: &str| -> u64 {
            let of_job =
                |id: &String| emulator.job(id)["statistics"]["query"][key].as_str().unwrap().parse::<u64>().unwrap();
            jobs.iter().map(of_job).sum()
        };
        let billed = bytes("totalBytesBilled");
        assert_eq!((jobs.len(), billed > 0), (3, true));
        assert_eq!(sum(&captured.metrics, "bigquery.bytes_billed"), f64::from(u32::try_from(billed).unwrap()));
        let processed = f64::from(u32::try_from(bytes("totalBytesProcessed")).unwrap());
        assert_eq!(sum(&captured.metrics, "bigquery.query.bytes_processed"), processed);
        let exact = f64::from(u32::try_from(billed).unwrap()) / 1000.0;
        assert!((exact - spent).abs() < 1e-9, "{exact} {spent}");
        assert!(spent > 0.0 && held == 0.0, "{spent} {held}");
        assert_eq!(captured.metrics.value("bigquery.total_cost.usd", &[("operation", "scope")]), Some(spent));
        assert!((of_budget - spent).abs() < 1e-6, "{of_budget} {spent}");
        let actual: f64 = captured.records.prices.iter().filter(|price| !price.1).map(|price| price.2).sum();
        assert_eq!(actual, spent);
        let line = captured.records.logs.iter().find(|line| line.message.contains("spent")).unwrap();
        assert!(line.fields.contains(&("cost_usd".to_owned(), spent.to_string())), "{:?}", line.fields);
        assert!(line.fields.contains(&("queries".to_owned(), "3".to_owned())), "{:?}", line.fields);
        assert!(line.fields.contains(&("bytes_billed".to_owned(), billed.to_string())), "{:?}", line.fields);
    });
}

#[bq_cost(budget = "emulated")]
async fn slow(client: &Client) -> Result<u64, BigQueryError> {
    let sql = "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 1500)) a, UNNEST(GENERATE_ARRAY(1, 1500)) b";
    Ok(client.query(sql).rows::<u64>().await?.total())
}

#[test]
fn a_dropped_query_releases_its_reservation() {
    within_one_month(|| {
        let emulator = BigQueryEmulator::start();
        let folder = tempfile::tempdir().unwrap();
        let config = priced(&emulator, folder.path());
        let used = || budget_used("emulated").unwrap();
        let captured = run(config, |client| async move {
            let begun = async {
                wait::until_true_async("a reservation", || used().1 > 0.0).await;
            };
            tokio::select! {
                result = slow(&client) => panic!("the query ended: {result:?}"),
                () = begun => {}
            }
            // The reservation is released, or spent if the query ended before it was cancelled.
            wait::until_true_async("the reservation is released", || used().1 == 0.0).await;
            let after = client.query("SELECT 7").rows::<u64>().await.unwrap().all().await.unwrap();
            (used(), after)
        });
        let ((spent, held), after) = captured.value;
        assert_eq!((held, after), (0.0, vec![7]), "{}", emulator.log());
        let prices = captured.records.prices.iter();
        let actual: f64 =
            prices.filter(|(operation, estimate, _)| !estimate && operation == "slow").map(|price| price.2).sum();
        assert!((spent - actual).abs() < 1e-6, "{spent} {actual}");
    });
}

#[test]
fn a_query_dropped_during_its_reservation_releases_it() {
    let emulator = BigQueryEmulator::start();
    let folder = tempfile::tempdir().unwrap();
    run(priced(&emulator, folder.path()), |client| async move {
        let used = || budget_used("emulated").unwrap();
        for _ in 0..5 {
            let begun = async {
                let deadline = Instant::now() + wait::LONG;
                while used().1 == 0.0 {
                    assert!(Instant::now() < deadline, "no reservation");
                    tokio::task::yield_now().await;
                }
            };
            // Polled first, so that it usually sees the reservation before the query does.
            tokio::select! {
                biased;
                () = begun => {}
                result = slow(&client) => panic!("the query ended: {result:?}"),
            }
            wait::until_true_async("the reservation is released", || used().1 == 0.0).await;
        }
    });
}
