//! Writes to all files that obs writes: for each line of its standard input a command that logs, spends of a budget and writes the
//! textfile, then the health checks. Confirms each with `done`.

use obs_runtime::{QueryStatistics, bq_cost, reserve_cost, tracked_command};

#[bq_cost(budget = "shared")]
fn spend() -> Result<(), obs_runtime::CostRefused> {
    let statistics =
        QueryStatistics { bytes_processed: 1 << 30, bytes_billed: Some(1 << 30), ..QueryStatistics::default() };
    reserve_cost(1 << 30)?.settle(&statistics);
    Ok(())
}

#[tracked_command]
fn write_all() {
    if let Err(error) = spend() {
        println!("refused: {error}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = match obs_runtime::init_observability() {
        Ok(guard) => guard,
        Err(error) => {
            println!("not initialised: {error}");
            return Ok(());
        }
    };
    for line in std::io::stdin().lines() {
        line?;
        write_all();
        for check in &obs_runtime::run_health_checks().group("telemetry").wait().checks {
            println!("{}: {:?} {}", check.name, check.status, check.message.as_deref().unwrap_or_default());
        }
        println!("done");
    }
    Ok(())
}
