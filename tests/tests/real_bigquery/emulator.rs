//! Queries, dry runs, labels, parameters, pages, mistakes: what `GoogleSQL`'s own analyser makes of them.

use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use obs_runtime::bigquery::{BigQueryError, Client, Parameter, budget_used};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::snapshot::{SeriesValue, Snapshot};
use obs_runtime::testing::{Captured, capture_with};
use obs_runtime::{Config, bq_cost, track_cli_command};
use obs_tests::servers::BigQueryEmulator;
use serde::Deserialize;
use serde_json::json;

/// A price at which small bytes make visible money: a dollar for each byte.
const DOLLAR_A_BYTE: f64 = 1_099_511_627_776.0;

fn config(emulator: &BigQueryEmulator) -> Config {
    Config { bigquery_emulator_host: Some(emulator.host()), ..Config::default() }
}

fn run<F: Future>(config: Config, with: impl FnOnce(Client) -> F) -> Captured<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    capture_with(config, || {
        runtime.block_on(async {
            let client = Client::builder().project("p").build().await.unwrap();
            with(client).await
        })
    })
}

fn orders(emulator: &BigQueryEmulator) {
    emulator.create_table(&json!({
        "tableReference": {"projectId": "p", "datasetId": "d", "tableId": "orders"},
        "schema": {"fields": [
            {"name": "id", "type": "INTEGER", "mode": "REQUIRED"}, {"name": "customer", "type": "STRING"},
            {"name": "amount", "type": "NUMERIC"}, {"name": "paid", "type": "BOOLEAN"}
        ]}
    }));
}

#[derive(Debug, Deserialize, PartialEq)]
struct Order {
    id: u64,
    customer: Option<String>,
    amount: f64,
    paid: bool,
}

#[bq_cost(query_type = "orders")]
async fn of_customer(client: &Client, customer: &str) -> Result<Vec<Order>, BigQueryError> {
    let sql = "SELECT id, customer, amount, paid FROM d.orders WHERE customer = @customer ORDER BY id";
    client.query(sql).bind("customer", customer).label("team", "growth").rows::<Order>().await?.all().await
}

#[test]
fn tables_are_written_and_read() {
    let emulator = BigQueryEmulator::start();
    orders(&emulator);
    let captured = run(config(&emulator), |client| async move {
        let rows = [
            json!({"id": 1, "customer": "ada", "amount": "12.50", "paid": true}),
            json!({"id": 2, "customer": "ben", "amount": "1", "paid": false}),
            json!({"id": 3, "customer": "ada", "amount": "0.25", "paid": false}),
        ];
        client.insert("d.orders", &rows).await.unwrap();
        let of_ada = of_customer(&client, "ada").await.unwrap();
        let changed = client.query("UPDATE d.orders SET paid = TRUE WHERE id = 2").run().await.unwrap();
        let unpaid = client.query("SELECT COUNT(*) FROM d.orders WHERE NOT paid").rows::<u64>().await.unwrap();
        let table = client.table("d.orders").await.unwrap();
        (of_ada, changed, unpaid.all().await.unwrap(), table.schema.fields.map_or(0, |fields| fields.len()))
    });
    let (of_ada, changed, unpaid, columns) = captured.value;
    let ada = |id, amount, paid| Order { id, customer: Some("ada".into()), amount, paid };
    assert_eq!(of_ada, [ada(1, 12.5, true), ada(3, 0.25, false)]);
    assert_eq!((unpaid, columns), (vec![1], 4));
    let job = emulator.job(&changed.id);
    assert_eq!(job["configuration"]["labels"]["service"], "decentclaude");
    assert_eq!(
        captured.metrics.value("bigquery.operation", &[("operation_type", "insert"), ("dataset", "d")]),
        Some(1.0)
    );
    let count = |query_type| {
        captured.metrics.value("bigquery.query.count", &[("query_type", query_type), ("cache_hit", "false")])
    };
    // The emulator calls every statement a SELECT.
    assert_eq!((count("orders"), count("select")), (Some(1.0), Some(2.0)));
}

type Row = (String, i64, f64, bool, String, u8, bool);

