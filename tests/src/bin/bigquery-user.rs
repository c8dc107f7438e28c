//! Runs a query for each line of its standard input and writes the result of each. Its optional argument is the URL of the
//! API.

use obs_runtime::bigquery::{BigQueryError, Client, QueryJob, Retry};
use obs_runtime::{bq_cost, track_performance, tracked_command, with_error_tracking};
use std::time::Duration;

#[bq_cost(budget = "shared")]
async fn limited(client: &Client) -> Result<QueryJob, BigQueryError> {
    client.query("SELECT 1").run().await
}

async fn free(client: &Client) -> Result<QueryJob, BigQueryError> {
    client.query("SELECT 1").run().await
}

/// A query that is given up.
#[tracked_command]
#[bq_cost(max_usd = 7.0, budget = "shared")]
async fn brief(client: &Client) -> Result<QueryJob, BigQueryError> {
    client.query("SELECT 1").timeout(Duration::from_secs(2)).run().await
}

#[tracked_command]
async fn until_exit(client: &Client) -> Result<QueryJob, BigQueryError> {
    std::thread::spawn(|| {
        if std::io::stdin().lines().next().is_some() {
            obs_runtime::exit(3);
        }
    });
    limited(client).await
}

/// A query with literals of all kinds, none of which may leave.
const SQL: &str = "SELECT n, \"\"\"hunter
2\"\"\" FROM d.t -- of xyzzy
    WHERE name = 'Ada Lovelace' AND id = 4242424 AND born = DATE '1815-12-10' AND note = @note";

#[track_performance]
async fn first() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[track_performance]
async fn second() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Runs both concurrently, one of them as a task.
#[track_performance]
async fn both() {
    let task = obs_runtime::spawn(second());
    first().await;
    let _ = task.await;
}

#[tracked_command]
#[bq_cost(max_usd = 7.0, budget = "shared", labels(team = "growth"))]
#[with_error_tracking]
async fn report(client: &Client) -> Result<QueryJob, BigQueryError> {
    both().await;
    client.query(SQL).bind("note", "Grace Hopper").run().await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = obs_runtime::init_observability()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let retry = Retry { first_pause: Duration::from_millis(10), ..Retry::default() };
    let builder = Client::builder().retry(retry);
    let builder = match std::env::args().nth(1) {
        Some(url) => builder.endpoint(url),
        None => builder,
    };
    let client = match runtime.block_on(builder.build()) {
        Ok(client) => client,
        Err(error) => {
            println!("no client: {error}");
            return Ok(());
        }
    };
    println!("project {}", client.project());
    loop {
        // Locked for one line at a time.
        let Some(line) = std::io::stdin().lines().next() else { break };
        let line = line?;
        if line == "health" {
            for check in obs_runtime::run_health_checks().group("telemetry").wait().checks {
                println!("health {} {} {}", check.name, check.status, check.message.unwrap_or_default());
            }
            continue;
        }
        let result = match line.as_str() {
            "brief" => runtime.block_on(brief(&client)),
            "until exit" => runtime.block_on(until_exit(&client)),
            "limited" => runtime.block_on(limited(&client)),
            "report" => runtime.block_on(report(&client)).inspect_err(|error| eprintln!("{error:?}")),
            _ => runtime.block_on(free(&client)),
        };
        match result {
            Ok(job) => println!("ok {}", job.price.usd),
            Err(BigQueryError::Refused(refused)) => println!("refused {}", refused.limit),
            Err(error) => println!("error {error}"),
        }
    }
    Ok(())
}