#[test]
fn parameters_of_all_kinds_arrive() {
    let emulator = BigQueryEmulator::start();
    let captured = run(config(&emulator), |client| async move {
        let query = client.query("SELECT @text, @whole, @real, @truth, @day, ARRAY_LENGTH(@list), @nobody IS NULL");
        let query = query.bind("text", "it's \"quoted\"; DROP TABLE d.t -- ").bind("whole", -7).bind("real", 2.5);
        let query = query.bind("truth", true).bind("day", Parameter::date("2026-11-26"));
        let query = query.bind("list", vec![1, 2, 3]).bind("nobody", None::<String>);
        let named: Vec<Row> = query.rows().await.unwrap().all().await.unwrap();
        let by_place = client.query("SELECT ? || ?").bind_next("a").bind_next("b").rows::<String>().await.unwrap();
        (named, by_place.all().await.unwrap())
    });
    let (named, by_place) = captured.value;
    let text = "it's \"quoted\"; DROP TABLE d.t -- ".to_owned();
    assert_eq!(named, [(text, -7, 2.5, true, "2026-11-26".to_owned(), 3, true)]);
    assert_eq!(by_place, ["ab"]);
}

#[test]
fn a_dry_run_runs_nothing() {
    let emulator = BigQueryEmulator::start();
    orders(&emulator);
    run(config(&emulator), |client| async move {
        let dry = client.query("INSERT INTO d.orders (id) VALUES (1)").dry_run().await.unwrap();
        assert!(dry.statement_type.is_some());
        let rows = client.query("SELECT id FROM d.orders").rows::<u64>().await.unwrap();
        assert_eq!(rows.total(), 0);
    });
}

#[test]
fn mistakes_are_told_with_their_place_and_without_values() {
    let emulator = BigQueryEmulator::start();
    let captured = run(config(&emulator), |client| async move {
        let mut errors = Vec::new();
        for sql in [
            "SELECT\n  1 +",
            "SELECT * FROM d.nowhere",
            "SELECT 'ada' + 1",
            "SELECT nothing",
            "SELECT 1 'ada@example.com'",
        ] {
            errors.push(client.query(sql).run().await.unwrap_err());
        }
        errors
    });
    let places: Vec<_> = captured
        .value
        .iter()
        .map(|error| match error {
            BigQueryError::Answer(answer) => answer.position,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places[1..4], [Some((1, 15)), Some((1, 8)), Some((1, 8))]);
    assert!(places.iter().all(Option::is_some), "{places:?}");
    let all = format!("{:?} {:?}", captured.value, captured.records);
    assert!(!all.contains("ada"), "{all}");
}

#[test]
fn a_hundred_thousand_rows_come_in_pages_and_take_no_more_memory_than_one() {
    let emulator = BigQueryEmulator::start();
    run(config(&emulator), |client| async move {
        let sql = "SELECT x, CONCAT('row ', CAST(x AS STRING)) FROM UNNEST(GENERATE_ARRAY(1, 100000)) AS x";
        let mut rows = client.query(sql).page_size(5_000).rows::<(u64, String)>().await.unwrap();
        assert_eq!(rows.total(), 100_000);
        let (mut sum, mut number, mut after_two_pages) = (0, 0, 0);
        while let Some((x, text)) = rows.next().await.unwrap() {
            number += 1;
            sum += x;
            assert!(text.starts_with("row "));
            if number == 10_000 {
                after_two_pages = resident_kib();
            }
        }
        assert_eq!((number, sum), (100_000, 5_000_050_000));
        let grown = resident_kib().saturating_sub(after_two_pages);
        // 90,000 rows of this kind take tens of megabytes.
        assert!(grown < 8 * 1024, "{grown} KiB more after 90,000 further rows");
    });
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The sum of a histogram's observations, over all its series.
fn sum(metrics: &Snapshot, family: &str) -> f64 {
    let series = metrics.family(family).unwrap().series.iter();
    let sums = series.map(|series| match &series.value {
        SeriesValue::Histogram { sum, .. } => *sum,
        SeriesValue::Number(other) => panic!("{other}"),
    });
    sums.sum()
}

/// With a price at which small bytes make visible money, and a budget.
fn priced(emulator: &BigQueryEmulator, folder: &Path) -> Config {
    let budget = Budget { name: "emulated".into(), usd: 1e9, period: BudgetPeriod::Month };
    Config {
        bigquery_usd_per_tib: DOLLAR_A_BYTE / 1000.0,
        state_dir: Some(folder.to_owned()),
        budgets: vec![budget],
        ..config(emulator)
    }
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
fn metrics_logs_scope_and_budget_tell_the_same_sum() {
    let emulator = BigQueryEmulator::start();
    let folder = tempfile::tempdir().unwrap();
    let captured = run(priced(&emulator, folder.path()), |client| async move {
        let mut told = (0.0, Vec::new());
        let runtime = tokio::runtime::Handle::current();
        track_cli_command("emulated", || {
            let inside = obs_runtime::ClosureInContext::in_current_context(|| runtime.block_on(scope(&client)));
            told = std::thread::scope(|threads| threads.spawn(inside).join().unwrap())?;
            Ok::<_, BigQueryError>(())
        })
        .unwrap();
        (told, budget_used("emulated").unwrap())
    });
    let ((spent, jobs), (of_budget, held)) = captured.value;
    // Byte by byte what the emulator says of its jobs.
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
}

#[bq_cost(budget = "emulated")]
async fn slow(client: &Client) -> Result<u64, BigQueryError> {
    let sql = "SELECT COUNT(*) FROM UNNEST(GENERATE_ARRAY(1, 1500)) a, UNNEST(GENERATE_ARRAY(1, 1500)) b";
    Ok(client.query(sql).rows::<u64>().await?.total())
}

#[test]
fn of_a_query_that_nobody_waits_for_nothing_stays_held() {
    let emulator = BigQueryEmulator::start();
    let folder = tempfile::tempdir().unwrap();
    let config = priced(&emulator, folder.path());
    let used = || budget_used("emulated").unwrap();
    let captured = run(config, |client| async move {
        let begun = async {
            while used().1 == 0.0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            result = slow(&client) => panic!("it takes longer than it takes to begin: {result:?}"),
            () = begun => {}
        }
        // The emulator runs a query while it is asked to: nobody asks any more. What was held is given back, or spent where
        // the query was quicker than its end.
        let until = Instant::now() + Duration::from_mins(1);
        while used().1 > 0.0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let after = client.query("SELECT 7").rows::<u64>().await.unwrap().all().await.unwrap();
        (used(), after)
    });
    let ((spent, held), after) = captured.value;
    assert_eq!((held, after), (0.0, vec![7]), "{}", emulator.log());
    let prices = captured.records.prices.iter();
    let actual: f64 =
        prices.filter(|(operation, estimate, _)| !estimate && operation == "slow").map(|price| price.2).sum();
    assert!((spent - actual).abs() < 1e-6, "{spent} {actual}");
}

#[test]
fn of_a_query_that_is_given_up_while_its_price_is_being_held_nothing_stays_held() {
    let emulator = BigQueryEmulator::start();
    let folder = tempfile::tempdir().unwrap();
    let captured = run(priced(&emulator, folder.path()), |client| async move {
        let used = || budget_used("emulated").unwrap();
        for _ in 0..5 {
            let begun = async {
                while used().1 == 0.0 {
                    tokio::task::yield_now().await;
                }
            };
            // Asked first, so that it sees the share before the query knows of it, as a rule.
            tokio::select! {
                biased;
                () = begun => {}
                result = slow(&client) => panic!("it takes longer than it takes to begin: {result:?}"),
            }
            let until = Instant::now() + Duration::from_secs(20);
            while used().1 > 0.0 && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            assert_eq!(used().1, 0.0);
        }
    });
    drop(captured);
}

#[bq_cost(labels(team = "Growth & Co", cost_centre = 42), max_bytes = "1 GiB")]
async fn labelled(client: &Client) -> Result<String, BigQueryError> {
    client.query("SELECT id FROM d.orders").label("Own", "A B").run().await.map(|job| job.id)
}

#[test]
fn jobs_have_all_their_labels() {
    let emulator = BigQueryEmulator::start();
    orders(&emulator);
    let config = Config { service_name: "Märkte".into(), environment: "prod".into(), ..config(&emulator) };
    let captured = run(config, |client| async move {
        obs_runtime::set_correlation_id("ABC-123");
        labelled(&client).await.unwrap()
    });
    let configuration = emulator.job(&captured.value)["configuration"].clone();
    assert_eq!(
        configuration["labels"],
        json!({"service": "märkte", "environment": "prod", "operation": "labelled", "correlation_id": "abc-123",
               "team": "growth___co", "cost_centre": "42", "own": "a_b"})
    );
    assert_eq!(configuration["query"]["maximumBytesBilled"], (1_u64 << 30).to_string());
}

#[test]
fn a_script_is_one_job() {
    let emulator = BigQueryEmulator::start();
    orders(&emulator);
    let captured = run(config(&emulator), |client| async move {
        let script = "INSERT INTO d.orders (id, paid) VALUES (1, TRUE), (2, FALSE);
                      UPDATE d.orders SET paid = TRUE WHERE id = 2;";
        client.query(script).run().await.unwrap();
        let sql = "SELECT COUNT(*) FROM d.orders WHERE paid";
        client.query(sql).rows::<u64>().await.unwrap().all().await.unwrap()
    });
    assert_eq!(captured.value, [2]);
}
